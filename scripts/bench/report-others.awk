# What plain UDP takes in kernels with the series and without, and in each state of the
# module: a table from the lines of raw-others.txt.
#
#   awk -f report-others.awk raw-others.txt

BEGIN {
	FS = "\t"
	columns = split("x86_64-pristine-unloaded x86_64-off-unloaded x86_64-unloaded " \
		"x86_64-loaded x86_64-attached", column, " ")
}

$1 == "about" || $1 == "library" || $1 == "driver" {
	printf "%-12s%s\n", $1 == "about" ? $2 : "", $1 == "driver" ? $2 ": " $3 : $3
}

# other, flavour, state, send or receive, target, family, use, cipher, bytes, heat, train,
# way, minimum, median
$1 == "other" && $4 ~ /^(send|receive)$/ {
	row = sprintf("%-8s%-15s%-5s%-13s%2d", $4, $12 ~ /kernel/ ? "in the kernel" : "system calls", \
		$6, $7, $11)
	if (!(row in seen)) {
		seen[row]
		order[++rows] = row
	}
	least[row, $2 "-" $3] = $13
}

END {
	print "\nPlain UDP, 1452 bytes, by packets a call or message: instructions a packet, minimum"
	printf "%-43s%10s%10s%10s%10s%10s\n", "", "without", "QUIC=n", "QUIC=m,", "", "on another"
	printf "%-43s%10s%10s%10s%10s%10s\n", "", "series", "", "unloaded", "loaded", "socket"
	for (r = 1; r <= rows; r++) {
		printf "%-43s", order[r]
		for (c = 1; c <= columns; c++) {
			if (!((order[r], column[c]) in least)) {
				print "no " column[c] " of " order[r] > "/dev/stderr"
				exit 1
			}
			printf "%10.1f", least[order[r], column[c]]
		}
		print ""
	}
}
