# shellcheck shell=bash
# Building a whole kernel, for build.sh and deb.sh.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/build-lib.sh"       after common.sh
#
# They say, as flavour() does, TREE, OUT, KARCH, CROSS and what FLAVOUR is called, and
#   LOG        where make's output goes to
# and may add to "variables", which are words for make.
variables=()

# Same bytes wherever and whenever it is built, so that ccache finds them. What a
# file includes it learns from the compiler: preprocessing each before took a sixth
# of the time.
export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=net-quic KBUILD_BUILD_HOST=build KBUILD_BUILD_VERSION=1

STEP='^  (CC|AS|AR|LD|HOSTCC|HOSTLD|GEN)'

need_compiler() {
	need_packages gcc:gcc /usr/include/stdio.h:libc6-dev make:make flex:flex \
		bison:bison bc:bc perl:perl rsync:rsync ccache:ccache kmod:kmod git:git
	case $KARCH in
	# objtool reads what the compiler has made.
	x86_64) need_packages /usr/include/libelf.h:libelf-dev ;;
	esac
	[ -z "$CROSS" ] || need_packages "${CROSS}gcc:gcc-${CROSS%-}"
}

# Objects of another kernel may be newer than the sources of this one.
make_output() {
	if [ -d "$OUT" ] && ! cmp -s "$BUILD/pristine.from" "$OUT.from"; then
		rm -rf "$OUT"
	fi
	mkdir -p "$OUT"
	cp "$BUILD/pristine.from" "$OUT.from"
}

kmake() {
	make -C "$TREE" O="$OUT" ARCH="$KARCH" CROSS_COMPILE="$CROSS" \
		CC="ccache ${CROSS}gcc" HOSTCC="ccache gcc" "${variables[@]}" -j"$JOBS" "$@"
}

# expect_steps NUMBER: begin a log, and expect as many as the last time, or so many
expect_steps() {
	expected=$(cat "$BUILD/$FLAVOUR.steps" 2> /dev/null || echo "$1")
	: > "$LOG"
}

# For the next time, of a build from nothing
remember_steps() {
	grep -cE "$STEP" "$LOG" > "$BUILD/$FLAVOUR.steps"
}

# Run "$@" with its output in the log and a line of progress every 10 s.
watched() {
	local seconds=0 objects

	"$@" >> "$LOG" 2>&1 9>&- &
	pid=$!		# not local: the trap may run outside of this function
	trap 'kill $pid 2> /dev/null' EXIT
	while kill -0 $pid 2> /dev/null; do
		sleep 0.5
		seconds=$((seconds + 1))
		[ $((seconds % 20)) = 0 ] || continue
		objects=$(grep -cE "$STEP" "$LOG" || true)
		say "$FLAVOUR: $objects of about $expected steps, $(grep "^  [A-Z]" "$LOG" | tail -n 1 | cut -c1-60)"
	done
	trap - EXIT
	wait $pid || { tail -n 30 "$LOG" >&2; die "building $FLAVOUR failed, see $LOG"; }
}

# minutes NUMBER: what it takes to compile a kernel of this size, from nothing, which
# is so many times a program that the kernel's source has
minutes() {
	local job start sample=$BUILD/pristine/scripts/asn1_compiler.c

	start=$(date +%s%N)
	for ((job = 0; job < JOBS; job++)); do
		gcc -O2 -w -I"$BUILD/pristine/include" -c -o "$BUILD/sample.$job" "$sample" &
	done
	wait
	rm -f "$BUILD"/sample.*
	echo $((($(date +%s%N) - start) * $1 / 60000000000 + 1))
}

# Options that the fragment asks for and Kconfig did not grant. Without those
# that the project is about there is nothing to test.
check_config() {
	local line vital

	[ "$TREE" != "$BUILD/pristine" ] || return 0
	while read -r line; do
		! grep -qx "$line" "$OUT/.config" || continue
		say "$FLAVOUR: $line was asked for, but is not in the configuration"
		case $line in
		CONFIG_QUIC* | CONFIG_CRYPTO*) vital=1 ;;
		esac
	done < <(grep -E '=[ym]$' "$1")
	[ -z "${vital:-}" ] || die "the configuration of $FLAVOUR lacks what is to be tested"
}
