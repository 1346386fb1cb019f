# Tables of what it costs to receive, behind those of report.awk, which has the
# functions.
#
#   awk -f report.awk -f report-receive.awk raw.txt

BEGIN {
	rx_ways = split("rx-plain rx-ssl30 rx-ssl35 rx-offload rx-ssl30-only rx-ssl35-only " \
		"rx-kernel-aead rx-kernel-library rx-kernel-plain rx-kernel-ulp rx-kernel-offload", rx_way, " ")
	label["rx-plain"] = "plain recvmsg, UDP GRO, the floor"
	label["rx-ssl30"] = "the same and OpenSSL 3.0 in place"
	label["rx-ssl35"] = "the same and OpenSSL 3.5 in place"
	label["rx-offload"] = "offload"
	label["rx-ssl30-only"] = "OpenSSL 3.0, nothing received"
	label["rx-ssl35-only"] = "OpenSSL 3.5, nothing received"
	label["rx-kernel-aead"] = "in the kernel: crypto_aead in place"
	label["rx-kernel-library"] = "in the kernel: library calls instead"
	label["rx-kernel-plain"] = "in the kernel: plain recvmsg, UDP GRO"
	label["rx-kernel-ulp"] = "in the kernel: with the ULP, no flow"
	label["rx-kernel-offload"] = "in the kernel: offload"
}

$1 == "receive" { remember(rx_order) }

function print_receive_table(    i) {
	table_head("received over", "a message")
	prefix = "rx-"
	for (i = 1; i <= rx_ways; i++)
		row(label[rx_way[i]], "%.0f", rx_way[i], 0)
	figures("+ GRO")
	prefix = ""
	print ""
}

END {
	for (t = 1; t <= rx_order["n"]; t++) {
		table = rx_order[t]
		print_receive_table()
	}
}
