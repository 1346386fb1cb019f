#!/bin/bash
# Unpack a small Debian for another machine into build/FLAVOUR-root/: what the
# selftests are linked against, and the files of the guest. Nothing of it is run
# here, so what Debian's installation scripts would have set up and tests need is
# done by hand. Does nothing if it is there.
#
#   scripts/foreign-root.sh s390x

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"

lock
flavour "$1"
[ ! -d "$GUEST_ROOT" ] || exit 0

need_packages dpkg-deb:dpkg
# The same release as the cross compiler, whose C library it gets.
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
packages=bash,perl,procps,iproute2,kmod,openssl,libssl-dev,libgnutls28-dev
packages+=,libngtcp2-dev,libngtcp2-crypto-gnutls-dev,libnghttp3-dev
packages+=,ngtcp2-server,ngtcp2-client,libstdc++-12-dev

say "Debian $suite for $FLAVOUR (about two minutes)"
new=$GUEST_ROOT.new
debootstrap_new "$new" "$suite" "$GUEST_ROOT.log" --foreign --arch="$MACHINE" \
	--include="$packages"

# debootstrap has unpacked the required packages only.
for deb in "$new"/var/cache/apt/archives/*.deb; do
	dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$new"
done
rm -rf "$new"/var/cache/apt/archives
cp "$new/usr/share/base-passwd/passwd.master" "$new/etc/passwd"
cp "$new/usr/share/base-passwd/group.master" "$new/etc/group"
ln -sf mawk "$new/usr/bin/awk"
rm -f "$new/proc"
mkdir "$new/proc" "$new/mnt"

mv "$new" "$GUEST_ROOT"
