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

$1 == "rx-rate" { rx_rate = $2 }

$1 == "timing" {
	if (!($2 in usual)) {
		usual[$2] = $5
		timing_cipher[++timing_ciphers] = $2
	}
	timing[$2, ++variants[$2]] = $3 FS $4 FS $5 FS $6
}

function print_receive_table(    i) {
	table_head("received over", "a message")
	for (i = 1; i <= rx_ways; i++)
		row(label[rx_way[i]], "%.0f", rx_way[i], 0)
	row("the ULP without a flow - plain", "%.1f", "ulp", 1)
	figures("+ GRO")
	print ""
}

# What must not show in the time it takes, shows if it takes 1 % more or less.
function timing_row(cipher, i,    field, rest, ratio, shows) {
	split(timing[cipher, i], field, FS)
	rest = field[3] - field[4]
	ratio = rest / usual[cipher]
	shows = ratio < 0.99 || ratio > 1.01
	leaks += shows
	printf "%-36s%-12s%10.1f%10.1f%10.1f%10.3f%s\n", field[1], field[2], field[3], field[4], rest,
		ratio, shows ? "  shows" : ""
}

function print_timing(    c, i) {
	print "What a packet tells by the time it takes: " unit ", one packet a message, in the"
	print "kernel. A packet that is not opened is copied again: to be subtracted, measured apart."
	for (c = 1; c <= timing_ciphers; c++) {
		printf "%-48s%10s%10s%10s%10s\n", timing_cipher[c], "all", "copied", "the rest", "ratio"
		for (i = 1; i <= variants[timing_cipher[c]]; i++)
			timing_row(timing_cipher[c], i)
	}
	print ""
}

END {
	prefix = "rx-"
	for (t = 1; t <= rx_order["n"]; t++) {
		table = rx_order[t]
		print_receive_table()
	}
	if (rx_rate) {
		print_lookup("Receive flows of a socket, 16 packets a message")
		printf "Adding a receive flow takes %d ns, without the system call.\n\n", rx_rate
	}
	if (("rx-offload", 0) in rate)
		print_parallel("Two readers, 16 packets a message, queue full", rx_way, rx_ways)
	if (boots["veth"])
		print_boots("Receiving by plain UDP", rx_way, rx_ways)
	if (timing_ciphers)
		print_timing()
	if (leaks && unit == "instructions") {
		print leaks " kinds of packets can be told by the time they take." > "/dev/stderr"
		exit 1
	}
}
