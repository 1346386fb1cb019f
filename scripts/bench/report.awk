# Tables from the lines of raw.txt: what was measured, settings, minimum, median.
#
#   awk [-v unit=instructions] -f report.awk raw.txt

BEGIN {
	FS = "\t"
	if (unit == "") unit = "ns"
	ways = split("plain ssl30 ssl35 ssl35-zerocopy offload ssl30-only ssl35-only " \
		"kernel-memcpy kernel-aead kernel-bare kernel-library kernel-plain kernel-offload", way, " ")
	heat["to", "hot"] = "hot buffer"
	heat["to", "cold"] = "from 32 MB"
	heat["received over", "hot"] = "a queue of 64 KB"
	heat["received over", "cold"] = "a queue of 32 MB"
	label["plain"] = "plain UDP GSO, the floor"
	label["ssl30"] = "OpenSSL 3.0 + GSO"
	label["ssl35"] = "OpenSSL 3.5 + GSO"
	label["ssl35-zerocopy"] = "OpenSSL 3.5 + GSO + MSG_ZEROCOPY"
	label["offload"] = "offload"
	label["ssl30-only"] = "OpenSSL 3.0, nothing sent"
	label["ssl35-only"] = "OpenSSL 3.5, nothing sent"
	label["kernel-memcpy"] = "in the kernel: memcpy"
	label["kernel-aead"] = "in the kernel: crypto_aead in place"
	label["kernel-bare"] = "in the kernel: the assembly below it"
	label["kernel-library"] = "in the kernel: library calls instead"
	label["kernel-plain"] = "in the kernel: plain UDP GSO"
	label["kernel-offload"] = "in the kernel: offload"
}

$1 == "about" || $1 == "library" || $1 == "driver" {
	about[++abouts] = sprintf("%-12s%s", $1 == "about" ? $2 : "", $1 == "driver" ? $2 ": " $3 : $3)
}

# A line that belongs to a table; which ones there are, in @order
function remember(order) {
	table = $1 FS $2 FS $3 FS $4 FS $5 FS $6 FS $7
	if (!(table in trains))
		order[++order["n"]] = table
	if (!((table, $8) in seen)) {
		seen[table, $8]
		trains[table] = trains[table] $8 " "
	}
	least[table, $8, $9] = $10
	median[table, $8, $9] = $11
}

$1 == "send" { remember(order) }

$1 ~ /flows$/ { lookup[$2, $3, $4] = $5 " " $6 }
$1 == "memory" { memory[++memories] = sprintf("%-20s%8d", $2, $3) }
$1 == "many" { many[$2] = many[$2] " " $3; many[$2, $3] = $4 " " $5 }
$1 ~ /parallel$/ && (!(($2, $3) in rate) || $4 < rate[$2, $3]) { rate[$2, $3] = $4 }
$1 == "stream" { stream[$2] = $3 }
$1 == "boot" {
	key = $4 SUBSEP $5 SUBSEP $9 SUBSEP $10 SUBSEP ($2 ~ /pristine/ ? "without" : "with")
	boot[key] = boot[key] $11 " "
	boots[$3]++
}

# Times of a way, and figures made of times: "minimum median", "" if unknown
function time(name) {
	if (!((table, train, name) in least)) return ""
	return least[table, train, name] " " median[table, train, name]
}

function both(a, b, op,    x, y, n, m) {
	n = split(a, x, " ")
	m = split(b, y, " ")
	if (!n || !m) return ""
	if (op == "+") return x[1] + y[1] " " x[2] + y[2]
	if (op == "-") return x[1] - y[1] " " x[2] - y[2]
	if (y[1] <= 0 || y[2] <= 0) return ""
	return x[1] / y[1] " " x[2] / y[2]
}

# @prefix: whose times
function figure(which) {
	if (which == "added")
		return both(both(time(prefix "kernel-offload"), time(prefix "kernel-plain"), "-"),
			time(prefix "kernel-aead"), "/")
	if (which == "library")
		return both(time(prefix "kernel-library"), time(prefix "kernel-aead"), "/")
	if (which == "ulp")
		return both(time(prefix "kernel-ulp"), time(prefix "kernel-plain"), "-")
	if (which ~ /^ssl..$/)
		return both(time(prefix "offload"), time(prefix which), "/")
	sub("free ", "", which)
	return both(time(prefix "kernel-offload"),
		both(time(prefix "kernel-plain"), time(prefix which "-only"), "+"), "/")
}

function cell(format, pair,    x) {
	if (!split(pair, x, " ")) return sprintf("%16s", "-")
	return sprintf("%16s", sprintf(format " (" format ")", x[1], x[2]))
}

# A line of a table, unless there is nothing in it
function row(name, format, which, is_figure,    line, known, pair, i) {
	line = sprintf("%-42s", name)
	for (i = 1; i <= n; i++) {
		train = columns[i]
		pair = is_figure ? figure(which) : time(which)
		known = known pair
		line = line cell(format, pair)
	}
	if (known != "") print line
}

function table_head(to, call,    field, line, i) {
	split(table, field, FS)
	printf "%s, %d bytes, %s, %s, %s %s %s\n", field[5], field[6], field[3], field[4],
		heat[to, field[7]], to, field[2]
	n = split(trains[table], columns, " ")
	line = sprintf("%-42s", unit " a packet, minimum (median)")
	for (i = 1; i <= n; i++)
		line = line sprintf("%16s", columns[i] " " call)
	print line
}

function figures(how) {
	row("library calls / crypto_aead", "%.2f", "library", 1)
	row("added: (offload - plain) / crypto_aead", "%.2f", "added", 1)
	row("total: offload / OpenSSL 3.5 " how, "%.2f", "ssl35", 1)
	row("total: offload / OpenSSL 3.0 " how, "%.2f", "ssl30", 1)
	row("total 3.5, if system calls were free", "%.2f", "free ssl35", 1)
	row("total 3.0, if system calls were free", "%.2f", "free ssl30", 1)
}

function print_table(    i) {
	table_head("to", "a call")
	for (i = 1; i <= ways; i++)
		row(label[way[i]], "%.0f", way[i], 0)
	figures("+ GSO")
	print ""
}

function print_lookup(title,    tables, use, i, j) {
	print title ", ns a packet, minimum (median)"
	printf "%-26s%16s%16s\n", "", "in the kernel", "system calls"
	split("1 1000 100000", tables, " ")
	split("hot random", use, " ")
	for (i = 1; i <= 3; i++)
		for (j = 1; j <= 2; j++)
			if ((tables[i], use[j], prefix "offload") in lookup)
				printf "%8d, %-16s%s%s\n", tables[i], use[j],
					cell("%.0f", lookup[tables[i], use[j], prefix "kernel-offload"]),
					cell("%.0f", lookup[tables[i], use[j], prefix "offload"])
	printf "%-26s%s%s\n\n", "100000 random / 1", many_or_one("kernel-offload"), many_or_one("offload")
}

function many_or_one(name) {
	name = prefix name
	return cell("%.2f", both(lookup[100000, "random", name], lookup[1, "hot", name], "/"))
}

function many_row(name, how,    line, i, what, n) {
	if (!(how in many)) return
	n = split("add delete refuse", what, " ")
	line = sprintf("%-42s", name)
	for (i = 1; i <= n; i++)
		line = line cell("%.0f", many[how, what[i]])
	print line
}

function print_many() {
	print "Many flows of a socket, 10,000 in a row, " unit " each, minimum (median)"
	printf "%-42s%16s%16s%16s\n", "", "add", "delete", "be refused"
	many_row("a system call each", "setsockopt")
	many_row("io_uring, 16 a call", "uring-16")
	many_row("io_uring, 64 a call", "uring-64")
	many_row("io_uring, 256 a call", "uring-256")
	many_row("in the kernel, no calls", "kernel")
	printf "%-42s%s\n\n", "getting there: be refused / add, a system call each",
		cell("%.2f", both(many["setsockopt", "refuse"], many["setsockopt", "add"], "/"))
}

function print_memory(    i) {
	print "Memory, bytes per flow with one generation, of 10,000 flows"
	for (i = 1; i <= memories; i++) print memory[i]
	print ""
}

# Of @n ways @name
function print_parallel(what, name, n,    i, w) {
	print what ", two processors: times the rate of one, best of three boots"
	printf "%-42s%16s%16s\n", "", "one socket", "two sockets"
	for (i = 1; i <= n; i++) {
		w = name[i]
		if ((w, 0) in rate)
			printf "%-42s%16.2f%16.2f\n", label[w],
				rate[w, 0] / rate[w, 1], rate[w, 0] / rate[w, 2]
	}
	print ""
}

# Minimum and median of one time, or of three
function of_three(times,    x, low, high) {
	if (split(times, x, " ") == 1) return x[1] " " x[1]
	if (split(times, x, " ") != 3) return ""
	low = x[1] < x[2] ? x[1] : x[2]
	if (x[3] < low) return x[3] " " low
	high = x[1] < x[2] ? x[2] : x[1]
	return low " " (x[3] < high ? x[3] : high)
}

function boot_row(name, family, use, size,    key, with, without) {
	key = family SUBSEP use SUBSEP size SUBSEP name
	with = of_three(boot[key, "with"])
	without = of_three(boot[key, "without"])
	if (with == "" || without == "") return
	printf "%-15s%-5s%-13s%2d %s%s%s%s\n", name ~ /kernel/ ? "in the kernel" : "system calls",
		family, use, size, prefix == "" ? "a call   " : "a message", cell(boot_format, without),
		cell(boot_format, with), cell(boot_format == "%.1f" ? "%.3f" : "%.2f", both(with, without, "/"))
}

# Plain UDP: @name[1 to @n]
function print_boots(what, name, n,    families, uses, sizes, f, u, s, w) {
	boot_format = unit == "ns" ? "%.0f" : "%.1f"
	print what " in a kernel with the series, and in one without: " unit " a packet,"
	print unit == "ns" ? "minimum (median) of the minima of three boots of each, which took turns" : "minimum"
	printf "%-45s%16s%16s%16s\n", "", "without", "with", "with / without"
	split("IPv4 IPv6", families, " ")
	split("unconnected connected", uses, " ")
	split("44 16 4 1", sizes, " ")
	for (w = 1; w <= n; w++)
		for (f = 1; f <= 2; f++)
			for (u = 1; u <= 2; u++)
				for (s = 1; s <= 4; s++)
					boot_row(name[w], families[f], uses[u], sizes[s])
	print ""
}

function print_stream(name, rate) {
	if (rate) printf "%-42s%8d MB/s\n", name, rate
}

# What of a packet is payload, per nanosecond
function goodput(way,    times) {
	table = "send" FS "veth" FS "IPv4" FS "unconnected" FS "AES-128-GCM" FS 1452 FS "hot"
	train = 44
	return split(time(way), times, " ") ? (1452 - 27) / times[1] * 1000 : 0
}

function print_streams() {
	print "For orientation: payload per second of one processor that does both ends,"
	print "AES-128-GCM. TCP: loopback, received and thrown away as it is. UDP: veth, 44"
	print "packets of 1452 bytes a call, dropped at the receiving socket."
	print_stream("TCP", stream["tcp"])
	print_stream("TCP with kTLS in software", stream["ktls"])
	print_stream("UDP GSO, not protected", goodput("plain"))
	print_stream("UDP GSO, OpenSSL 3.5", goodput("ssl35"))
	print_stream("UDP GSO, offload", goodput("offload"))
	print ""
}

END {
	for (i = 1; i <= abouts; i++) print about[i]
	print ""
	for (t = 1; t <= order["n"]; t++) {
		table = order[t]
		print_table()
	}
	if ("setsockopt" in many)
		print_many()
	if (memories) {
		print_lookup("Flows of a socket, 16 packets a call")
		print_memory()
		print_streams()
		print_parallel("Two senders, 16 packets a call", way, ways)
	}
	if (boots["dummy"])
		print_boots("Sending by plain UDP", way, ways)
}
