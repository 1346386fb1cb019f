#!/bin/bash
# Build Debian 13's nginx with the offload into build/nginx/: its source, with
# tools/net/quic/nginx/, on that Debian's OpenSSL. It is built, and runs, in a small
# Debian 13 of its own, build/trixie-nginx/. Does nothing if nothing has changed.
# Fails, saying why, where it cannot be had.
#
#   scripts/nginx.sh                 build/nginx/nginx
#   scripts/nginx.sh unmodified      and build/nginx/nginx-unmodified, to compare
#
# NGINX_OPTIONS="--with-debug" for configure

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"

SUITE=trixie
VERSION=1.26.3-3+deb13u9
DSC_HASH=ede21ae86c60e8be4112f871d319724d19c0f1b3b1840aa9abbcce4c1a7244b9
CHROOT=$BUILD/$SUITE-nginx
LOG=$BUILD/nginx.log
QUIC=$ROOT/tools/net/quic
OURS=("$QUIC"/nginx/* "$QUIC"/quic_offload*.[ch] "$ROOT/include/uapi/linux/quic.h")
OPTIONS=(--with-http_v3_module --without-pcre --without-http_rewrite_module
	--without-http_gzip_module --with-http_dav_module --with-cc-opt="-O2 -g")

in_chroot() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$CHROOT${new:-}" "$@"
}

# get_source MIRROR: what the patch was made for. Hashes are all that is trusted.
get_source() {
	local pool=$1/pool/main/n/nginx dsc=nginx_$VERSION.dsc

	# shellcheck disable=SC2016
	in_chroot sh -ec 'pool=$1 dsc=$2 hash=$3
		cd /usr/src
		get() { /usr/lib/apt/apt-helper download-file "$pool/$(echo "$1" |
			sed s/+/%2b/g)" "$1" "SHA256:$2"; }
		get "$dsc" "$hash"
		sed -n "/^Checksums-Sha256/,/^[^ C]/s/^ //p" "$dsc" > files
		while read -r hash size file; do get "$file" "$hash"; done < files
		dpkg-source -x "$dsc" nginx' sh "$pool" "$dsc" "$DSC_HASH"
}

get_chroot() {
	local mirror new=.new

	[ ! -e "$CHROOT/usr/src/nginx.version" ] || return 0
	say "Debian $SUITE with a compiler and OpenSSL for nginx (about 2 minutes)"
	rm -rf "$CHROOT"
	debootstrap_new "$CHROOT.new" "$SUITE" "$LOG" \
		--include=gcc,libc6-dev,make,libssl-dev,dpkg-dev
	cat > "$CHROOT.new/etc/apt/sources.list.d/source.sources" <<-END
		Types: deb-src
		URIs: $mirror
		Suites: $SUITE
		Components: main
		Signed-By: $KEYRING
	END
	cp /etc/resolv.conf "$CHROOT.new/etc/"
	say "The source of its nginx"
	# An archive may have its index, but not yet, or no more, all that is in there.
	get_source "$mirror" >> "$LOG" 2>&1 || {
		say "There is no $VERSION: what is there instead"
		logged "no source of nginx" in_chroot sh -c "apt-get update -q &&
			cd /usr/src && rm -rf nginx* && apt-get source -q nginx &&
			mv nginx-*/ nginx"
	}
	in_chroot dpkg-parsechangelog -l /usr/src/nginx/debian/changelog -S Version \
		> "$CHROOT.new/usr/src/nginx.version"
	logged "apt-get clean failed" in_chroot apt-get clean
	mv "$CHROOT.new" "$CHROOT"
}

# build NAME: the source in /usr/src/NAME
build() {
	local name=$1

	say "Building $name $(cat "$CHROOT/usr/src/nginx.version") (a minute or two)"
	# shellcheck disable=SC2016
	logged "$name does not build" in_chroot sh -c 'name=$1 jobs=$2; shift 2
		cd "/usr/src/$name" && ./configure --prefix=/mnt "$@" &&
		make -j"$jobs"' sh "$name" "$JOBS" "${OPTIONS[@]}"
	mkdir -p "$BUILD/nginx"
	# A guest may still run the old one.
	cp "$CHROOT/usr/src/$name/objs/nginx" "$BUILD/nginx/$name.new"
	mv "$BUILD/nginx/$name.new" "$BUILD/nginx/$name"
}

lock
: > "$LOG"
get_chroot
src=$CHROOT/usr/src
read -ra more <<< "${NGINX_OPTIONS:-}"
OPTIONS+=("${more[@]}")
if [ "${1:-}" = unmodified ] && [ ! -e "$BUILD/nginx/nginx-unmodified" ]; then
	rm -rf "$src/nginx-unmodified"
	cp -a "$src/nginx" "$src/nginx-unmodified"
	build nginx-unmodified
fi

# What it is made from, this script among it
from=$(cat "${OURS[@]}" "$0" "$src/nginx.version" - <<< "${OPTIONS[*]}" | sha256sum)
[ "$from" != "$(cat "$BUILD/nginx/from" 2> /dev/null)" ] || exit 0
need_packages patch:patch
rm -rf "$src/nginx-offload" "$src/offload" "$BUILD/nginx/from"
cp -a "$src/nginx" "$src/nginx-offload"
logged "the patch does not apply" patch -d "$src/nginx-offload" -p1 --no-backup-if-mismatch \
	-i "$QUIC/nginx/nginx-quic-offload.patch"
cp "$QUIC"/nginx/*.[ch] "$src/nginx-offload/src/event/quic"
# The library as nginx links it
mkdir -p "$src/offload/linux"
cp "$QUIC"/quic_offload*.[ch] "$src/offload"
cp "$ROOT/include/uapi/linux/quic.h" "$src/offload/linux"
logged "the library does not compile" in_chroot sh -ec 'cd /usr/src/offload
	gcc -std=gnu11 -Wall -O2 -g -isystem . -c quic_offload*.c
	ar rc libquic_offload.a *.o'
OPTIONS+=(--with-cc-opt="-O2 -g -I/usr/src/offload"
	--with-ld-opt=/usr/src/offload/libquic_offload.a)
build nginx-offload
mv "$BUILD/nginx/nginx-offload" "$BUILD/nginx/nginx"
echo "$from" > "$BUILD/nginx/from"
say "$BUILD/nginx/nginx"
