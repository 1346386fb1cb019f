# shellcheck shell=bash
# The kernel's documentation, and what Sphinx says of it with the series and without:
# sourced by check.sh, after series-lib.sh and objects-lib.sh.
#
# Both are built from build/objects, one after the other: that with the series begins
# with what Sphinx has made of the kernel without it, and reads only what differs. This
# takes seconds, the other minutes: it is kept, in build/docs.base.

# The pages that the series adds or edits, below Documentation
docs_pages() {
	sgit "$REPO" diff --name-only refs/patches/base series -- 'Documentation/*.rst' |
		sed 's,^Documentation/,,'
}

# Their directories: each is built by itself.
docs_directories() {
	docs_pages | sed 's,/[^/]*$,,' | sort -u
}

# htmldocs OUT: build them below OUT; the warnings, without the numbers of lines, are in
# OUT.warnings
htmldocs() {
	local out=$1 dir

	for dir in $(docs_directories); do
		mkdir -p "$out/$dir"
		make -s -C "$OBJECTS_TREE" O="$out/$dir" SPHINXDIRS="$dir" htmldocs < /dev/null || return
	done > "$out.log" 2>&1
	# Which programs there are to draw pictures is this machine's business.
	awk '/WARNING|ERROR|CRITICAL/ && !/\(1\) not found/' "$out.log" |
		sed -E 's/:[0-9]+(:| |$)/\1/g' | sort > "$out.warnings"
}

# Build those of the kernel without the series, unless they are there.
base_docs() {
	local from out=$BUILD/docs.base

	from=$(cat "$BUILD/pristine.from"; sphinx-build --version; docs_directories)
	[ "$from" != "$(cat "$out.from" 2> /dev/null)" ] || return 0
	say "Documentation of the kernel without the series (once, some minutes)"
	rm -rf "$out" "$out.from"
	checkout_objects "$(sgit "$REPO" rev-parse refs/patches/base)"
	htmldocs "$out" || { tail -n 20 "$out.log" >&2; die "no documentation, see $out.log"; }
	echo "$from" > "$out.from"
}

# Print the warnings that only the documentation with the series has.
new_docs_warnings() {
	local out=$BUILD/docs page

	base_docs
	rm -rf "$out"
	cp -a "$BUILD/docs.base" "$out"
	touch "$out.begin"
	checkout_objects "$(sgit "$REPO" rev-parse series)"
	htmldocs "$out" || { tail -n 20 "$out.log"; return; }
	comm -13 "$BUILD/docs.base.warnings" "$out.warnings"
	# Without Sphinx the kernel's make builds nothing, and succeeds.
	docs_pages | while read -r page; do
		[ "$out/${page%/*}/Documentation/output/${page%.rst}.html" -nt "$out.begin" ] ||
			echo "Documentation/$page was not built"
	done
}
