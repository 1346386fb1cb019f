# shellcheck shell=bash
# The series as commits: sourced by assemble.sh, refresh.sh, series.sh and bisect.sh.
#
# series/SET/NN-name.patch is a subject, an empty line, a changelog, then lines
# `New: path` for the overlay files the patch brings (a path ending in / means
# all files below it that no patch names), then a diff of files the kernel
# already has. A set is what is mailed together; series/9-not-mailed is not.
#
# The overlay has a file as it is in the end. A line `Until: path what` in a later
# patch says what the file lacks until then: `what` is a command of sed that
# takes it away, or the name of a function with () behind it.
#
# series_commit turns that into branch `series` of a small git repository which
# holds just those files: commit 0 as the kernel has them, then one commit a
# patch, refs/patches/SET/NN-name pointing at it.

REPO=$BUILD/series-git
PRISTINE=$BUILD/pristine
OVERLAY=(Documentation drivers include net tools)
# Whose commits these are matters to series.sh alone.
export GIT_AUTHOR_NAME=${GIT_AUTHOR_NAME:-net-quic}
export GIT_AUTHOR_EMAIL=${GIT_AUTHOR_EMAIL:-net-quic@localhost}
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
SPEED_DIFF=$ROOT/scripts/flavours/um-speed.diff

patch_files() {
	find "$ROOT/series" -name '[0-9]*.patch' 2> /dev/null | sort
}

patch_sets() {
	patch_files | sed 's,/[^/]*$,,; s,.*/,,' | uniq
}

# SET/NN-name of patch $1
patch_name() {
	local name=${1#"$ROOT/series/"}

	echo "${name%.patch}"
}

patch_message() {
	awk '/^New: / || /^Until: / || /^diff --git / { exit } { print }' "$1"
}

patch_new() {
	awk '/^diff --git / { exit } /^New: / { print $2 }' "$1"
}

# Lines "file<tab>what" for what patch $1 adds to files that were there before
patch_until() {
	awk '/^diff --git / { exit } sub(/^Until: /, "") { sub(/ /, "\t"); print }' "$1"
}

patch_diff() {
	sed -n '/^diff --git /,$p' "$1"
}

diff_files() {
	sed -n 's,^diff --git a/.* b/,,p' "$@"
}

overlay_files() {
	local file

	git -C "$ROOT" ls-files -co --exclude-standard -- "${OVERLAY[@]}" | sort -u |
		while read -r file; do
			[ ! -f "$ROOT/$file" ] || echo "$file"
		done
}

# git inside the repository $1, deaf to the developer's settings
sgit() {
	local dir=$1
	shift
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		git -C "$dir" -c core.autocrlf=false -c gc.auto=0 -c advice.detachedHead=false "$@"
}

# copy_files FROM TO: the files named on standard input, with their modes
copy_files() {
	local file

	while read -r file; do
		mkdir -p "$2/$(dirname "$file")"
		cp -P --preserve=mode "$1/$file" "$2/$file"
	done
}

# Each overlay file belongs to exactly one patch: write "patch<tab>file" lines
# to $BUILD/series-new.
new_files() {
	local patch path

	patch_files | while read -r patch; do
		patch_new "$patch" | while read -r path; do
			printf '%s\t%s\n' "$(patch_name "$patch")" "$path"
		done
	done > "$BUILD/series-named"
	overlay_files | awk -F'\t' '
		function complain(text) { print "error: " text > "/dev/stderr"; bad = 1 }
		FILENAME != "-" { n++; patch[n] = $1; path[n] = $2; next }
		{
			owner = ""
			longest = 0
			for (i = 1; i <= n; i++) {
				if ($0 != path[i] && !(path[i] ~ /\/$/ && index($0, path[i]) == 1))
					continue
				used[i] = 1
				if (length(path[i]) == longest)
					complain($0 " is brought by " owner " and by " patch[i])
				if (length(path[i]) <= longest)
					continue
				longest = length(path[i])
				owner = patch[i]
			}
			if (owner == "")
				complain("no patch in series/ brings " $0 " (New: " $0 ")")
			print owner "\t" $0
		}
		END {
			for (i = 1; i <= n; i++)
				if (!used[i])
					complain(patch[i] " brings " path[i] ", which is not there")
			exit bad
		}' "$BUILD/series-named" - > "$BUILD/series-new" || exit 1
}

# apply_diff REPOSITORY DIFF NAME: no fuzz ever; an offset is said, and a hunk
# that does not apply is shown.
apply_diff() {
	local log=$BUILD/series-apply.log

	if sgit "$1" apply --index --whitespace=nowarn --verbose "$2" > "$log" 2>&1; then
		awk -v name="$3" '
			/^Checking patch / { file = $3; sub(/\.\.\.$/, "", file) }
			/^Hunk #.*offset/ { print name ": " file ": " $0 }' "$log" >&2
		return
	fi
	sgit "$1" apply --reject --whitespace=nowarn --verbose "$2" > "$log" 2>&1 || true
	awk -v name="$3" '
		/^(Checking|Applying) patch / { file = $3; sub(/\.\.\.$/, "", file) }
		/^Rejected hunk/ { sub(/\.$/, ""); print "error: " name ": " file ": " tolower($0) }
		/^error: / && !/patch failed|patch does not apply|while searching/ { print name ": " $0 }' "$log" >&2
	sed -n '/^error: while searching/,/^$/p' "$log" >&2
	die "$3 does not apply"
}

# Function $2 of file $1, with the comment above it and the empty line behind
drop_function() {
	awk -v name="$2" '
		{ line[NR] = $0 }
		!at && index($0, name "(") && /^[a-z]/ && !/;$/ { at = NR }
		at && !end && /^}/ { end = NR }
		END {
			for (start = at; start > 1 && line[start - 1] != ""; start--)
				;
			if (line[end + 1] == "")
				end++
			if (end >= NR && start > 1)
				start--
			for (i = 1; i <= NR; i++)
				if (!at || i < start || i > end)
					print line[i]
		}' "$1"
}

# Take from file $2 of $1 what patches later than $3 add to it, the last first.
as_until() {
	local dir=$1 file=$2 name=$3 patch what

	while read -r patch && [ "$(patch_name "$patch")" != "$name" ]; do
		while read -r what; do
			case $what in
			[a-z]*'()') drop_function "$dir/$file" "${what%??}" ;;
			*) sed "$what" "$dir/$file" ;;
			esac > "$BUILD/series-until"
			! cmp -s "$BUILD/series-until" "$dir/$file" ||
				die "$(patch_name "$patch"): nothing changes by Until: $file $what"
			cat "$BUILD/series-until" > "$dir/$file"
		done < <(patch_until "$patch" | awk -F'\t' -v file="$file" '$1 == file { print $2 }')
	done < <(patch_files | tac)
}

# series_commit REPOSITORY KERNEL [kernel file...]: make the commits anew.
# Further kernel files go into commit 0, for refresh.sh.
series_commit() {
	local repo=$1 kernel=$2 patch name file
	shift 2

	need_packages git:git
	new_files
	[ -d "$repo/.git" ] || sgit "$BUILD" init -q -b series "$repo"
	GIT_AUTHOR_DATE=$(git -C "$ROOT" log -1 --format=%cI 2> /dev/null || date -Is)
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE=$GIT_AUTHOR_DATE

	# Start from nothing, keeping only what assemble.sh remembers.
	rm -rf "$repo/.git/rebase-merge" "$repo/.git/rebase-apply"
	sgit "$repo" symbolic-ref HEAD refs/heads/series
	sgit "$repo" update-ref -d HEAD
	sgit "$repo" for-each-ref --format='delete %(refname)' refs/patches |
		sgit "$repo" update-ref --stdin
	sgit "$repo" read-tree --empty
	sgit "$repo" clean -fdxq

	{
		printf '%s\n' "$@"
		patch_files | while read -r patch; do patch_diff "$patch"; done | diff_files
		[ ! -f "$SPEED_DIFF" ] || diff_files "$SPEED_DIFF"
	} | sort -u | while read -r file; do
		[ ! -f "$kernel/$file" ] || echo "$file"
	done | copy_files "$kernel" "$repo"
	sgit "$repo" add -Af .
	sgit "$repo" commit -q --allow-empty -m "The kernel's own files"
	sgit "$repo" update-ref refs/patches/base HEAD

	patch_files | while read -r patch; do
		name=$(patch_name "$patch")
		patch_diff "$patch" > "$BUILD/series-diff"
		[ ! -s "$BUILD/series-diff" ] ||
			apply_diff "$repo" "$BUILD/series-diff" "$name.patch"
		{
			awk -F'\t' -v name="$name" '$1 == name { print $2 }' "$BUILD/series-new"
			patch_until "$patch" | cut -f1 | sort -u
		} > "$BUILD/series-files"
		while read -r file; do
			[ ! -e "$kernel/$file" ] ||
				die "$file is new in $name, but the kernel has it already"
		done < "$BUILD/series-files"
		copy_files "$ROOT" "$repo" < "$BUILD/series-files"
		while read -r file; do
			as_until "$repo" "$file" "$name"
		done < "$BUILD/series-files"
		sgit "$repo" add -Af .
		patch_message "$patch" |
			sgit "$repo" commit -q --allow-empty --cleanup=whitespace -F -
		sgit "$repo" update-ref "refs/patches/$name" HEAD
	done
}

# Branch um: the series plus the test-only diff for User Mode Linux.
speed_commit() {
	sgit "$1" checkout -q -B um series
	if [ -f "$SPEED_DIFF" ]; then
		apply_diff "$1" "$SPEED_DIFF" "${SPEED_DIFF##*/}"
		sgit "$1" commit -q -m "um: speed of a machine, for tests only"
	fi
	sgit "$1" checkout -q series
}

# The tree object that assemble.sh last wrote to build/$1.
assembled() {
	sgit "$REPO" rev-parse -q --verify "refs/assembled/$1^{tree}" ||
		sgit "$REPO" mktree < /dev/null
}

# Is file $2 of tree $1 as commit $3 has it, or else as the kernel does?
same_as_commit() {
	local blob

	if blob=$(sgit "$REPO" rev-parse -q --verify "$3:$2"); then
		[ "$blob" = "$(sgit "$REPO" hash-object "$1/$2")" ]
	else
		cmp -s "$PRISTINE/$2" "$1/$2"
	fi
}

# Files edited in tree $1 since it was assembled, other than to what commit $2
# has. Time stamps only propose, content decides. A new file counts when it
# lies where the overlay does and git would not ignore it.
edited_files() {
	local tree=$BUILD/$1 was file
	was=$(assembled "$1")

	find "$tree" -cnewer "$tree.stamp" -type f -printf '%P\n' | while read -r file; do
		same_as_commit "$tree" "$file" "$was" ||
			same_as_commit "$tree" "$file" "$2" || echo "$file"
	done | while read -r file; do
		if [ ! -e "$PRISTINE/$file" ] && ! sgit "$REPO" cat-file -e "$was:$file" 2> /dev/null; then
			case $file in
			*.o | *.orig | *.rej | *~ | .*.sw? | */.*.sw? | *.pyc) continue ;;
			Documentation/* | drivers/* | include/* | net/* | tools/*) ;;
			*) continue ;;
			esac
			! git -C "$ROOT" check-ignore -q "$file" || continue
		fi
		echo "$file"
	done
	sgit "$REPO" ls-tree -r --name-only "$was" | while read -r file; do
		[ -e "$tree/$file" ] || echo "$file"
	done
}
