# shellcheck shell=bash
# Shared by every script here: paths, progress lines, packages, one lock.
#
#   . "$(dirname "${BASH_SOURCE[0]}")/common.sh"
#
# Everything generated lies below $BUILD (default: build/ of the clone).

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
JOBS=${JOBS:-$(nproc)}
FLAVOURS_KNOWN='um, um-debug, um-generic, um-distro, um-kasan, um-gcov, um-pristine, x86_64, x86_64-debug, x86_64-kcsan, x86_64-pristine, x86_64-off, s390x, arm64'

# Targets of the kernel's selftests: each is a collection for its runner.
COLLECTIONS=(net/quic net/quic/more net/quic/tools net/quic/torture)

# Scripts call one another: the clock and the lock belong to the outermost.
export NETQUIC_START=${NETQUIC_START:-$(date +%s)}
export BUILD

# What a git hook or the make that called us set is not for the private
# repositories and the kernel's make below $BUILD.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

# Not there after a plain "su"; chroot, debootstrap and dpkg want it.
PATH=$PATH:/usr/sbin:/sbin

say() {
	printf '[%4ds] %s\n' $(($(date +%s) - NETQUIC_START)) "$*" >&2
}

die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

case $BUILD in
/*[[:space:]]*) die "the kernel's build cannot live below a path with spaces: $BUILD" ;;
/*) mkdir -p "$BUILD" ;;
*) die "BUILD must be an absolute path, not $BUILD" ;;
esac

# need_packages what:package...   what is a command or an absolute path
need_packages() {
	local item what missing=()

	for item; do
		what=${item%%:*}
		case $what in
		/*) [ -e "$what" ] ;;
		*) command -v "$what" > /dev/null ;;
		esac || missing+=("${item#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	local install=(apt-get install -y -q --no-install-recommends "${missing[@]}")

	command -v apt-get > /dev/null ||
		die "missing, and this is not a Debian: ${missing[*]}"
	[ "$(id -u)" = 0 ] || die "missing packages; run as root: ${install[*]}"
	say "Installing ${missing[*]}"
	# Not two at a time.
	(
		flock 8
		export DEBIAN_FRONTEND=noninteractive
		"${install[@]}" > "$BUILD/apt.log" 2>&1 && exit
		say "Updating the package lists first"
		apt-get update -q >> "$BUILD/apt.log" 2>&1 || true
		"${install[@]}" >> "$BUILD/apt.log" 2>&1 ||
			{ tail -n 15 "$BUILD/apt.log" >&2; die "apt-get could not install them"; }
	) 8> "$BUILD/.apt.lock"
}

# Two of these scripts must not write below $BUILD at the same time.
lock() {
	[ -z "${NETQUIC_LOCKED:-}" ] || return 0
	exec 9> "$BUILD/.lock"
	flock -n 9 || { say "Waiting for another build here"; flock 9; }
	export NETQUIC_LOCKED=1
}

# flavour NAME: set FLAVOUR, and
#   TREE       the directory its kernel is built from
#   OUT        where to
#   FRAGMENTS  the files of scripts/flavours/ that make its configuration
#   MACHINE    um, or the machine that QEMU is
#   KARCH      ARCH of the kernel's make; CROSS is its CROSS_COMPILE
#   IMAGE      what is booted
#   OBJECTS    of the selftests of this machine, and its user API
#   SELFTESTS  where they are installed
#   GUEST_ROOT the guest's files: the host's, or a system for that machine
#   PATIENCE   seconds for all selftests, with those that take long on top
#   SUSPECTS   the objects that KASAN and UBSAN instrument, where it is not all
#   OPTIONS    words for the kernel's command line
# um and um-debug have the test-only um-speed.diff, so there is a tree for them.
# um-generic is um-debug's kernel, booted so that it takes generic ciphers. um-distro
# is Debian's own kernel for User Mode Linux, which has no QUIC: to see what programs do
# there. um-gcov is um-kasan without KASAN that counts which lines run. um-pristine and
# x86_64-pristine are kernels without the series, for benchmarks.
# shellcheck disable=SC2034 # the other scripts read them
flavour() {
	FLAVOUR=$1
	TREE=$BUILD/linux
	OUT=$BUILD/$FLAVOUR
	MACHINE=${FLAVOUR%%-*}
	KARCH=$MACHINE
	CROSS=
	GUEST_ROOT=/
	SUSPECTS=
	OPTIONS=
	case $FLAVOUR in
	um) FRAGMENTS="common um" ;;
	um-debug) FRAGMENTS="common um debug um-debug" ;;
	um-generic) OUT=$BUILD/um-debug OPTIONS=nocpuflags ;;
	um-distro) FRAGMENTS= ;;
	um-kasan) FRAGMENTS="common um debug um-debug um-kasan" ;;
	um-gcov) FRAGMENTS="common um debug um-debug um-kasan um-gcov" ;;
	um-pristine) FRAGMENTS="common um" TREE=$BUILD/pristine ;;
	x86_64) FRAGMENTS="common qemu x86_64" ;;
	x86_64-debug) FRAGMENTS="common qemu x86_64 debug x86_64-debug" ;;
	x86_64-pristine) FRAGMENTS="common qemu x86_64" TREE=$BUILD/pristine ;;
	x86_64-off) FRAGMENTS="common qemu x86_64 off" ;;
	x86_64-kcsan) FRAGMENTS="common qemu x86_64 x86_64-kcsan" ;;
	s390x) FRAGMENTS="common qemu foreign s390x" ;;
	arm64) FRAGMENTS="common qemu foreign arm64" ;;
	*) die "unknown flavour '$FLAVOUR' (there are $FLAVOURS_KNOWN)" ;;
	esac
	case $FLAVOUR in
	um | um-debug) TREE=$BUILD/linux-um ;;
	esac
	case $FLAVOUR in
	um-debug)
		SUSPECTS="net/quic/% net/ipv4/udp_ulp.o net/ipv4/udp.o net/ipv6/udp.o"
		SUSPECTS+=" net/core/skbuff.o net/ipv4/ip_output.o net/ipv6/ip6_output.o"
		SUSPECTS+=" kernel/ucount.o crypto/% arch/x86/crypto/% lib/crypto/% drivers/net/netdevsim/quic.o"
		;;
	esac
	PATIENCE=21600
	case $MACHINE in
	um)
		IMAGE=vmlinux
		[ "$FLAVOUR" != um-distro ] || IMAGE=linux.uml
		PATIENCE=3600
		;;
	x86_64) IMAGE=arch/x86/boot/bzImage ;;
	s390x)
		KARCH=s390
		CROSS=s390x-linux-gnu-
		IMAGE=arch/s390/boot/bzImage
		;;
	arm64)
		CROSS=aarch64-linux-gnu-
		IMAGE=arch/arm64/boot/Image
		;;
	esac
	[ -z "$CROSS" ] || GUEST_ROOT=$BUILD/$FLAVOUR-root
	OBJECTS=$BUILD/$MACHINE.objects
	SELFTESTS=$BUILD/$MACHINE.selftests
	export FLAVOUR TREE
}

# fragments NAME...: those files of scripts/flavours as one. A later one overrules an
# earlier one.
fragments() {
	local name files=()

	for name; do
		files+=("$ROOT/scripts/flavours/$name.config")
	done
	awk 'match($0, /CONFIG_[A-Za-z0-9_]+/) {
			name = substr($0, RSTART, RLENGTH)
			if (/^# CONFIG_.* is not set/ || /^CONFIG_/) {
				if (!(name in line)) order[++n] = name
				line[name] = $0
			}
		}
		END { for (i = 1; i <= n; i++) print line[order[i]] }' \
		"${files[@]}"
}

# What the selftests are compiled with: sets environment and compiler, for make.
selftest_compiler() {
	local root=$GUEST_ROOT triplet=${CROSS%-}

	# A C++ compiler for the library, the last ones for real QUIC transfers
	need_packages gcc:gcc g++:g++ make:make rsync:rsync pkg-config:pkg-config \
		/usr/include/openssl/evp.h:libssl-dev openssl:openssl \
		/usr/include/gnutls/gnutls.h:libgnutls28-dev \
		/usr/include/ngtcp2/ngtcp2.h:libngtcp2-dev \
		/usr/include/ngtcp2/ngtcp2_crypto_gnutls.h:libngtcp2-crypto-gnutls-dev \
		/usr/include/nghttp3/nghttp3.h:libnghttp3-dev \
		gtlsserver:ngtcp2-server gtlsclient:ngtcp2-client tc:iproute2
	environment=() compiler=()
	[ "$MACHINE" = um ] || compiler=(USERCFLAGS="-iquote $ROOT/scripts/slow")
	if [ -n "$CROSS" ]; then
		need_packages "${CROSS}g++:g++-$triplet"
		"$ROOT/scripts/foreign-root.sh" "$FLAVOUR"
		compiler+=(CROSS_COMPILE="$CROSS" CC="${CROSS}gcc --sysroot=$root"
			CXX="${CROSS}g++ --sysroot=$root")
		environment=(PKG_CONFIG_SYSROOT_DIR="$root"
			PKG_CONFIG_LIBDIR="$root/usr/lib/$triplet/pkgconfig")
	else
		# For programs of 32 bits, and the layout of the user API there
		need_packages /usr/include/x86_64-linux-gnu/gnu/stubs-32.h:libc6-dev-i386 \
			"$(dirname "$(gcc -print-libgcc-file-name)")/32/libgcc.a:lib32gcc-$(gcc -dumpversion)-dev"
	fi
}

# The user API of $MACHINE as programs include it, into $OBJECTS/usr/include
uapi_headers() {
	local log=$BUILD/$MACHINE.headers.log

	make -s -C "$BUILD/linux" O="$OBJECTS" ARCH="$KARCH" headers > "$log" 2>&1 ||
		{ tail -n 30 "$log" >&2; die "no user API headers, see $log"; }
}

# Compile and install the selftests for $MACHINE, into $SELFTESTS, with the kernel's
# own runner, run_kselftest.sh.
install_selftests() {
	local log=$BUILD/$MACHINE.selftests.log environment compiler

	selftest_compiler
	say "Compiling the selftests"
	uapi_headers
	env "${environment[@]}" \
		make -s --no-print-directory -j"$JOBS" -C "$BUILD/linux/tools/testing/selftests" \
		TARGETS="${COLLECTIONS[*]}" FORCE_TARGETS=1 O="$OBJECTS" \
		KHDR_INCLUDES="-isystem $OBJECTS/usr/include" \
		KSFT_INSTALL_PATH="$SELFTESTS" \
		"${compiler[@]}" install > "$log" 2>&1 ||
		{ tail -n 30 "$log" >&2; die "the selftests do not compile, see $log"; }
}
