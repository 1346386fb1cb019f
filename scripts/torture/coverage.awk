# Reads coverage.md, which justifies lines, and the output of gcov of any number
# of runs: prints a table of files and the lines that none of the runs reached.
# In coverage.md such a line stands in a row of a table, each in its own:
#   | file | `text of the line` | why |

function trim(text)
{
	gsub(/^[ \t`]+|[ \t`]+$/, "", text)
	return text
}

FILENAME != "-" {
	if (split($0, column, / \| /) >= 3)
		justified[trim(substr(column[1], 2)), trim(column[2])]++
	next
}

/^ *-: *0:Source:/ {
	file = $0
	sub(/^.*Source:/, "", file)
	wanted = file ~ /(net\/quic\/[^\/]*|net\/ipv4\/udp_ulp\.c)$/ &&
		file !~ /_test\.c$/
	sub(/^.*net\//, "net/", file)
	next
}

wanted && match($0, /^ *[^:]+: *[0-9]+:/) {
	head = substr($0, 1, RLENGTH)
	gsub(/ /, "", head)
	split(head, part, ":")
	count = part[1]
	line = part[2] + 0
	if (count == "-" || line == 0)
		next
	if (!((file, line) in text)) {
		text[file, line] = substr($0, RLENGTH + 1)
		lines[file]++
		if (line > last[file])
			last[file] = line
	}
	if (count !~ /^[#=]/ && !((file, line) in reached)) {
		reached[file, line] = 1
		hits[file]++
	}
}

function row(name, n, hit)
{
	printf "%-34s %6d %8d %8.1f%%\n", name, n, hit, 100 * hit / n
}

END {
	printf "%-34s %6s %8s %9s\n", "file", "lines", "reached", "of them"
	for (file in lines)
		names[++n] = file
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && names[j] < names[j - 1]; j--) {
			name = names[j]
			names[j] = names[j - 1]
			names[j - 1] = name
		}
	for (i = 1; i <= n; i++) {
		row(names[i], lines[names[i]], hits[names[i]])
		all += lines[names[i]]
		hit += hits[names[i]]
	}
	if (!all) {
		print "nothing was measured"
		exit 1
	}
	row("all", all, hit)

	print "\nmissed:"
	for (i = 1; i <= n; i++)
		for (line = 1; line <= last[names[i]]; line++) {
			if (!((names[i], line) in text) ||
			    (names[i], line) in reached)
				continue
			missed++
			source = trim(text[names[i], line])
			why = "justified"
			if (justified[names[i], source]-- <= 0) {
				why = "NOT JUSTIFIED"
				bad++
			}
			printf "%s:%d: %s (%s)\n", names[i], line, source, why
		}
	printf "%d lines missed, %d of them justified\n", missed, missed - bad
	exit bad > 0
}
