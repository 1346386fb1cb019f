#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows that the kernel protects and opens QUIC packets: a packet whose bytes the
# RFC gives, and files that a QUIC client fetches.  DEMO_MB is the size of a file.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

# As it is for everybody whose kernel has the faster AES: see h3_options.c.
# shellcheck disable=SC2034 # ngtcp2_lib.sh reads it
shortest=--shortest=2
size=${DEMO_MB:-50}
rounds=3
failed=0

# Processor time in hundredths of a second
cpu_of()
{
	value "$1" cpu | sed 's/\([0-9]*\)\.\([0-9][0-9]\).*/\1\2/'
}

# fetch WHO SERVER-OPTION CLIENT-OPTION: a file
fetch()
{
	# shellcheck disable=SC2086 # no option is no argument
	listen h3 $2 && get h3 $3 &&
	[ "$(sha256sum < "$got")" = "$(sha256sum < "$files/htdocs/file")" ] ||
		equal[$1]=DIFFERENT
	stop_server TERM
	protected[$1]=$((${protected[$1]:-0} + $(value server "packets kernel")))
	opened[$1]=$((${opened[$1]:-0} + $(value client "opened by kernel")))
	server_cpu[$1]=$((${server_cpu[$1]:-0} + 10#$(cpu_of server)))
	client_cpu[$1]=$((${client_cpu[$1]:-0} + 10#$(cpu_of client)))
}

# Of hundredths of a second for all rounds
seconds_a_gb()
{
	local hundredths=$(($1 * 1000 / (size * rounds)))

	echo "$((hundredths / 100)).$(printf %02d $((hundredths % 100)))"
}

# row WHO 0|1 0|1: whether the kernel is to have protected, and opened
row()
{
	printf "   %-12s %10s %10s %10s %11s %8s\n" "$1" "${protected[$1]}" \
		"${opened[$1]}" "${equal[$1]:-equal}" \
		"$(seconds_a_gb "${server_cpu[$1]}")" \
		"$(seconds_a_gb "${client_cpu[$1]}")"
	[ -z "${equal[$1]}" ] && [ $((protected[$1] > 0)) = "$2" ] &&
		[ $((opened[$1] > 0)) = "$3" ] || failed=1
}

# counter NAMESPACE NAME GROWTH
counter()
{
	local was=${before[$1 $2]} now

	now=$(stat_of "${!1}" "$2")
	printf "   %-8s %-18s %8s %8s\n" "$1" "$2" "$was" "$now"
	[ "$now" = $((was + $3)) ] || failed=1
}

echo "1. RFC 9001 appendix A.5: one packet, ChaCha20-Poly1305"
"$dir/quic_demo" || exit 1

modprobe -q quic
setup "${size}MB" 1
# Whoever comes first pays for memory that was never used.
listen h3 --no-offload && get h3 --no-offload
stop_server TERM
declare -A before protected opened equal server_cpu client_cpu
for side in server client; do
	while read -r name value; do
		before[$side $name]=$value
	done < <(ip netns exec "${!side}" cat /proc/net/quic_stat)
done

echo
echo "2. HTTP/3 over veth, AES-128-GCM: h3_server and h3_client (tools/net/quic), on"
echo "   Debian's ngtcp2 and GnuTLS. Who uses the offload leaves its packets to the"
echo "   kernel, to be protected and opened; the others have GnuTLS."
echo "   A file of $size MB, $rounds times each, in turns"
printf "   %-12s %10s %10s %10s %11s %8s\n" \
	"the offload" "server's" "client's" "SHA-256" "CPU seconds" "a GB" \
	"is used by" "protected" "opened" "" "server" "client"
for ((i = 0; i < rounds; i++)); do
	fetch both "" ""
	fetch server "" --no-offload
	fetch client --no-offload ""
	fetch neither --no-offload --no-offload
done
row both 1 1
row server 1 0
row client 0 1
row neither 0 0

# Who looks at the server's packets without any of this
peer=equal
listen h3 && get gtls &&
[ "$(sha256sum < "$got")" = "$(sha256sum < "$files/htdocs/file")" ] ||
	peer=DIFFERENT failed=1
stop_server TERM
protected[gtls]=$(value server "packets kernel")
[ "${protected[gtls]}" -gt 0 ] || failed=1
echo
echo "   Debian's gtlsclient, from the server that uses it: ${protected[gtls]}"
echo "   packets protected by the kernel, SHA-256 $peer"

echo
echo "3. /proc/net/quic_stat of both"
printf "   %-8s %-18s %8s %8s\n" "" counter before after
counter server QuicCurrTxSw 0
counter server QuicTxSw $((2 * rounds + 1))	# a flow each
counter server QuicTxSwError 0
counter server QuicTxSwPackets \
	$((protected[both] + protected[server] + protected[gtls]))
counter client QuicCurrRxSw 0
counter client QuicRxSw $((2 * rounds))
counter client QuicRxSwBadTag 0
counter client QuicRxSwPackets $((opened[both] + opened[client]))

if [ "$failed" = 0 ]; then
	echo "Everything is equal."
else
	echo "Something DIFFERS."
fi
exit "$failed"
