#!/bin/bash
# What systemd runs in the guest of deb-try.sh, whose disk has the packages and the
# selftests; never run on the host. Says what kernel it is, and makes transfers.

set -o pipefail

fail() {
	echo "failed: $*"
	exit 1
}

echo "$(uname -sr) on $(. /etc/os-release && echo "$PRETTY_NAME"), root on $(findmnt -no SOURCE,FSTYPE /)"
modprobe quic || fail "modprobe quic"
module=$(modinfo -F filename quic)
package=$(dpkg -S "$module") || fail "$module is of no package"
echo "$module is of ${package%%:*} $(dpkg-query -W -f '${Version}' "${package%%:*}")"
grep -q '^quic ' /proc/modules || fail "quic is not loaded"
# A write to a slow terminal is cut short by each child that ends, and made twice.
"$(dirname "$0")/selftests/net/quic/tools/demo.sh" 2>&1 | cat || fail "demo.sh"
echo equal
