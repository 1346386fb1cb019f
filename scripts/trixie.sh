#!/bin/bash
# Put a small Debian 13 into build/trixie/, for programs that are too old in
# Debian 12: curl with HTTP/3, built on ngtcp2. Does nothing if it is there.
# Fails, saying why, where it cannot be had; tests that want it then skip.
#
#   scripts/trixie.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"

SUITE=trixie
CHROOT=$BUILD/$SUITE

lock
[ ! -x "$CHROOT/usr/bin/curl" ] || exit 0

say "Debian $SUITE for curl with HTTP/3 (about a minute)"
rm -rf "$CHROOT"
debootstrap_new "$CHROOT.new" "$SUITE" "$BUILD/$SUITE.log"
cat > "$CHROOT.new/etc/apt/sources.list.d/backports.sources" <<-END
	Types: deb
	URIs: $mirror
	Suites: $SUITE-backports
	Components: main
	Signed-By: $KEYRING
END
# What apt asks on the way out is this machine's business as well.
cp /etc/resolv.conf "$CHROOT.new/etc/"
{
	DEBIAN_FRONTEND=noninteractive chroot "$CHROOT.new" apt-get update -q &&
	DEBIAN_FRONTEND=noninteractive chroot "$CHROOT.new" apt-get install -y -q \
		--no-install-recommends -t "$SUITE-backports" curl &&
	chroot "$CHROOT.new" apt-get clean
} >> "$BUILD/$SUITE.log" 2>&1 ||
	{ tail -n 5 "$BUILD/$SUITE.log" >&2; die "no curl from $SUITE-backports, see $BUILD/$SUITE.log"; }
mv "$CHROOT.new" "$CHROOT"
say "$CHROOT has $(chroot "$CHROOT" curl --version | awk '{ print $1, $2; exit }')"
