# Stacked bars, as SVG, of where the instructions go.
#
#   awk -f rows.awk -f chart.awk raw-server.txt

BEGIN {
	left = 250; top = 70; width = 640; thick = 16; gap = 12; most = 20000
	color["crypto"] = "#c00020"
	color["aead"] = "#e87080"
	color["ngtcp2"] = "#0060c0"
	color["http3"] = "#60a0e0"
	color["memcpy"] = "#a8c8e8"
	color["way"] = "#d08000"
	color["glue"] = "#e8c070"
	color["quic"] = "#207050"
	color["copy"] = "#70b090"
	color["path"] = "#888888"
	color["fwrite"] = "#8060a0"
	color["write"] = "#c8b0d8"
	color["softirq"] = "#b8b8b8"
	color["rest"] = "#dddddd"
}

function text(x, y, anchor, s) {
	printf "<text x=\"%.0f\" y=\"%.0f\" text-anchor=\"%s\">%s</text>\n", x, y, anchor, s
}

function box(x, y, w, name) {
	printf "<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\"/>\n", x, y, w, thick, color[name]
}

function x_of(v) {
	return left + width * v / most
}

# bar LABEL: what a column took; with "vaes", what it would take with that AES-GCM
function bar(label, side, column, vaes,    i, v, at) {
	for (i = 1; i <= rows; i++) {
		v = value(side, column, key[i])
		if (vaes != "" && key[i] == "aead")
			v += value(side, column, vaes) - value(side, column, "total")
		box(x_of(at), y, x_of(v) - left, key[i])
		at += v
	}
	text(left - 8, y + thick - 4, "end", label)
	text(x_of(at) + 6, y + thick - 4, "start", sprintf("%.0f", at))
	y += thick + 2
}

function group(title, side, column, library) {
	text(8, y + thick - 4, "start", title)
	bar(library == "" ? "GnuTLS" : library, side, column "-user")
	bar("kernel", side, column "-kernel")
	bar("with VAES", side, column "-kernel", "vaes_avx512")
	if (packets[side, column "-device"])
		bar("a device", side, column "-device")
	y += gap
}

function name_of(row) {
	if (row == "way") return "ACKs"
	if (row == "rest") return "poll, faults, ..."
	if (row == "memcpy") return "memcpy, ..."
	return label["client", row]
}

END {
	nginx = packets["nginx", "nginx-user"] > 0
	groups = 6 + nginx
	bars = 3 * groups + (packets["server", "gro-device"] > 0)
	bottom = top + bars * (thick + 2) + groups * gap
	height = bottom + 30 + 4 * 20 + 20
	printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" " \
		"font-family=\"sans-serif\" font-size=\"12\">\n", left + width + 50, height
	print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
	text(8, 20, "start", "Instructions a packet of AES-128-GCM, of the program's own task, by where they go; " \
		"protected or opened by GnuTLS or OpenSSL,")
	text(8, 36, "start", "by the kernel as QEMU has counted it (AES-NI and AVX), and by a kernel with VAES and AVX-512, computed; or by a device")
	for (v = 0; v <= most; v += 2000) {
		printf "<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"#dddddd\"/>\n", x_of(v), top - 6, x_of(v), bottom
		text(x_of(v), top - 12, "middle", v)
	}
	y = top
	group("h3_server", "server", "gro")
	group("trains of 10", "server", "ten")
	group("trains of 4", "server", "four")
	group("to gtlsclient, no GRO", "server", "gtls")
	group("to gtlsclient, no GSO", "server", "single")
	group("h3_client", "client", "open")
	if (nginx)
		group("nginx", "nginx", "nginx", "OpenSSL 3.5")
	y += 10
	for (i = 1; i <= rows; i++) {
		at = 8 + int((i - 1) / 3) * 190
		row_y = y + (i - 1) % 3 * 22
		printf "<rect x=\"%d\" y=\"%d\" width=\"16\" height=\"12\" fill=\"%s\"/>\n", at, row_y, color[key[i]]
		text(at + 22, row_y + 11, "start", (kernel[key[i]] ? "kernel: " : "user: ") name_of(key[i]))
	}
	print "</svg>"
}
