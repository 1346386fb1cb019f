#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A QUIC library (ngtcp2) that gets its 1-RTT packets opened by the kernel, from
# peers that know nothing of it and from such that use the offload themselves. A
# transfer passes if the bytes are equal, the kernel has opened the packets without
# an error, and ngtcp2 took each for the one that it was.
#
#	ngtcp2_receive.sh [PART...]	all parts, or those of the list at the end
#
# QUIC_FILE_SIZE: bytes of a transfer.  QUIC_CHROOT: a Debian 13 with curl.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-20000000}
# There are many transfers: where a file is small for time's sake it is smaller here.
[ "$size" -ge 10000000 ] || size=500000
small=$((size / 50))
ciphers="AES-128-GCM AES-256-GCM CHACHA20-POLY1305 AES-128-CCM"
addresses="192.0.2.1 2001:db8::1"
max_packets=/sys/module/quic/parameters/max_packets_per_key
max_failures=/sys/module/quic/parameters/max_failures_per_key

# Where a client has two: not every packet can be opened by the kernel.
two_paths=

# expect_opened BYTES: by the kernel, in which nothing but that happened
expect_opened()
{
	[ "$(grown QuicRxSwPackets)" -ge $(($1 / 1452)) ] ||
		fault "the kernel opened $(grown QuicRxSwPackets) packets"
	[ -n "$two_paths" ] || [ "$(grown QuicRxSwBadTag)" = 0 ] ||
		fault "$(grown QuicRxSwBadTag) packets were not authentic"
	[ "$(grown QuicRxSwLimit)" = 0 ] || fault "a limit was reached"
}

# expect_agreed SIDE: the program there has taken what the kernel opened for what
# the kernel said it was, and could open the rest.
expect_agreed()
{
	grep -Eq 'failed[= ]0,? disagreed[= ]0\b' "$files/$1.log" ||
		fault "$(grep -o 'failed.*disagreed[= ][0-9]*' "$files/$1.log")"
}

# expect_seen SIDE: and has got all of it, but the last, which came when it was about
# to end.
expect_seen()
{
	local opened unseen

	opened=$(sed -n 's/.*opened by kernel[= ]\([0-9]*\).*/\1/p' \
		"$files/$1.log")
	unseen=$(($(grown QuicRxSwPackets) - ${opened:-0}))
	if [ $unseen -lt 0 ] || [ $unseen -gt 64 ]; then
		fault "the program has seen ${opened:-no} opened packets"
	fi
}

expect_no_rx_flow()
{
	[ "$(stat_of "$receiver" QuicCurrRxSw)" = 0 ] || fault "flows remain"
}

# down NAME CLIENT [OPTION...]: the client receives through the kernel.
down()
{
	local name=$1
	shift

	receive_in "$client"
	get "$@" || fault "the client failed with $?"
	expect_file
	expect_opened "$size"
	expect_agreed client
	expect_seen client
	expect_no_rx_flow
	report "$name"
}

# up NAME CLIENT [OPTION...]: h3_server does.
up()
{
	local name=$1
	shift

	receive_in "$server"
	put "$@" || fault "the client failed with $?"
	[ "$(cat "$got")" = "$hash" ] || fault "the server got something else"
	expect_opened "$size"
	report "$name"
}

# server_agreed NAME: it says so when it ends.
server_agreed()
{
	stop_server
	expect_agreed server
	expect_no_rx_flow
	report "$1"
}

# Each cipher and family
downloads()
{
	local cipher

	for to in $addresses; do
		listen h3 --no-offload
		for cipher in $ciphers; do
			down "h3_client, $cipher, $to" h3 --cipher="$cipher"
		done
		down "gtlsclient, preloaded, $to" preloaded
		stop_server
	done
	to=192.0.2.1

	listen h3 --no-offload
	down "h3_client without GRO" h3 --no-gro
	down "h3_client without connection ID" h3 --empty-cid
	down "gtlsclient, preloaded, without connection ID" preloaded --scid=
	down "gtlsclient, preloaded, long connection ID" preloaded \
		--scid=0102030405060708090a0b0c0d0e0f1011121314
	if have_chroot; then
		receive_in "$client"
		get preloaded_curl || fault "curl failed with $?"
		expect_file
		expect_opened "$size"
		expect_no_rx_flow
		report "curl, preloaded"
	else
		ktap_test_skip "curl, preloaded: no QUIC_CHROOT"
	fi
	stop_server

	listen plain
	down "h3_client from gtlsserver" h3
	down "gtlsclient, preloaded, from gtlsserver" preloaded
	stop_server
}

uploads()
{
	local cipher

	for to in $addresses; do
		listen h3
		for cipher in $ciphers; do
			up "upload to h3_server, $cipher, $to" h3 --no-offload \
				--cipher="$cipher"
		done
		server_agreed "upload to h3_server, $to: agreed"
	done
	to=192.0.2.1

	# It answers with a page of its own, and a signal ends it silently.
	listen gtls
	receive_in "$server"
	QUIC_OFFLOAD=0 put gtls
	[ -e "$got" ] || fault "there was no response"
	expect_opened "$size"
	stop_server
	expect_no_rx_flow
	report "upload to gtlsserver, preloaded"
}

both()
{
	listen h3
	receive_in "$server"
	down "both offloaded, h3_client" h3
	down "both offloaded, gtlsclient" preloaded
	up "both offloaded, upload by h3_client" h3
	stop_server
	listen gtls
	down "both offloaded, gtlsserver and gtlsclient" preloaded
	stop_server
}

restore()
{
	echo "$unlimited" > "$max_packets"
	echo "$unfailing" > "$max_failures"
	cleanup
}

# expect_updates NAME FILE: there was one at least, by what peer.so says in FILE, and
# the kernel had each key before its packets came.
expect_updates()
{
	[ "$(peer_count "$2" later_key)" -gt 0 ] || fault "no key was updated"
	[ "$(grown QuicRxSwNoKey)" = 0 ] ||
		fault "$(grown QuicRxSwNoKey) packets before their key"
	report "$1: keys were there in time"
}

# expect_most SIDE: updated so often that ngtcp2 does not always have the next key
# when the peer uses it, the kernel has opened what it could.
expect_most()
{
	[ "$(grown QuicRxSwPackets)" -ge $((size / 1452 / 2)) ] ||
		fault "the kernel opened $(grown QuicRxSwPackets) packets"
	[ "$(value "$1" disagreed)" = 0 ] ||
		fault "$(value "$1" disagreed) packets were others"
	expect_seen "$1"
	expect_no_rx_flow
}

key_updates()
{
	slowly
	listen h3 --no-offload --key-update=50
	down "key updates of the server" h3
	expect_updates "key updates of the server" peer
	down "key updates of the server, gtlsclient" preloaded
	stop_server
	listen_telling
	up "key updates of the client" h3 --no-offload --key-update=50
	server_agreed "key updates of the client: agreed"
	expect_updates "key updates of the client" server_peer
	at_full_speed

	# From half of the limit on: every 100 packets
	echo 200 > "$max_packets"
	listen h3
	receive_in "$client"
	get h3 || fault "the client failed with $?"
	expect_file
	expect_most client
	report "key updates of the server every 100 packets"
	stop_server
	listen h3
	receive_in "$server"
	put h3 || fault "the client failed with $?"
	[ "$(cat "$got")" = "$hash" ] || fault "the server got something else"
	stop_server
	expect_most server
	report "key updates of the client every 100 packets"
	echo "$unlimited" > "$max_packets"

	# A key comes late: the library opens what came before it.
	slowly
	listen h3 --no-offload --key-update=50
	receive_in "$client"
	get spoiled late || fault "the client failed with $?"
	expect_file
	expect_agreed client
	[ "$(grown QuicRxSwNoKey)" -gt 0 ] || fault "no key came late"
	[ "$(grown QuicRxSwPackets)" -gt 0 ] || fault "nothing was opened"
	expect_no_rx_flow
	report "a key that comes late"
	stop_server
	at_full_speed
}

# expect_rx_moved: there was a flow for another connection ID, or socket.
expect_rx_moved()
{
	[ "$(grown QuicRxSw)" -ge 2 ] || fault "it had $(grown QuicRxSw) flow"
	report "$1: another flow"
}

migration()
{
	slowly
	listen h3 --no-offload
	# The server probes the old path as well. What comes there, with a short
	# number, when more than 128 packets have come by the other is taken for
	# another packet (RFC 9000 appendix A.3), and left to ngtcp2.
	two_paths=yes
	down "migration of h3_client" h3 --rebind=50
	expect_rx_moved "migration of h3_client"
	down "migration of gtlsclient" preloaded --change-local-addr=50ms
	two_paths=
	stop_server

	listen h3
	up "migration, seen by h3_server" h3 --no-offload --rebind=50
	expect_rx_moved "migration, seen by h3_server"
	server_agreed "migration, seen by h3_server: agreed"
	# The connection ID is the same, and so is the flow.
	listen h3
	begin "$client"
	up "NAT rebinding, seen by h3_server" gtls \
		--change-local-addr=50ms --nat-rebinding
	[ "$(new_flows)" -ge 2 ] || fault "the client has not moved"
	[ "$(grown QuicRxSw)" = 1 ] || fault "$(grown QuicRxSw) flows"
	server_agreed "NAT rebinding, seen by h3_server: one flow"
	at_full_speed
}

# impaired NAME NETEM-OPTION...
impaired()
{
	local name=$1
	shift

	netem "$@"
	receive_in "$client"
	get h3 || fault "the client failed with $?"
	expect_file
	[ "$(grown QuicRxSwPackets)" -ge $((size / 1452)) ] ||
		fault "the kernel opened $(grown QuicRxSwPackets) packets"
	[ "$(value client disagreed)" = 0 ] ||
		fault "$(value client disagreed) packets were others"
	expect_no_rx_flow
	no_netem
}

impairments()
{
	local gso

	for gso in "" --no-gso; do
		listen h3 --no-offload $gso
		impaired "loss" delay 1ms loss 1%
		report "1% loss $gso"
		impaired "loss" delay 1ms loss 5%
		report "5% loss $gso"
		impaired "duplication" delay 1ms duplicate 5%
		expect_agreed client
		report "5% duplication $gso"
		impaired "reordering" delay 5ms 1ms reorder 10% 50%
		report "reordering $gso"
		stop_server
	done

	# What is damaged has to be received for it.
	listen spoiled checksum --no-offload --no-gso
	impaired "corruption" delay 1ms corrupt 5%
	[ "$(grown QuicRxSwBadTag)" -gt 0 ] || fault "nothing was damaged"
	report "5% corruption"
	stop_server
}

# connections COUNT [OPTION]: at once
connections()
{
	local count=$1
	shift

	receive_in "$client"
	rm -f "$files"/got/*
	in_client timeout "$patience" "$dir/h3_client" $shortest "$@" \
		--connections="$count" --output="$files/got" \
		"$to" $port /small > "$files/client.log" 2>&1 ||
		fault "the client failed with $?"
	expect_small "$count"
	expect_opened $((count * small))
	expect_agreed client
	[ "$(grown QuicRxSw)" -ge "$count" ] ||
		fault "there were $(grown QuicRxSw) flows"
	expect_no_rx_flow
	report "$count connections $*"
}

many_connections()
{
	listen h3
	connections 10
	connections 100 --one-socket
	stop_server
}

enough_opened()
{
	[ "$(grown QuicRxSwPackets)" -ge 200 ]
}

killed()
{
	listen h3 --no-offload
	netem delay 5ms rate 1mbit limit 100
	receive_in "$client"
	get h3 &
	slowwait 20 enough_opened || fault "nothing was opened"
	[ "$(stat_of "$client" QuicCurrRxSw)" -gt 0 ] || fault "no flow"
	pkill -KILL -x h3_client
	wait $!
	expect_no_rx_flow
	! cmp -s "$files/htdocs/file" "$got" || fault "it was too late"
	no_netem
	stop_server KILL
	report "h3_client killed: no flow remains"
}

# A bit is wrong in what the kernel is told: nothing is taken for authentic.
spoiled()
{
	local what

	listen h3 --no-offload
	for what in rx_key rx_iv rx_header_key; do
		receive_in "$client"
		get spoiled $what || fault "the client failed with $?"
		expect_file
		# One mask in 8192 is right for a packet's flags and number.
		[ "$(grown QuicRxSwPackets)" -le 9 ] ||
			fault "the kernel opened $(grown QuicRxSwPackets) packets"
		[ "$(grown QuicRxSwBadTag)" -gt 0 ] || fault "it was not noticed"
		report "noticed: a wrong bit in $what"
	done
	# Or in what it tells: nothing is delivered.
	for what in rx_number rx_generation; do
		receive_in "$client"
		patience=3 get spoiled $what && fault "the client did not fail"
		! cmp -s "$files/htdocs/file" "$got" || fault "the file is equal"
		[ "$(stat -c %s "$got")" -lt "$size" ] || fault "it is complete"
		[ "$(grown QuicRxSwPackets)" -gt 0 ] || fault "nothing was opened"
		report "noticed: a wrong bit in $what"
	done
	stop_server KILL
}

# After so many failures a key opens nothing more: AEAD_LIMIT_REACHED
limit()
{
	echo 20 > "$max_failures"
	listen h3 --no-offload
	receive_in "$client"
	get spoiled rx_key && fault "the client did not fail"
	grep -q "connection failed: ERR_AEAD_LIMIT_REACHED" "$files/client.log" ||
		fault "it does not say why"
	[ "$(grown QuicRxSwLimit)" -gt 0 ] || fault "the limit was not reached"
	expect_no_rx_flow
	stop_server
	report "a limit of 20 failures for a key"
	echo "$unfailing" > "$max_failures"
}

ktap_print_header
modprobe -q quic
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
unlimited=$(cat "$max_packets")
unfailing=$(cat "$max_failures")
setup "$size" "$small"
trap restore EXIT

# shellcheck disable=SC2034 # run_parts reads it
declare -A parts=(
	[downloads]=17 [uploads]=11 [both]=4 [key_updates]=9 [migration]=8
	[impairments]=9 [many_connections]=2 [killed]=1 [spoiled]=5 [limit]=1
)
[ $# -gt 0 ] || set -- downloads uploads both key_updates migration impairments \
	many_connections killed spoiled limit

run_parts "$@"
