#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the packets of h3_server and h3_client go, and what happens to them on
# the way: a transfer passes as in ngtcp2.sh.
#
#	ngtcp2_paths.sh [PART...]	all parts, or those of the list at the end

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-3000000}
[ "$size" -le 3000000 ] || size=3000000

# Some of the file, not all of it
some_sent()
{
	[ "$(new_packets)" -ge $((size / 1452 / 10)) ]
}

# shrink NAMESPACE DEVICE: the path gets smaller when a transfer is under way.
shrink()
{
	slowwait 60 some_sent
	ip -n "$1" link set "$2" mtu 1300
}

expect_told()
{
	[ "$(cat "$files/server.log" "$files/client.log" |
	     grep -c "smaller packets")" = 1 ] || fault "it is not told once"
}

# Half a second on the wire, for the path to get smaller in time
slow_down()
{
	tc -n "$1" qdisc replace dev "$2" root netem limit 10000 delay 1ms \
		rate $((size * 16)) || fault "no netem"
}

restore()
{
	tc -n "$1" qdisc delete dev "$2" root
	ip -n "$1" link set "$2" mtu 1500
}

smaller()
{
	for to in 192.0.2.1 2001:db8::1; do
		listen h3
		slow_down "$server" quic0
		begin "$server"
		shrink "$server" quic0 &
		get gtls --timeout=10s || fault "the client failed with $?"
		wait $!
		expect_file
		expect_packets "$size"
		expect_peer
		expect_told
		stop_server
		restore "$server" quic0
		report "the path to a client gets smaller, $to"
	done

	to=192.0.2.1
	listen h3 --no-offload
	slow_down "$client" quic1
	begin "$client"
	shrink "$client" quic1 &
	put h3 || fault "the client failed with $?"
	wait $!
	[ "$(cat "$got")" = "$hash" ] || fault "the server got something else"
	expect_packets "$size"
	expect_told
	stop_server
	restore "$client" quic1
	report "the path to the server gets smaller"
}

ktap_print_header
modprobe -q quic
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
patience=${QUIC_PATIENCE:-60}
setup "$size" 1

declare -A parts=(
	[smaller]=3
)
[ $# -gt 0 ] || set -- smaller

plan=0
for part; do
	plan=$((plan + ${parts[$part]}))
done
ktap_set_plan $plan
for part; do
	$part
done

ktap_finished
