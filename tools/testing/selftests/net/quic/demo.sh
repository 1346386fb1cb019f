#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows that the kernel protects QUIC packets: a packet whose bytes the RFC
# gives, and a file that has to arrive whole.  DEMO_MB is the size of the file.

dir=$(dirname "$(readlink -f "$0")")
source "$dir/../lib.sh"

demo=$dir/quic_demo
size=${DEMO_MB:-100}
files=$(mktemp -d)
failed=0

cleanup()
{
	umount "$files"
	rmdir "$files"
	cleanup_all_ns
}

stat_of()
{
	ip netns exec "$tx" awk -v name="$1" '$1 == name { print $2 }' \
		/proc/net/quic_stat
}

mount -t tmpfs quic-demo "$files" || exit 1
trap cleanup EXIT

echo "1. RFC 9001 appendix A.5: one packet, ChaCha20-Poly1305"
"$demo" vector || exit 1

setup_ns tx rx || exit 1
ip link add quic0 netns "$tx" type veth peer name quic1 netns "$rx" &&
ip -n "$tx" address add 192.0.2.1/24 dev quic0 &&
ip -n "$rx" address add 192.0.2.2/24 dev quic1 &&
ip -n "$tx" address add 2001:db8::1/64 dev quic0 nodad &&
ip -n "$rx" address add 2001:db8::2/64 dev quic1 nodad &&
ip -n "$tx" link set quic0 up &&
ip -n "$rx" link set quic1 up || exit 1
head -c "${size}MB" /dev/urandom > "$files/file" || exit 1

counters="QuicCurrTxSw QuicTxSw QuicTxSwError"
declare -A before
for counter in $counters; do
	before[$counter]=$(stat_of "$counter")
done

echo
echo "2. A file of $size MB as GSO trains of 44 packets over veth; the receiver"
echo "   removes protection with libcrypto and compares SHA-256"
printf "   %-18s %-5s %8s %9s   %s\n" cipher IP packets MB/s hash
for cipher in AES-128-GCM AES-256-GCM AES-128-CCM ChaCha20-Poly1305; do
	for to in 192.0.2.2 2001:db8::2; do
		ip netns exec "$tx" "$demo" send "$files/file" "$cipher" \
			"$to" "$rx" || failed=1
	done
done
where="this machine"
grep -q "User Mode Linux" /proc/cpuinfo && where="User Mode Linux on one machine"
echo "   MB/s: file bytes by time spent in sendmsg(), which delivers over veth as"
echo "   well; $where, the receiver working beside it."

echo
echo "3. /proc/net/quic_stat of the sender"
printf "   %-18s %8s %8s\n" counter before after
declare -A expected=(
	[QuicCurrTxSw]=${before[QuicCurrTxSw]}
	[QuicTxSw]=$((before[QuicTxSw] + 8))	# one flow for each transfer
	[QuicTxSwError]=${before[QuicTxSwError]}
)
for counter in $counters; do
	after=$(stat_of "$counter")
	printf "   %-18s %8s %8s\n" "$counter" "${before[$counter]}" "$after"
	[ "$after" = "${expected[$counter]}" ] || failed=1
done

if [ "$failed" = 0 ]; then
	echo "Everything is equal."
else
	echo "Something DIFFERS."
fi
exit "$failed"
