#!/bin/bash
# Build the kernel of a flavour into build/FLAVOUR/, getting and assembling
# what is missing first. Modules land in build/FLAVOUR/modroot, the make output in
# build/FLAVOUR.log.
#
#   scripts/build.sh FLAVOUR

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/build-lib.sh"

flavour "${1:-um}"
[ "$OUT" = "$BUILD/$FLAVOUR" ] || flavour "${OUT##*/}"
LOG=$BUILD/$FLAVOUR.log

# What um-gcov instruments: make expands it for each object. It has no meaning
# without CONFIG_GCOV_KERNEL.
# shellcheck disable=SC2016
variables+=('GCOV_PROFILE=$(if $(filter net/quic/%.o net/ipv4/udp_ulp.o,$@),y)')
[ "$MACHINE" != s390x ] ||
	variables+=("CFLAGS_csum-partial.o=-include $ROOT/scripts/flavours/s390x-checksum.h")
# The same for KASAN and UBSAN, with "n" for all others.
for name in ${SUSPECTS:+KASAN UBSAN}; do
	variables+=("${name}_SANITIZE=\$(if \$(filter $SUSPECTS,\$@),,n)")
done

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

lock
if [ "$FLAVOUR" = um-distro ]; then
	need_packages linux.uml:user-mode-linux
	mkdir -p "$OUT/modroot/lib"
	ln -sfn /usr/lib/uml/modules "$OUT/modroot/lib/modules"
	ln -sfn "$(command -v linux.uml)" "$OUT/$IMAGE"
	say "Using $OUT/$IMAGE, a package of this Debian"
	exit
fi
need_compiler
[ -n "${NETQUIC_ASSEMBLED:-}" ] || "$ROOT/scripts/assemble.sh"
make_output

fresh=
[ -e "$OUT/$IMAGE" ] || fresh=1
case $MACHINE in
um) expect_steps 1600 ;;
*) expect_steps 2100 ;;
esac
say "Building $FLAVOUR${fresh:+: about $(minutes 900) minutes here, if ccache has none of it}"
configure
watched kmake "${IMAGE##*/}" modules
rm -rf "$OUT/modroot"
watched kmake modules_install INSTALL_MOD_PATH="$OUT/modroot"
[ -z "$fresh" ] || remember_steps
say "Built $OUT/$IMAGE"
