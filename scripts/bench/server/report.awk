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
	if (!sub(/-(kernel|both|itself|device)$/, "-user", base)) return ""
	if (figure(name, column) == "") return ""
	base = value(side, base, name)
	return base == "" ? "" : sprintf("%.2f", value(side, column, name) / base)
}

function figure(name, column) {
	if (name ~ /^ratio /) return ratio(column, substr(name, 7))
	if (name == "packets") return packets[side, column]
	if (name == "spread") return sprintf("%.1f%%", 100 * spread[side, column])
	if (name == "train") return sprintf("%.1f", packets[side, column] / messages[side, column])
	# What QEMU has counted is what it is with VAES: GnuTLS has nothing for it.
	if (name ~ /^vaes/ && column ~ /-user$/ && side != "nginx") return ""
	# With VAES more is left to the kernel, and nothing is where a device protects.
	if (name ~ /vaes/ && column ~ /-(itself|device)$/) return ""
	return value(side, column, name) == "" ? "" : sprintf("%.0f", value(side, column, name))
}

function table(which, title, heads, list, library,    i) {
	side = which
	columns = split(list, column, " ")
	if (!packets[side, column[1]]) return
	print "\n" title
	print heads
	row("packets", "packets")
	row("packets a system call", "train")
	for (i = 1; i <= rows; i++)
		if (label[side, key[i]] != "")
			row((kernel[key[i]] ? "kernel: " : "user: ") label[side, key[i]], key[i])
	if (which == "server") row("the device, simulated; not in all", "device")
	row("all, median of 3 transfers", "total")
	row("  spread", "spread")
	row("  of " library "'s", "ratio total")
	row("computed: with VAES and AVX2", "vaes_avx2")
	row("  of " library "'s", "ratio vaes_avx2")
	row("computed: with VAES and AVX-512", "vaes_avx512")
	row("  of " library "'s", "ratio vaes_avx512")
}

END {
	table("server", "h3_server sends: instructions of its task, a packet; protected by GnuTLS or by the kernel", \
		sprintf("%-32s%16s%16s%16s%16s%24s\n%-32s%16s%16s%16s%16s%24s%9s%8s\n%-32s%s%9s%8s", "", \
			"to a peer", "to gtlsclient:", "no GSO,", "trains of 10,", "trains of 4,", \
			"", "that has GRO", "no GRO", "to gtlsclient", "GRO", "GRO", "opens", "device", "", \
			"  GnuTLS  kernel  GnuTLS  kernel  GnuTLS  kernel  GnuTLS  kernel  GnuTLS  kernel  itself", \
			"ACKs too", "GRO"), \
		"gro-user gro-kernel gtls-user gtls-kernel single-user single-kernel " \
		"ten-user ten-kernel four-user four-kernel four-itself gro-both gro-device", "GnuTLS")
	table("client", "h3_client receives, from h3_server: the same; opened by GnuTLS or by the kernel", \
		sprintf("%-32s", "") "  GnuTLS  kernel  itself", "open-user open-kernel open-itself", "GnuTLS")
	table("nginx", "nginx sends, to a peer that has GRO: the same; protected by OpenSSL 3.5 or by the kernel", \
		sprintf("%-32s", "") " OpenSSL  kernel", "nginx-user nginx-kernel", "OpenSSL")
	if (packets["server", "four-itself"])
		print "\nitself: without VAES these programs leave trains of fewer than 12 packets, and what they\n" \
			"receive, to GnuTLS, unless --shortest says otherwise, as it did for the column before."
	if (packets["server", "gro-device"])
		print "\ndevice: netdevsim protects packets and takes trains as they are. What it does for that is no\n" \
			"work of the processor's with a device that is not simulated, and is not in all."
	print "\nComputed: the counted total, with what the VAES function executes for a packet in the"
	print "place of what QEMU executed, and what OpenSSL 3.5 has for it. Instructions a call:"
	for (i = 1; i <= functions; i++) print "  " function_line[i]
}
