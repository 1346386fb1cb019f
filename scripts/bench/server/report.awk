# Tables from the lines of raw-server.txt: instructions a packet, by where they went.
#
#   awk -f rows.awk -f report.awk raw-server.txt

$1 == "about" { printf "%-12s%s\n", $2, $3 }

# row LABEL VALUE-NAME: a line, by figure(name, column)
function row(label, name,    i, v, line) {
	line = sprintf("%-32s", label)
	for (i = 1; i <= columns; i++) {
		v = figure(name, column[i])
		line = line sprintf("%8s", v == "" ? "-" : v)
	}
	print line
}

function ratio(column, name,    base) {
	base = column
	if (!sub(/-(kernel|both)$/, "-user", base)) return ""
	return sprintf("%.2f", value(side, column, name) / value(side, base, "total"))
}

function figure(name, column) {
	if (name ~ /^ratio /) return ratio(column, substr(name, 7))
	if (name == "packets") return packets[side, column]
	if (name == "spread") return sprintf("%.1f%%", 100 * spread[side, column])
	if (name == "train") return sprintf("%.1f", packets[side, column] / messages[side, column])
	if (name ~ /^vaes/ && column ~ /-user$/) return ""
	return sprintf("%.0f", value(side, column, name))
}

function table(which, title, heads, list,    i) {
	side = which
	columns = split(list, column, " ")
	print "\n" title
	print heads
	row("packets", "packets")
	row("packets a system call", "train")
	for (i = 1; i <= rows; i++)
		if (label[side, key[i]] != "")
			row((kernel[key[i]] ? "kernel: " : "user: ") label[side, key[i]], key[i])
	row("all, median of 3 transfers", "total")
	row("  spread", "spread")
	row("  of GnuTLS's", "ratio total")
	row("computed: with VAES and AVX2", "vaes_avx2")
	row("  of GnuTLS's", "ratio vaes_avx2")
	row("computed: with VAES and AVX-512", "vaes_avx512")
	row("  of GnuTLS's", "ratio vaes_avx512")
}

END {
	table("server", "h3_server sends: instructions of its task, a packet; protected by GnuTLS or by the kernel", \
		sprintf("%-32s%16s%16s%16s%16s%16s\n%-32s%16s%16s%16s%16s%16s%9s\n%-32s%s%9s", "", \
			"to a peer", "to gtlsclient:", "no GSO,", "trains of 10,", "trains of 4,", \
			"", "that has GRO", "no GRO", "to gtlsclient", "GRO", "GRO", "opens", "", \
			"  GnuTLS  kernel  GnuTLS  kernel  GnuTLS  kernel  GnuTLS  kernel  GnuTLS  kernel", "ACKs too"), \
		"gro-user gro-kernel gtls-user gtls-kernel single-user single-kernel " \
		"ten-user ten-kernel four-user four-kernel gro-both")
	table("client", "h3_client receives, from h3_server: the same; opened by GnuTLS or by the kernel", \
		sprintf("%-32s", "") "  GnuTLS  kernel", "open-user open-kernel")
	print "\nComputed: the counted total, with what the VAES function executes for a packet in the"
	print "place of what QEMU executed. Instructions a call:"
	for (i = 1; i <= functions; i++) print "  " function_line[i]
}
