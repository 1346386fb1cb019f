#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What ss says of the sockets of a transfer that stands still is what
# /proc/net/quic_stat says of their namespaces; one that knows nothing of QUIC says
# what it says of any socket.
#
# QUIC_SS: ss with iproute2/*.patch, see scripts/iproute2.sh

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=2000000

# wanted NAMESPACE FORMAT: of each number
wanted()
{
	local name counter

	while read -r name counter; do
		# shellcheck disable=SC2059
		printf "$2" "$name" "$(stat_of "$1" "$counter")"
	done <<-END
	tx_flows QuicCurrTxSw
	tx_packets QuicTxSwPackets
	tx_bytes QuicTxSwBytes
	tx_errors QuicTxSwError
	rx_flows QuicCurrRxSw
	rx_packets QuicRxSwPackets
	rx_bytes QuicRxSwBytes
	rx_errors QuicRxSwBadTag
	tx_device QuicTxDevice
	END
}

# see NAMESPACE PROGRAM [OPTION...]: its only UDP socket
see()
{
	local namespace=$1
	shift

	ip netns exec "$namespace" "$@" -Huan 2>&1 || echo "failed with $?"
}

# same WHAT SEEN WANTED
same()
{
	[ "$2" = "$3" ] || fault "$1: '$2', not '$3'"
}

# Both programs have used all that there is to be seen.
under_way()
{
	[ "$(stat_of "$server" QuicTxSwPackets)" -gt 50 ] &&
	[ "$(stat_of "$server" QuicRxSwPackets)" -gt 0 ] &&
	[ "$(stat_of "$client" QuicRxSwPackets)" -gt 50 ] &&
	[ "$(stat_of "$client" QuicRxSwBadTag)" -gt 0 ]
}

stopped()
{
	local stopped

	for stopped; do
		grep -q '^State:.T' "/proc/$stopped/status" || return 1
	done
}

# What was sent is not in a queue any more.
sent()
{
	ip netns exec "$server" awk \
		'NR > 1 && $5 !~ /^00000000:/ { exit 1 }' /proc/net/udp
}

# It stops at its beginning: the whole would take 20 s. The client protects what it
# sends itself: so the two directions differ in flows and errors there, and in packets
# and bytes at the server.
begin_transfer()
{
	listen spoiled checksum --no-gso
	netem delay 1ms corrupt 5% rate 800kbit
	get h3 --no-offload-tx &
	getting=$!
	slowwait 60 under_way || fault "it does not get under way"
	programs="$pid $(pgrep -x h3_client)" || fault "it has ended"
	kill -STOP $programs
	slowwait 10 stopped $programs || fault "it does not stop"
	slowwait 60 sent || fault "the device does not send"
}

end_transfer()
{
	kill -CONT $programs
	no_netem
	wait $getting || fault "the client failed with $?"
	expect_file
	stop_server
	report "the transfer goes on"
}

text()
{
	local side

	for side in server client; do
		same "$side" "$(see "${!side}" "$QUIC_SS" -i | sed -n '2s/^[[:space:]]*//p')" \
			"udp-ulp-quic-crypto$(wanted "${!side}" " %s:%s")"
		same "$side, on a line" \
			"$(see "${!side}" "$QUIC_SS" -Oiem | grep -o ' udp-ulp.*')" \
			" udp-ulp-quic-crypto$(wanted "${!side}" " %s:%s")"
		same "$side, without -i" "$(see "${!side}" "$QUIC_SS" | grep ulp)" ""
	done
	report "text"
}

json()
{
	local side

	if ! command -v jq > /dev/null; then
		ktap_test_skip "JSON: needs jq"
		return
	fi
	for side in server client; do
		same "$side" "$(see "${!side}" "$QUIC_SS" -ji | jq -c '[.[].ulp]')" \
			"[{\"name\":\"quic-crypto\"$(wanted "${!side}" ',"%s":%s')}]"
		same "$side, without -i" \
			"$(see "${!side}" "$QUIC_SS" -j | jq -c '[.[].ulp]')" "[null]"
	done
	same "the socket" "$(see "$server" "$QUIC_SS" -ji | jq -r \
		'.[] | [.netid, .state, .local_addr, .local_port] | join(" ")')" \
		"udp UNCONN $to $port"
	same "objects for all kinds of sockets" \
		"$(ip netns exec "$server" "$QUIC_SS" -aimnpj | jq length)" \
		"$(ip netns exec "$server" "$QUIC_SS" -anHO | wc -l)"
	report "JSON"
}

# With -m ss has always told the ULP's name, which it takes for one of TCP.
distribution()
{
	[[ "$(see "$server" ss)" == *"$to:$port"* ]] || fault "no socket"
	same "with -i" "$(see "$server" ss -i)" "$(see "$server" ss)"
	same "with -ie" "$(see "$server" ss -ie)" "$(see "$server" ss -e)"
	same "with -im" "$(see "$server" ss -im | sed 's/ tcp-ulp-quic-crypto//')" \
		"$(see "$server" ss -m)"
	report "ss of the distribution"
}

plain()
{
	listen plain
	[[ "$(see "$server" "$QUIC_SS")" == *"$to:$port"* ]] || fault "no socket"
	same "with -i" "$(see "$server" "$QUIC_SS" -i)" "$(see "$server" "$QUIC_SS")"
	same "with -im" "$(see "$server" "$QUIC_SS" -im)" \
		"$(see "$server" "$QUIC_SS" -m)"
	stop_server
	report "a socket without ULP"
}

ktap_print_header
modprobe -q quic
[ -x "$QUIC_SS" ] || skip_all "needs QUIC_SS, see scripts/iproute2.sh"
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
setup "$size" 1

ktap_set_plan 5
begin_transfer
text
json
distribution
end_transfer
plain
ktap_finished
