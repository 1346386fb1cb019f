#!/bin/bash
# Build the kernel of a flavour into build/FLAVOUR/, getting and assembling
# what is missing first. Modules land in build/FLAVOUR/modroot, the make output in
# build/FLAVOUR.log.
#
#   scripts/build.sh FLAVOUR

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

flavour "${1:-um}"
[ "$OUT" = "$BUILD/$FLAVOUR" ] || flavour "${OUT##*/}"
LOG=$BUILD/$FLAVOUR.log

# What um-gcov instruments: make expands it for each object. It has no meaning
# without CONFIG_GCOV_KERNEL.
# shellcheck disable=SC2016
GCOV_PROFILE='$(if $(filter net/quic/%.o net/ipv4/udp_ulp.o,$@),y)'

variables=()
[ "$MACHINE" != s390x ] ||
	variables+=("CFLAGS_csum-partial.o=-include $ROOT/scripts/flavours/s390x-checksum.h")
# The same for KASAN and UBSAN, with "n" for all others.
for name in ${SUSPECTS:+KASAN UBSAN}; do
	variables+=("${name}_SANITIZE=\$(if \$(filter $SUSPECTS,\$@),,n)")
done

kmake() {
	make -C "$TREE" O="$OUT" ARCH="$KARCH" CROSS_COMPILE="$CROSS" \
		CC="ccache ${CROSS}gcc" HOSTCC="ccache gcc" \
		GCOV_PROFILE="$GCOV_PROFILE" "${variables[@]}" -j"$JOBS" "$@"
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
		objects=$(grep -cE '^  (CC|AS|AR|LD|HOSTCC|HOSTLD|GEN)' "$LOG" || true)
		say "$FLAVOUR: $objects of about $expected steps, $(grep "^  [A-Z]" "$LOG" | tail -n 1 | cut -c1-60)"
	done
	trap - EXIT
	wait $pid || { tail -n 30 "$LOG" >&2; die "building $FLAVOUR failed, see $LOG"; }
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

# Only when the fragment or a Kconfig file is newer than the configuration.
configure() {
	local new=$OUT.config.new

	# shellcheck disable=SC2086
	fragments $FRAGMENTS > "$new"
	if cmp -s "$new" "$OUT.config" && [ -e "$OUT/.config" ] &&
		[ -z "$(find "$TREE" -name 'Kconfig*' -newer "$OUT.config" -print -quit)" ]; then
		rm "$new"
		return
	fi
	watched kmake allnoconfig KCONFIG_ALLCONFIG="$new"
	check_config "$new"
	mv "$new" "$OUT.config"
}

# What it takes to compile a kernel of this size, from nothing: so many times a
# program that the kernel's source has.
minutes() {
	local job start sample=$BUILD/pristine/scripts/asn1_compiler.c

	start=$(date +%s%N)
	for ((job = 0; job < JOBS; job++)); do
		gcc -O2 -w -I"$BUILD/pristine/include" -c -o "$BUILD/sample.$job" "$sample" &
	done
	wait
	rm -f "$BUILD"/sample.*
	echo $((($(date +%s%N) - start) * 900 / 60000000000 + 1))
}

lock
if [ "$FLAVOUR" = um-distro ]; then
	need_packages linux.uml:user-mode-linux
	mkdir -p "$OUT/modroot/lib"
	ln -sfn /usr/lib/uml/modules "$OUT/modroot/lib/modules"
	ln -sfn "$(command -v linux.uml)" "$OUT/$IMAGE"
	say "Using $OUT/$IMAGE, a package of this Debian"
	exit
fi
need_packages gcc:gcc /usr/include/stdio.h:libc6-dev make:make flex:flex \
	bison:bison bc:bc perl:perl rsync:rsync ccache:ccache kmod:kmod git:git
case $MACHINE in
# objtool reads what the compiler has made.
x86_64) need_packages /usr/include/libelf.h:libelf-dev ;;
esac
[ -z "$CROSS" ] || need_packages "${CROSS}gcc:gcc-${CROSS%-}"
[ -n "${NETQUIC_ASSEMBLED:-}" ] || "$ROOT/scripts/assemble.sh"

# Objects of another kernel may be newer than the sources of this one.
if [ -d "$OUT" ] && ! cmp -s "$BUILD/pristine.from" "$OUT.from"; then
	rm -rf "$OUT"
fi
mkdir -p "$OUT"
cp "$BUILD/pristine.from" "$OUT.from"

# Same bytes wherever and whenever it is built, so that ccache finds them. What a
# file includes it learns from the compiler: preprocessing each before took a sixth
# of the time.
export CCACHE_BASEDIR=$BUILD CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970'
export KBUILD_BUILD_USER=net-quic KBUILD_BUILD_HOST=build KBUILD_BUILD_VERSION=1

expected=$(cat "$BUILD/$FLAVOUR.steps" 2> /dev/null || echo 1400)
fresh=
[ -e "$OUT/$IMAGE" ] || fresh=1
: > "$LOG"
say "Building $FLAVOUR${fresh:+: about $(minutes) minutes here, if ccache has none of it}"
configure
watched kmake "${IMAGE##*/}" modules
rm -rf "$OUT/modroot"
watched kmake modules_install INSTALL_MOD_PATH="$OUT/modroot"
[ -z "$fresh" ] || grep -cE '^  (CC|AS|AR|LD|HOSTCC|HOSTLD|GEN)' "$LOG" > "$BUILD/$FLAVOUR.steps"
say "Built $OUT/$IMAGE"
