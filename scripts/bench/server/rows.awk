# What the lines of raw-server.txt say, for report.awk and chart.awk: value(side, column,
# name) is the instructions a packet of a row, of all rows ("total"), or of all if the
# kernel had that AES-GCM ("vaes_avx2", "vaes_avx512").

BEGIN {
	FS = "\t"
	rows = split("crypto ngtcp2 http3 memcpy fwrite way glue aead quic copy path write softirq rest", key, " ")
	split("aead quic copy path write softirq rest", in_kernel, " ")
	for (i in in_kernel) kernel[in_kernel[i]] = 1
	all_of("crypto", "AEAD, header prot.")
	all_of("ngtcp2", "ngtcp2")
	all_of("http3", "nghttp3")
	all_of("memcpy", "memcpy, memset, memcmp")
	all_of("glue", "glue, quic_offload")
	all_of("aead", "AEAD, header prot.")
	all_of("quic", "net/quic")
	all_of("copy", "copying")
	all_of("softirq", "softirq")
	all_of("path", "UDP and IP")
	label["server", "way"] = "receiving (ACKs)"
	label["client", "way"] = "sending (ACKs)"
	label["server", "rest"] = "recvmsg, poll, faults"
	label["client", "rest"] = "sendmsg, poll, faults"
	label["client", "fwrite"] = "fwrite"
	label["client", "write"] = "write"
	label["nginx", "http3"] = "HTTP, events"
	label["nginx", "ngtcp2"] = "QUIC"
	label["nginx", "glue"] = "quic_offload"
	label["nginx", "way"] = label["server", "way"]
	label["nginx", "rest"] = label["server", "rest"]
}

function all_of(name, text) {
	label["server", name] = label["client", name] = label["nginx", name] = text
}

$1 == "packets" {
	packets[$2, $3] = $4
	messages[$2, $3] = $5
	spread[$2, $3] = $6
}

# What a simulated device does in the place of one that is none of the processor's work
$1 == "count" && $4 == "device" {
	device[$2, $3] += $5
	next
}

$1 == "count" {
	count[$2, $3, $4] += $5
	total[$2, $3] += $5
}

# Of AES-GCM's functions what was counted (of no one length), and what is computed; of
# OpenSSL's all that it does for a packet, counted by steps
$1 == "vaes" {
	if ($5 == 0)
		counted[$2, $3] += $7
	else
		instead[$2, $3, substr($4, match($4, /vaes/))] += $7
	if (!($4 in seen)) {
		seen[$4]
		by_steps = sub(/^libcrypto_?/, "OpenSSL 3.5 ", $4)
		function_line[++functions] = sprintf("%-32s%5.0f%s", $4 (by_steps ? "" : "()"), $7 / $6, \
			by_steps ? " counted by steps" : $5 == 0 ? " counted" : " computed, for " $5 " bytes")
	}
}

function value(side, column, name,    all) {
	if (!packets[side, column]) {
		print "no column " column > "/dev/stderr"
		exit failed = 1
	}
	all = total[side, column]
	if (name == "device")
		return column ~ /-device$/ ? device[side, column] / packets[side, column] : ""
	if (name == "total") return all / packets[side, column]
	if (name ~ /^vaes/ && column == "nginx-user" && !((side, column, name) in instead))
		return ""
	if (name ~ /^vaes/)
		return (all - counted[side, column] + instead[side, column, name]) / packets[side, column]
	return count[side, column, name] / packets[side, column]
}
