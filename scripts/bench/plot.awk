# A plot of nanoseconds per packet against the length of trains, as SVG, from the
# lines of raw.txt: left with system calls, right without.
#
#   awk -f plot.awk raw.txt

BEGIN {
	FS = "\t"
	width = 400; height = 300; left = 60; top = 60
	split("plain ssl30 ssl35 offload", series, " ")
	split("plain UDP GSO|OpenSSL 3.0 + GSO|OpenSSL 3.5 + GSO|offload", name, "|")
	split("#888888 #d08000 #0060c0 #c00020", color, " ")
}

$1 == "send" && $2 == "dummy" && $3 == "IPv4" && $4 == "unconnected" &&
$5 == "AES-128-GCM" && $6 == 1452 && $7 == "hot" {
	if (!($8 in ns_seen)) trains[++n] = $8
	ns_seen[$8]
	ns[$9, $8] = $10
}

function log2(x) {
	return log(x) / log(2)
}

# What a library does without system calls: its own work, and the kernel's
function value(panel, s, train) {
	if (panel == 1) return ns[s, train]
	if (s == "plain" || s == "offload") return ns["kernel-" s, train]
	if (!((s "-only", train) in ns)) return 0
	return ns["kernel-plain", train] + ns[s "-only", train]
}

function x_of(panel, train) {
	return left + (panel - 1) * (width + left) + width * log2(train) / log2(64)
}

function y_of(v) {
	return top + height - height * (log2(v) - low) / (high - low)
}

function text(x, y, anchor, s) {
	printf "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, s
}

function line(x1, y1, x2, y2) {
	printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#dddddd\"/>\n", x1, y1, x2, y2
}

function panel(p, title,    i, j, v, x, points) {
	low = 99; high = 0
	for (i = 1; i <= n; i++)
		for (j = 1; j <= 4; j++) {
			v = value(p, series[j], trains[i])
			if (v <= 0) continue
			if (log2(v) < low) low = log2(v)
			if (log2(v) > high) high = log2(v)
		}
	low = int(low); high = int(high) + 1
	text(x_of(p, 1), top - 12, "start", title)
	for (i = low; i <= high; i++) {
		line(x_of(p, 1), y_of(2 ^ i), x_of(p, 64), y_of(2 ^ i))
		text(x_of(p, 1) - 6, y_of(2 ^ i) + 4, "end", 2 ^ i)
	}
	for (i = 1; i <= n; i++) {
		x = x_of(p, trains[i])
		line(x, top, x, top + height)
		text(x, top + height + 18, "middle", trains[i])
	}
	for (j = 1; j <= 4; j++) {
		points = ""
		for (i = 1; i <= n; i++) {
			v = value(p, series[j], trains[i])
			if (v > 0)
				points = points sprintf("%.1f,%.1f ", x_of(p, trains[i]), y_of(v))
		}
		printf "<polyline fill=\"none\" stroke-width=\"2\" stroke=\"%s\" points=\"%s\"/>\n", color[j], points
	}
}

END {
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" " \
		"font-family=\"sans-serif\" font-size=\"12\">\n", 2 * (width + left) + 30, height + top + 70
	print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
	text(left, 20, "start", "Nanoseconds per packet of 1452 bytes, AES-128-GCM, against packets a call")
	panel(1, "system calls of User Mode Linux included")
	panel(2, "without system calls")
	for (j = 1; j <= 4; j++) {
		printf "<rect x=\"%d\" y=\"%d\" width=\"16\" height=\"4\" fill=\"%s\"/>\n",
			left + (j - 1) * 180, top + height + 46, color[j]
		text(left + (j - 1) * 180 + 22, top + height + 52, "start", name[j])
	}
	print "</svg>"
}
