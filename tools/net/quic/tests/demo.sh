#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows that the kernel protects QUIC packets: a packet whose bytes the RFC
# gives, and files that a QUIC client fetches.  DEMO_MB is the size of a file.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${DEMO_MB:-100}
rounds=3
counters="QuicCurrTxSw QuicTxSw QuicTxSwError QuicTxSwPackets"
failed=0

# Processor time of the server, in hundredths of a second, from what it says
# when it ends
server_cpu()
{
	sed -n 's/.* cpu=\([0-9]*\)\.\([0-9][0-9]\).*/\1\2/p' "$files/server.log"
}

protected_by_kernel()
{
	sed -n 's/.* kernel=\([0-9]*\) .*/\1/p' "$files/server.log"
}

# fetch [OPTION]: a file from h3_server
fetch()
{
	local option=${1:-offload}

	listen h3 "$@" && get gtls &&
	[ "$(sha256sum < "$got")" = "$(sha256sum < "$files/htdocs/file")" ] ||
		equal[$option]=DIFFERENT
	stop_server
	cpu[$option]=$((${cpu[$option]:-0} + 10#$(server_cpu)))
	packets[$option]=$((${packets[$option]:-0} + $(protected_by_kernel)))
}

# row TEXT OPTION 0|1: whether the kernel is to have protected packets
row()
{
	local hundredths=$((cpu[$2] * 1000 / (size * rounds)))

	printf "   %-22s %17s %10s %14s\n" "$1" "${packets[$2]}" \
		"${equal[$2]:-equal}" \
		"$((hundredths / 100)).$(printf %02d $((hundredths % 100)))"
	[ -z "${equal[$2]}" ] && [ $((packets[$2] > 0)) = "$3" ] || failed=1
}

echo "1. RFC 9001 appendix A.5: one packet, ChaCha20-Poly1305"
"$dir/quic_demo" || exit 1

modprobe -q quic
setup "${size}MB" 1
declare -A before cpu packets equal
for counter in $counters; do
	before[$counter]=$(stat_of "$server" "$counter")
done

echo
echo "2. HTTP/3 over veth, AES-128-GCM: the client is Debian's gtlsclient, unmodified;"
echo "   the server is h3_server (tools/net/quic), on Debian's ngtcp2 and GnuTLS."
echo "   A file of $size MB, $rounds times with the offload and without, in turns"
printf "   %-22s %17s %10s %14s\n" "server's packets are" "packets protected" \
	SHA-256 "CPU seconds"
printf "   %-22s %17s %10s %14s\n" "protected by" "by the kernel" "" \
	"a GB, server"
for ((i = 0; i < rounds; i++)); do
	fetch
	fetch --no-offload
done
row "the kernel" offload 1
row "GnuTLS (--no-offload)" --no-offload 0

echo
echo "3. /proc/net/quic_stat of the server"
printf "   %-18s %8s %8s\n" counter before after
declare -A expected=(
	[QuicCurrTxSw]=${before[QuicCurrTxSw]}
	[QuicTxSw]=$((before[QuicTxSw] + rounds))	# a flow each
	[QuicTxSwError]=${before[QuicTxSwError]}
	[QuicTxSwPackets]=$((before[QuicTxSwPackets] + packets[offload]))
)
for counter in $counters; do
	after=$(stat_of "$server" "$counter")
	printf "   %-18s %8s %8s\n" "$counter" "${before[$counter]}" "$after"
	[ "$after" = "${expected[$counter]}" ] || failed=1
done

if [ "$failed" = 0 ]; then
	echo "Everything is equal."
else
	echo "Something DIFFERS."
fi
exit "$failed"
