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

# Scripts call one another: the clock and the lock belong to the outermost.
export NETQUIC_START=${NETQUIC_START:-$(date +%s)}
export BUILD

# What a git hook or the make that called us set is not for the private
# repositories and the kernel's make below $BUILD.
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE MAKEFLAGS MFLAGS MAKEOVERRIDES MAKELEVEL

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
		*) PATH=$PATH:/usr/sbin:/sbin command -v "$what" > /dev/null ;;
		esac || missing+=("${item#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	local install=(apt-get install -y -q --no-install-recommends "${missing[@]}")

	command -v apt-get > /dev/null ||
		die "missing, and this is not a Debian: ${missing[*]}"
	[ "$(id -u)" = 0 ] || die "missing packages; run as root: ${install[*]}"
	say "Installing ${missing[*]}"
	if ! DEBIAN_FRONTEND=noninteractive "${install[@]}" > "$BUILD/apt.log" 2>&1; then
		say "Updating the package lists first"
		apt-get update -q >> "$BUILD/apt.log" 2>&1 || true
		DEBIAN_FRONTEND=noninteractive "${install[@]}" >> "$BUILD/apt.log" 2>&1 ||
			{ tail -n 15 "$BUILD/apt.log" >&2; die "apt-get could not install them"; }
	fi
}

# Two of these scripts must not write below $BUILD at the same time.
lock() {
	[ -z "${NETQUIC_LOCKED:-}" ] || return 0
	exec 9> "$BUILD/.lock"
	flock -n 9 || { say "Waiting for another build here"; flock 9; }
	export NETQUIC_LOCKED=1
}

# flavour NAME: set FLAVOUR, and TREE, the directory its kernel is built from:
# um alone has the test-only um-speed.diff, so it has a tree of its own. um-pristine
# is a kernel without the series, to see what programs do there.
flavour() {
	FLAVOUR=$1
	case $FLAVOUR in
	um) TREE=$BUILD/linux-um ;;
	um-debug) TREE=$BUILD/linux ;;
	um-pristine) TREE=$BUILD/pristine ;;
	*) die "unknown flavour '$FLAVOUR' (there are um, um-debug and um-pristine)" ;;
	esac
	export FLAVOUR TREE
}

# Compile and install the selftests for $FLAVOUR: into build/FLAVOUR/selftests,
# with the kernel's own runner, run_kselftest.sh.
install_selftests() {
	local log=$BUILD/$FLAVOUR.selftests.log headers=$BUILD/$FLAVOUR

	# The 32-bit headers are for the layout of the user API, a C++ compiler
	# for the library, the last ones for real QUIC transfers.
	need_packages gcc:gcc g++:g++ make:make rsync:rsync pkg-config:pkg-config \
		/usr/include/openssl/evp.h:libssl-dev openssl:openssl \
		/usr/include/x86_64-linux-gnu/gnu/stubs-32.h:libc6-dev-i386 \
		/usr/include/gnutls/gnutls.h:libgnutls28-dev \
		/usr/include/ngtcp2/ngtcp2.h:libngtcp2-dev \
		/usr/include/ngtcp2/ngtcp2_crypto_gnutls.h:libngtcp2-crypto-gnutls-dev \
		/usr/include/nghttp3/nghttp3.h:libnghttp3-dev \
		gtlsserver:ngtcp2-server gtlsclient:ngtcp2-client tc:iproute2
	say "Compiling the selftests"
	# A kernel without the series has not its user API.
	if [ "$FLAVOUR" = um-pristine ]; then
		headers=$BUILD/$FLAVOUR.headers
		make -s -C "$BUILD/linux" O="$headers" ARCH=um headers > "$log" 2>&1 ||
			{ tail -n 30 "$log" >&2; die "no user API headers, see $log"; }
	fi
	make -s --no-print-directory -C "$BUILD/linux/tools/testing/selftests" \
		TARGETS=net/quic FORCE_TARGETS=1 O="$BUILD/$FLAVOUR" \
		KHDR_INCLUDES="-isystem $headers/usr/include" \
		KSFT_INSTALL_PATH="$BUILD/$FLAVOUR/selftests" install > "$log" 2>&1 ||
		{ tail -n 30 "$log" >&2; die "the selftests do not compile, see $log"; }
}
