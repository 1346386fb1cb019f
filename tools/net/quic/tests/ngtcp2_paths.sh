#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Where the packets of h3_server and h3_client go, and what happens to them on
# the way: a transfer passes as in ngtcp2.sh.
#
#	ngtcp2_paths.sh [PART...]	all parts, or those of the list at the end

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-2000000}
[ "$size" -le 2000000 ] || size=2000000

max_packets=/sys/module/quic/parameters/max_packets_per_key

restore()
{
	echo "$unlimited" > "$max_packets"
	cleanup
}

# Some of the file, not all of it
some_sent()
{
	[ "$(new_packets)" -ge $((size / 1452 / 10)) ]
}

# slow_down NAMESPACE DEVICE: the file would take 4 s, when_under_way takes a
# tenth of that, or a second more on a slow machine.
slow_down()
{
	tc -n "$1" qdisc replace dev "$2" root netem limit 10000 delay 1ms \
		rate $((size * 2)) || fault "no netem"
}

# when_under_way NAMESPACE DEVICE COMMAND...: then the rest is sent quickly.
when_under_way()
{
	slowwait 60 some_sent
	"${@:3}"
	tc -n "$1" qdisc delete dev "$2" root
}

expect_told()
{
	[ "$(cat "$files/server.log" "$files/client.log" |
	     grep -c "smaller packets")" = 1 ] || fault "it is not told once"
}

# shrink NAMESPACE DEVICE: the path gets smaller when a transfer is under way.
shrink()
{
	when_under_way "$1" "$2" ip -n "$1" link set "$2" mtu 1300
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
		ip -n "$server" link set quic0 mtu 1500
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
	ip -n "$client" link set quic1 mtu 1500
	report "the path to the server gets smaller"
}

# Addresses of the server besides those that the route back would choose
more_addresses()
{
	ip -n "$server" address add 192.0.2.9/24 dev quic0 &&
	ip -n "$server" address add 2001:db8::9/64 dev quic0 nodad ||
		fault "no more addresses"
}

link_local()
{
	ip -n "$server" -6 -o address show dev quic0 scope link |
		sed 's/.*inet6 \([^/]*\).*/\1/'
}

# listen_on ADDRESS [OPTION...]: h3_server, which says what it received too
listen_on()
{
	local to=$1
	shift

	listen_telling "$@"
}

# expect_marked FILE: ECN works on all of the path, so ngtcp2 goes on with it.
expect_marked()
{
	[ "$(peer_count "$1" ect0)" -gt 0 ] || fault "$1: no packet had ECN"
}

# The server answers from the address that the client has sent to.
wildcard()
{
	local bound at

	more_addresses
	for bound in 0.0.0.0 ::; do
		at="192.0.2.1 192.0.2.9"
		[ $bound = 0.0.0.0 ] ||
			at+=" 2001:db8::1 2001:db8::9 $(link_local)%quic1"
		listen_on $bound --tclass=0xb8
		for to in $at; do
			begin "$server"
			# gtlsclient has no interface to bind to.
			case $to in
			*%*) get h3 --no-offload-rx ;;
			*) get gtls --timeout=2s ;;
			esac || fault "the client failed with $?"
			expect_file
			expect_kernel "$size"
			expect_peer
			expect_marked peer
			[ "$(peer_count peer dscp)" = 46 ] || fault "no DSCP"
			report "server on $bound, client to ${to/*%*/its link-local address}"
		done
		stop_server
		expect_marked server_peer
		expect_no_flow
		report "server on $bound: ECN received, no flow remains"
	done

	listen_on 0.0.0.0
	to=192.0.2.9
	get gtls --timeout=2s --version=0x1a2a3a4a
	grep -q VERSION_NEGOTIATION "$files/client.log" || fault "not answered"
	stop_server
	report "version negotiation from another address"
	to=192.0.2.1
}

bytes_sent_on()
{
	ip -n "$client" -s -o link show dev "$1" |
		sed 's/.*TX:[^\\]*\\ *\([0-9]*\).*/\1/'
}

# The route goes over another one.
interface()
{
	local before

	ip link add quic2 netns "$server" type veth peer name quic3 \
		netns "$client" &&
	ip -n "$server" link set quic2 up &&
	ip -n "$client" link set quic3 up &&
	ip -n "$client" route add 192.0.2.0/24 dev quic3 metric 1000 ||
		fault "no second link"
	listen h3 --no-offload
	before=$(bytes_sent_on quic3)
	begin "$client"
	put h3 --interface=quic3 || fault "the client failed with $?"
	[ "$(cat "$got")" = "$hash" ] || fault "the server got something else"
	expect_kernel "$size"
	[ $(($(bytes_sent_on quic3) - before)) -ge "$size" ] ||
		fault "$(bytes_sent_on quic3) bytes on the interface"
	stop_server
	report "h3_client on an interface that the route does not take"
	ip -n "$client" link delete quic3
}

limit()
{
	echo "$1" > "$max_packets"
}

# A key is good for so many packets: each is updated before that, or the
# connection ends with the error for it, AEAD_LIMIT_REACHED.
key_limit()
{
	limit 300
	listen h3
	download "a key's limit of 300 packets" gtls
	stop_server
	listen h3 --no-offload
	upload "a key's limit of 300 packets, upload" h3
	stop_server

	limit "$unlimited"
	listen h3
	slow_down "$server" quic0
	begin "$server"
	when_under_way "$server" quic0 limit 100 &
	get gtls --timeout=10s || fault "the client failed with $?"
	wait $!
	# Not expect_peer: the peer has seen a slow path, and for a while is
	# not ready for the next key when the server may use it.
	expect_file
	expect_packets "$size"
	[ "$(stat_of "$server" QuicTxSwError)" -gt "$errors" ] ||
		fault "it was too late"
	stop_server
	report "a key's limit that is lowered below what was used"

	limit 3
	listen h3
	get h3 --no-offload && fault "the client did not fail"
	grep -q "closed by peer: error 0xf" "$files/client.log" ||
		fault "it was not told why"
	stop_server
	expect_no_flow
	report "a key's limit of 3 packets: AEAD_LIMIT_REACHED"
	limit "$unlimited"
}

ktap_print_header
modprobe -q quic
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
# shellcheck disable=SC2034 # ngtcp2_lib.sh reads it
patience=${QUIC_PATIENCE:-60}
unlimited=$(cat "$max_packets")
setup "$size" 1
trap restore EXIT

# shellcheck disable=SC2034 # run_parts reads it
declare -A parts=(
	[smaller]=3 [wildcard]=10 [interface]=1
	[key_limit]=4
)
[ $# -gt 0 ] || set -- smaller wildcard interface key_limit

run_parts "$@"
