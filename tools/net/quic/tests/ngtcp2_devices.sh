#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Downloads from h3_server by gtlsclient where the server's device protects the packets:
# two netdevsim devices over two namespaces, and whatever can happen to the first. A
# transfer passes as in ngtcp2.sh, and no packet of it may have been dropped.
#
#	ngtcp2_devices.sh [PART...]	all parts, or those of the list at the end

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-20000000}
[ "$size" -le 20000000 ] || size=20000000
near=$((70000 + $$ % 10000 * 2))
far=$((near + 1))
device=/sys/kernel/debug/netdevsim/netdevsim$near/ports/0/quic
bus=/sys/bus/netdevsim

remove_devices()
{
	cleanup_netdevsim $near
	cleanup_netdevsim $far
	cleanup
}

# add_device ID NAMESPACE NAME
add_device()
{
	local devices=$bus/devices/netdevsim$1/net

	ip netns exec "$2" sh -c "echo $1 1 > $bus/new_device" &&
	ip -n "$2" link set "$(ip netns exec "$2" ls "$devices")" name "$3" up
}

# Beside the veth pair; the addresses of both are for the same hosts, the route decides.
add_devices()
{
	trap remove_devices EXIT
	add_device $near "$server" quic2 && add_device $far "$client" quic3 || exit 1
	[ -d $device ] || skip_all "needs CONFIG_QUIC_DEV"
	ip -n "$server" address add 192.0.2.1/32 dev quic2 &&
	ip -n "$client" address add 192.0.2.2/32 dev quic3 || exit 1
	exec 10< "/var/run/netns/$server" 11< "/var/run/netns/$client"
	echo "10:$(index "$server" quic2) 11:$(index "$client" quic3)" \
		> $bus/link_device || exit 1
	exec 10<&- 11<&-
	by_device || exit 1
}

index()
{
	ip netns exec "$1" cat "/sys/class/net/$2/ifindex"
}

# Which way the server's packets go
by_device()
{
	ip -n "$server" route replace 192.0.2.2/32 dev quic2 src 192.0.2.1 &&
	ip -n "$client" route replace 192.0.2.1/32 dev quic3 src 192.0.2.2
}

by_veth()
{
	ip -n "$server" route replace 192.0.2.2/32 dev quic0 src 192.0.2.1
}

of_device()
{
	cat "$device/$1"
}

# Counters of the server's namespace since count_from_here
declare -A counted
count_from_here()
{
	local name

	for name in QuicTxSwPackets QuicTxDevice QuicTxDeviceFallback QuicTxDeviceDrop; do
		counted[$name]=$(stat_of "$server" $name)
	done
	counted[packets]=$(of_device packets)
	counted[drops]=$(of_device drops)
}

since()
{
	echo $(($(stat_of "$server" "$1") - counted[$1]))
}

# expect_device SHARE: of all packets the device has protected at least so many per
# cent, what went to it was protected, and none was dropped.
expect_device()
{
	local by_device all

	all=$(since QuicTxSwPackets)
	by_device=$(since QuicTxDevice)
	[ $((by_device * 100)) -ge $((all * $1)) ] ||
		fault "the device protected $by_device of $all packets"
	[ "$(since QuicTxDeviceDrop)" = 0 ] ||
		fault "$(since QuicTxDeviceDrop) packets were dropped"
	[ "$by_device" = \
	  $(($(of_device packets) + $(of_device drops) - counted[packets] - counted[drops])) ] ||
		fault "the device saw other packets"
}

# Nothing is left on the device when its socket is gone.
device_is_empty()
{
	[ "$(of_device keys)" = 0 ] && [ "$(of_device adds)" = "$(of_device dels)" ]
}

expect_empty()
{
	slowwait 20 device_is_empty ||
		fault "$(of_device keys) keys are left, $(of_device adds) added, $(of_device dels) deleted"
	[ "$(stat_of "$server" QuicCurrTxDevice)" = 0 ] || fault "keys are counted"
}

# by_the_way COMMAND...: again and again while there is progress, until the file that
# is made is gone
by_the_way()
{
	local last now

	last=$(stat_of "$server" QuicTxSwPackets)
	while [ -e "$files/under_way" ]; do
		now=$(stat_of "$server" QuicTxSwPackets)
		if [ "$now" -ge $((last + size / 1452 / 12)) ]; then
			"$@" || return
			last=$now
		fi
		sleep 0.01
	done
}

# transfer NAME SHARE COMMAND...: what happens to it by the way
transfer()
{
	local name=$1 share=$2

	begin "$server"
	count_from_here
	: > "$files/under_way"
	by_the_way "${@:3}" &
	get gtls || fault "the client failed with $?"
	rm "$files/under_way"
	wait $! || fault "what was to happen did not"
	expect_file
	expect_kernel "$size"
	expect_peer
	expect_device "$share"
	report "$name"
}

plain()
{
	local segments cipher

	for segments in off on; do
		ip netns exec "$server" ethtool -K quic2 tx-udp-segmentation $segments ||
			fault "no ethtool"
		listen h3
		for cipher in AES-128-GCM AES-256-GCM CHACHA20-POLY1305; do
			count_from_here
			begin "$server"
			get gtls --ciphers="$(only_cipher $cipher)" ||
				fault "the client failed with $?"
			expect_file
			expect_kernel "$size"
			expect_peer
			expect_device 90
			report "$cipher, device segments: $segments"
		done
		stop_server
		expect_empty
		report "no key remains, device segments: $segments"
	done

	listen h3
	count_from_here
	download "a cipher that the device has not" gtls \
		--ciphers="$(only_cipher AES-128-CCM)"
	[ "$(since QuicTxDevice)" = 0 ] || fault "the device took it"
	report "the device did not take it"
	stop_server
}

# Packets by the veth pair since there is one
by_veth_so_far()
{
	ip netns exec "$server" cat /sys/class/net/quic0/statistics/tx_packets
}

# more_by_veth THAN: or there is nothing more to send
more_by_veth()
{
	[ ! -e "$files/under_way" ] || [ "$(by_veth_so_far)" -ge $(($1 + 20)) ]
}

to_and_fro()
{
	local before

	before=$(by_veth_so_far)
	by_veth && slowwait 10 more_by_veth "$before" && by_device
}

changes()
{
	slowly_by_device
	listen h3
	transfer "the route moves to a veth and back" 1 to_and_fro
	transfer "the device is reset" 10 reset_device
	stop_server

	echo 50 > $device/add_delay_ms
	listen h3
	transfer "adds take 50 ms" 50 true
	stop_server
	echo 0 > $device/add_delay_ms

	listen h3 --key-update=100
	transfer "key updates every 100 packets" 10 true
	stop_server
	at_full_speed_by_device
	expect_empty
	report "no key remains after changes"
}

reset_device()
{
	echo 1 > $device/reset
}

slowly_by_device()
{
	tc -n "$server" qdisc replace dev quic2 root netem limit 10000 \
		rate $((size * 8))bit || fault "no netem"
}

at_full_speed_by_device()
{
	tc -n "$server" qdisc delete dev quic2 root
}

refusals()
{
	echo 0 > $device/max_keys
	listen h3
	count_from_here
	download "the key table is full" gtls
	[ "$(since QuicTxDevice)" = 0 ] || fault "the device took it"
	report "the device had no room"
	stop_server
	echo 65536 > $device/max_keys

	echo 1 > $device/conn_id_lengths
	listen h3
	count_from_here
	download "a connection ID that does not fit" gtls
	[ "$(since QuicTxDevice)" = 0 ] || fault "the device took it"
	report "the device did not take the connection ID"
	stop_server
	echo $((0x1fffff)) > $device/conn_id_lengths
}

ktap_print_header
modprobe -q quic
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
[ -d $bus ] || modprobe -q netdevsim
[ -d $bus ] || skip_all "needs CONFIG_NETDEVSIM"
need_programs ethtool tc
setup "$size" "$size"
add_devices

# shellcheck disable=SC2034 # run_parts reads it
declare -A parts=([plain]=10 [changes]=5 [refusals]=4)
[ $# -gt 0 ] || set -- plain changes refusals

run_parts "$@"
