#!/bin/bash
# Compile what the series touches in configurations and for machines other than those of
# the flavours. Any warning is an error.
#
#   scripts/configs.sh                  CONFIGS="no-ipv6 arm64" scripts/configs.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/objects-lib.sh"

CONFIGS=${CONFIGS:-no-ipv6 no-proc no-sysctl no-modules no-memcg no-netns no-tracing
	no-devices builtin
	i386 x86_64 arm64 s390x riscv64}

# configuration NAME: set arch, CROSS, and lines of the configuration
configuration() {
	arch=um CROSS='' lines=(CONFIG_QUIC=m)
	case $1 in
	no-ipv6) lines+=("# CONFIG_IPV6 is not set") ;;
	no-proc) lines+=("# CONFIG_PROC_FS is not set") ;;
	no-sysctl) lines+=("# CONFIG_SYSCTL is not set" "# CONFIG_PROC_SYSCTL is not set") ;;
	no-modules) lines=(CONFIG_QUIC=y "# CONFIG_MODULES is not set") ;;
	no-memcg) lines+=("# CONFIG_MEMCG is not set") ;;
	no-netns) lines+=("# CONFIG_NET_NS is not set") ;;
	no-tracing) lines+=("# CONFIG_FTRACE is not set") ;;
	no-devices) lines+=("# CONFIG_QUIC_DEV is not set") ;;
	builtin) lines=(CONFIG_QUIC=y) ;;
	i386) arch=i386 lines+=("# CONFIG_64BIT is not set" CONFIG_CRYPTO_AES_NI_INTEL=y) ;;
	x86_64) arch=x86_64 lines+=(CONFIG_CRYPTO_AES_NI_INTEL=y) ;;
	arm64) arch=arm64 CROSS=aarch64-linux-gnu- ;;
	s390x) arch=s390 CROSS=s390x-linux-gnu- lines+=(CONFIG_MARCH_Z13=y) ;;
	riscv64) arch=riscv CROSS=riscv64-linux-gnu- ;;
	*) die "unknown configuration '$1'" ;;
	esac
}

lock
need_packages gcc:gcc make:make flex:flex bison:bison bc:bc perl:perl ccache:ccache \
	rsync:rsync git:git /usr/include/libelf.h:libelf-dev
[ -n "${NETQUIC_ASSEMBLED:-}" ] || "$ROOT/scripts/assemble.sh"
checkout_objects "$(sgit "$REPO" rev-parse series)"
log=$BUILD/configs.log
: > "$log"
for name in $CONFIGS; do
	configuration "$name"
	[ -z "$CROSS" ] || need_packages "${CROSS}gcc:gcc-${CROSS%-}"
	out=$BUILD/objects.$arch
	configure_objects "$out" "$arch" "${lines[@]}"
	for line in "${lines[@]}"; do
		case $line in
		CONFIG_QUIC=*) grep -qx "$line" "$out/.config" ;;
		'# CONFIG_'*) ! grep -q "^${line:2:-11}=" "$out/.config" ;;
		esac || die "$name: $line was not granted"
	done
	mapfile -t objects < <(edited_objects | case $name in
		no-ipv6) grep -v '^net/ipv6/' ;;
		*) cat ;;
		esac | case $name in
		i386 | x86_64) cat ;;
		*) grep -v '^arch/x86/' ;;
		esac)
	mapfile -t -O "${#objects[@]}" objects < <(new_objects | case $name in
		no-devices) grep -v '^drivers/' ;;
		*) cat ;;
		esac)
	objects_make "$out" "$arch" KCFLAGS=-Werror "${objects[@]}" \
		>> "$log" 2>&1 ||
		{ tail -n 30 "$log" >&2; die "$name does not compile"; }
	say "compiles: $name"
done
