#!/bin/bash
# Build ss with iproute2/*.patch, which show what the kernel does for QUIC on a UDP
# socket, from the newest iproute2 of Debian that can be had: build/iproute2/ss. Does
# nothing if nothing has changed. Fails, saying why, where it cannot be had.
#
#   scripts/iproute2.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/series-lib.sh"

# What the patches were made for: of a later Debian, but it builds on 12.
VERSION=7.2.0-1
POOL=pool/main/i/iproute2
HASH=4c2fa124c2cf0afd7ca34d1eeacba6ba048a56f6374e2aab93dafbdbd4eea9c0
DIR=$BUILD/iproute2
SRC=$DIR/src
LOG=$BUILD/iproute2.log
APT=$DIR/apt
HEADER=$ROOT/include/uapi/linux/quic.h

# fetch DIRECTORY FILE HASH: from the archive, unless an earlier clone did; set
# ARCHIVE. The hash is all that is trusted.
fetch() {
	ARCHIVE=$CACHE/$2
	if [ -f "$ARCHIVE" ] && echo "$3  $ARCHIVE" | sha256sum --status -c; then
		return
	fi
	[ -n "${mirror:-}" ] || need_mirror
	mkdir -p "$CACHE"
	/usr/lib/apt/apt-helper -o APT::Sandbox::User=root download-file \
		"$mirror/$1/$2" "$ARCHIVE.$$" "SHA256:$3" >> "$LOG" 2>&1 || return 1
	mv "$ARCHIVE.$$" "$ARCHIVE"
}

# What upstream has released, of the newest package that is there; set VERSION.
# Debian's own changes are none to ss.
newest() {
	local version directory hash file

	configure_apt deb-src sid forky
	while read -r version directory hash file; do
		if fetch "$directory" "$file" "$hash"; then
			VERSION=$version
			return
		fi
	done < <(private_apt apt-cache showsrc iproute2 | awk '
		/^[^ ]/ { list = $1 }
		/^Version:/ { version = $2 }
		/^Directory:/ { directory = $2 }
		list == "Checksums-Sha256:" && $3 ~ /\.orig\.tar\.xz$/ { hash = $1; file = $3 }
		/^$/ && hash { print version, directory, hash, file; hash = "" }' | sort -rV)
	die "no source of iproute2 can be had"
}

build() {
	say "Building ss of iproute2 $VERSION (a few seconds)"
	rm -rf "$SRC"
	mkdir "$SRC"
	tar -xJf "$ARCHIVE" -C "$SRC" --strip-components=1
	logged "git init failed" sgit "$SRC" init -q
	logged "git add failed" sgit "$SRC" add -A
	logged "git commit failed" sgit "$SRC" commit -q -m "iproute2 $VERSION"
	logged "the patches do not apply" sgit "$SRC" am "${PATCHES[@]}"
	# iproute2 has copies of the kernel's, brought up to date with each version.
	cp "$HEADER" "$SRC/include/uapi/linux"
	(cd "$SRC" && logged "configure failed" ./configure)
	logged "ss does not build" make -C "$SRC" -j"$JOBS" SUBDIRS="lib misc" TARGETS=ss
	# A guest may still run the old one.
	mv "$SRC/misc/ss" "$DIR/ss"
}

need_packages gcc:gcc /usr/include/stdio.h:libc6-dev make:make bison:bison git:git \
	xz:xz-utils pkg-config:pkg-config
lock
mkdir -p "$DIR"
mapfile -t PATCHES < <(find "$ROOT/iproute2" -name '*.patch' | sort)
# What it is made from, this script among it
from=$(cat "${PATCHES[@]}" "$HEADER" "$0" | sha256sum)
[ "$from" != "$(cat "$DIR/from" 2> /dev/null)" ] || exit 0
: > "$LOG"
rm -f "$DIR/from"
fetch $POOL "iproute2_${VERSION%-*}.orig.tar.xz" $HASH || {
	say "There is no iproute2 $VERSION: looking for what is there"
	newest
}
build
echo "$from" > "$DIR/from"
say "$DIR/ss"
