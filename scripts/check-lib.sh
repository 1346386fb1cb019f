# shellcheck shell=bash
# Tools that check.sh needs, and what it lets pass: sourced by it after common.sh.

# exceptions KIND,KIND...: what scripts/exceptions.txt lets pass, with commas
exceptions() {
	awk -F'\t' -v kinds=",$1," 'index(kinds, "," $1 ",") { printf "%s%s", n++ ? "," : "", $2 }' \
		"$ROOT/scripts/exceptions.txt"
}

# A sparse that knows the kernel's C: Debian 12's is too old, and make would then go on
# without it. Built from the sources of a newer Debian. Sets SPARSE.
need_sparse() {
	local APT=$BUILD/sparse valid=$BUILD/linux/scripts/checker-valid.sh

	SPARSE=$(command -v sparse || true)
	[ -z "$SPARSE" ] || [ "$("$valid" "$SPARSE")" != 1 ] || return 0
	SPARSE=$APT/src/sparse
	[ ! -x "$SPARSE" ] || return 0
	say "Building sparse from Debian's newest sources"
	need_mirror "; install a sparse of 2025 or later"
	configure_apt deb-src sid
	(
		cd "$APT" || exit
		private_apt apt-get source --download-only sparse
		mkdir -p src
		tar -xf sparse_*.orig.tar.* -C src --strip-components=1
		make -C src -j"$JOBS" HAVE_LLVM=no sparse
	) > "$BUILD/sparse.log" 2>&1 || { tail -n 5 "$BUILD/sparse.log" >&2; return 1; }
	[ "$("$valid" "$SPARSE")" = 1 ] ||
		{ echo "the newest sparse of Debian is too old, too" >&2; return 1; }
}
