#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# A QUIC library (ngtcp2) that leaves its 1-RTT packets to the kernel, with
# peers that know nothing of it: gtlsclient, curl, Chromium. A transfer passes
# if the bytes are equal, the kernel has protected the packets without an error,
# and the peer could open every one.
#
#	ngtcp2.sh [PART...]	all parts, or those of the list at the end
#
# QUIC_FILE_SIZE: bytes of a transfer.  QUIC_CHROOT: a Debian 13 with curl.
# QUIC_SLOW: why a browser would take too long on this machine.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-50000000}
small=$((size / 50))
ciphers="AES-128-GCM AES-256-GCM CHACHA20-POLY1305 AES-128-CCM"
addresses="192.0.2.1 2001:db8::1"

# Each cipher and family
ciphers_from()
{
	local kind=$1 name=$2 cipher

	for to in $addresses; do
		listen "$kind"
		for cipher in $ciphers; do
			download "$name, $cipher, $to" gtls \
				--ciphers="$(only_cipher "$cipher")"
		done
		stop_server
		expect_no_flow
		report "$name, $to: no flow remains"
	done
	to=192.0.2.1
}

h3_server()
{
	ciphers_from h3 "h3_server"
}

gtlsserver()
{
	ciphers_from gtls "gtlsserver, preloaded"
}

uploads()
{
	local cipher

	listen h3 --no-offload
	for cipher in $ciphers; do
		upload "upload by h3_client, $cipher" h3 --cipher="$cipher"
	done
	upload "upload by gtlsclient" gtls
	slowly
	upload "upload by h3_client, key updates" h3 --key-update=50
	upload "upload by h3_client, migration" h3 --rebind=50
	expect_moved "upload by h3_client, migration"
	at_full_speed
	upload "upload by h3_client, no GSO" h3 --no-gso
	stop_server
}

peers()
{
	local kind

	for kind in h3 gtls; do
		listen $kind
		with_curl download "curl from ${kind}server" curl
		with_chromium download "Chromium from ${kind}server" chromium
		stop_server
	done

	listen h3 --no-offload
	with_curl upload "upload by curl" curl
	stop_server
}

# with_updates NAME CLIENT [OPTION...]: packets with both keys have to arrive.
with_updates()
{
	local phases

	download "$@"
	phases=$(awk '{ print ($5 > 0) + ($1 > $5) }' "$files/peer")
	[ "$phases" = 2 ] || fault "one key phase: $(cat "$files/peer")"
	report "$1: both keys"
}

# Not so often that on a busy machine packets are older than the key that the
# peer has forgotten.
key_updates()
{
	slowly
	listen h3
	with_updates "key updates by the client" gtls --key-update=150ms
	stop_server
	listen h3 --key-update=150
	with_updates "key updates by the server" gtls
	with_updates "key updates by both" h3 --no-offload-rx --key-update=210
	stop_server
	listen gtls
	with_updates "key updates by the client, gtlsserver" gtls --key-update=150ms
	stop_server
	at_full_speed
}

# expect_moved NAME: the transfer before took another path.
expect_moved()
{
	[ "$(new_flows)" -ge 2 ] || fault "it had $(new_flows) flow"
	report "$1: another flow"
}

# The client takes another port: RFC 9000 section 9.  With NAT rebinding the
# server learns of it by a packet, which a client that uploads does send.
migration()
{
	local kind

	slowly
	for kind in h3 gtls; do
		listen $kind
		download "migration, ${kind}server" gtls --change-local-addr=50ms
		expect_moved "migration, ${kind}server"
		stop_server
	done
	listen h3
	upload "NAT rebinding" gtls --change-local-addr=50ms --nat-rebinding
	expect_moved "NAT rebinding"
	stop_server
	at_full_speed
}

# expect_trains OPTION: what h3_server says of its messages when it ends
expect_trains()
{
	local sent messages

	sent=$(value server "packets kernel")
	messages=$(value server messages)
	if [ -n "$1" ]; then
		[ "$messages" -ge "$sent" ] || fault "$messages messages for $sent"
	else
		[ $((messages * 2)) -lt "$sent" ] || fault "$messages messages for $sent"
	fi
	report "messages $1"
}

impairments()
{
	local gso

	for gso in "" --no-gso; do
		listen h3 $gso
		netem delay 1ms loss 1%
		download "1% loss $gso" gtls
		netem delay 1ms loss 5%
		download "5% loss $gso" gtls
		# A packet that comes very late, with a short packet number, is
		# not opened: the peer takes the number for another one (RFC
		# 9000 appendix A.3), whoever has protected it.
		netem delay 5ms 1ms reorder 10% 50%
		reordered=yes
		download "reordering $gso" gtls
		# shellcheck disable=SC2034 # ngtcp2_lib.sh reads it
		reordered=
		no_netem
		download "no impairment $gso" gtls
		stop_server
		expect_trains "$gso"
	done
}

# most_of PACKETS: more than half of a transfer
most_of()
{
	[ $(($1 * 1452 * 2)) -gt "$size" ]
}

# Packets that leave alone are not left to the kernel, unless somebody says so.
spared()
{
	# shellcheck disable=SC2034 # ngtcp2_lib.sh reads it
	local shortest='' kernel gso

	for gso in --no-gso ""; do
		listen h3 $gso
		begin "$server"
		get gtls && cmp -s "$files/htdocs/file" "$got" ||
			fault "files differ"
		[ "$(undecryptable)" = 0 ] || fault "the peer could not open all"
		stop_server
		kernel=$(value server "packets kernel")
		[ "$(new_packets)" = "$kernel" ] ||
			fault "the kernel counted $(new_packets), not $kernel"
		if [ -n "$gso" ]; then
			[ "$(new_flows)" = 0 ] || fault "there was a flow"
		else
			most_of "$kernel" ||
				fault "the kernel protected $kernel only"
		fi
		report "single packets $gso"
	done
}

# entry DRIVER PRIORITY NAME ASYNC: as /proc/crypto has it
entry()
{
	printf '%-13s: %s\n' name "$3" driver "$1" module kernel priority "$2" \
		refcnt 1 selftest passed internal no type aead async "$4" \
		blocksize 1 ivsize 12 maxauthsize 16 geniv "<none>"
	echo
}

# Short trains, and what comes, are left to a kernel whose AES-GCM is the faster one.
faster()
{
	# shellcheck disable=SC2034 # ngtcp2_lib.sh reads it
	local shortest=''
	local driver burst kernel opened

	for driver in generic-gcm-vaes-avx2 generic-gcm-aesni-avx; do
		{
			entry generic-gcm-vaes-avx2 300 "gcm(aes)" no
			entry $driver 500 "gcm(aes)" no
			entry generic-gcm-aesni 400 "gcm(aes)" no
			entry pcrypt-vaes 900 "gcm(aes)" yes
			entry rfc4106-gcm-vaes-avx2 900 "rfc4106(gcm(aes))" no
		} > "$files/crypto"
		for burst in --burst=4 ""; do
			mount --bind "$files/crypto" /proc/crypto || exit 1
			listen h3 $burst
			begin "$server"
			get h3 && cmp -s "$files/htdocs/file" "$got" ||
				fault "files differ"
			stop_server
			umount /proc/crypto
			kernel=$(value server "packets kernel")
			opened=$(value client "opened by kernel")
			[ "$(new_packets)" = "$kernel" ] ||
				fault "the kernel counted $(new_packets), not $kernel"
			if [ $driver = generic-gcm-vaes-avx2 ]; then
				most_of "$kernel" && most_of "$opened" ||
					fault "the kernel: $kernel, $opened"
			elif [ -z "$burst" ]; then
				most_of "$kernel" && [ "$opened" = 0 ] ||
					fault "the kernel: $kernel, $opened"
			else
				[ "$kernel $opened" = "0 0" ] ||
					fault "the kernel: $kernel, $opened"
			fi
			report "$driver ${burst:-and long trains}"
		done
	done
}

# All on one socket of the server
many_connections()
{
	local kind count

	for kind in h3 gtls; do
		for count in 10 100; do
			listen $kind
			begin "$server"
			rm -f "$files"/got/*
			in_client timeout "$patience" "$dir/h3_client" \
				--connections=$count --output="$files/got" \
				"$to" $port /small > "$files/client.log" 2>&1 ||
				fault "the client failed with $?"
			expect_small $count
			expect_kernel $((count * small))
			[ "$(new_flows)" -ge $count ] ||
				fault "there were $(new_flows) flows"
			stop_server
			expect_no_flow
			report "$count connections, ${kind}server"
		done
	done
}

# A bit is wrong in what the kernel is told: the peer has to notice.
spoiled()
{
	local what

	for what in key iv header_key number; do
		listen spoiled $what
		begin "$server"
		get gtls --timeout=2s
		! cmp -s "$files/htdocs/file" "$got" || fault "the file is equal"
		[ "$(new_packets)" -gt 0 ] || fault "the kernel protected nothing"
		[ "$(undecryptable)" -gt 0 ] || fault "the peer could open all"
		report "noticed: a wrong bit in $what"
		stop_server KILL
	done
}

# nghttp3 minds the paths of http and https only.
bad_paths()
{
	listen h3
	cp "$files/htdocs/small" "$files/htdocs/index.html"
	in_client timeout "$patience" "$dir/h3_client" --scheme=coap \
		"$to" $port '?' x '?x' '*' > "$files/client.log" 2>&1
	[ "$(grep -c ': 400$' "$files/client.log")" = 4 ] ||
		fault "not all were refused: $(cat "$files/client.log")"
	stop_server
	report "paths without a slash"
}

enough_sent()
{
	[ "$(new_packets)" -ge 200 ]
}

killed()
{
	local kind

	for kind in h3 gtls; do
		# A megabyte takes 8 s, and a slow machine a second for a look.
		netem delay 5ms rate 1mbit limit 100
		listen $kind
		begin "$server"
		get gtls --timeout=2s &
		slowwait 20 enough_sent || fault "nothing was sent"
		[ "$(stat_of "$server" QuicCurrTxSw)" -gt 0 ] || fault "no flow"
		stop_server KILL
		wait
		! cmp -s "$files/htdocs/file" "$got" || fault "it was too late"
		expect_no_flow
		report "${kind}server killed: no flow remains"
		no_netem
	done
}

ktap_print_header
modprobe -q quic
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
setup "$size" "$small"

# shellcheck disable=SC2034 # run_parts reads it
declare -A parts=(
	[h3_server]=10 [gtlsserver]=10 [uploads]=9 [peers]=5 [key_updates]=8
	[migration]=6 [impairments]=10 [many_connections]=4 [spoiled]=4 [killed]=2
	[bad_paths]=1 [spared]=2 [faster]=4
)
[ $# -gt 0 ] || set -- h3_server gtlsserver uploads peers key_updates \
	migration impairments many_connections spoiled killed bad_paths spared \
	faster

run_parts "$@"
