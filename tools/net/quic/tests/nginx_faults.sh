#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian 13's nginx that leaves its packets to the kernel, where something comes in
# between: reload, another binary, workers that are killed, wrong keys, a kernel that
# does not do it.
#
#	nginx_faults.sh [PART...]	all parts, or those of the list at the end
#
# On a kernel without the feature only the part "fallback" runs. See nginx_lib.sh for
# what it needs.
# shellcheck disable=SC2034 # nginx_lib.sh reads wanted and others

source "$(dirname "$(readlink -f "$0")")/nginx_lib.sh"

limit=/proc/sys/user/max_quic_flows
max_packets=/sys/module/quic/parameters/max_packets_per_key

# slow_get CLIENT...: the file in two seconds, in the background
slow_get()
{
	netem rate $((size * 4))bit
	begin "$server"
	receive_in "$server"
	get "$@" --timeout=3s &
	getting=$!
	slowwait 20 enough_sent || fault "nothing was sent"
}

enough_sent()
{
	[ "$(new_packets)" -ge 500 ]
}

# quick_get NAME: another connection meanwhile, in the same way
quick_get()
{
	in_client timeout "$patience" "$dir/h3_client" --no-offload \
		--output="$files/small" "$to" $port /small \
		> "$files/client2.log" 2>&1 || fault "$1: the client failed with $?"
	cmp "$files/htdocs/small" "$files/small" || fault "$1: the file differs"
}

# replaced PID...: workers, and none of these
replaced()
{
	local now

	now=$(workers_now) &&
		[ "$(wc -w <<< "$now")" = "$workers" ] &&
		! grep -qxF "$(printf '%s\n' "$@")" <<< "$now"
}

# expect_part: what has come of it before the connection ended
expect_part()
{
	cmp -n "$(stat -c %s "$got")" "$files/htdocs/file" "$got" \
		> "$files/cmp.log" 2>&1 || fault "$(cat "$files/cmp.log")"
}

# What a worker that shuts down and a new one read from the same socket is a race,
# which nginx leaves to chance: a download may be cut off, but is not wrong.
reload()
{
	local old

	serve
	mapfile -t old < <(workers_now)
	slow_get gtls
	kill -HUP "$(master)"
	slowwait 20 replaced "${old[@]}" || fault "no new workers"
	quick_get "after reload"
	wait $getting
	expect_part
	[ "$(stat_of "$server" QuicTxSwError)" = "$errors" ] ||
		fault "the kernel counted errors"
	no_netem
	report "reload during a download"
	down "a download after reload" gtls
	stop_nginx
	expect_no_flows
	report "reload: no flow remains"
}

# Another master, with the same sockets, while the old one's workers finish
upgrade()
{
	local old first

	serve
	first=$(master)
	mapfile -t old < <(workers_now)
	slow_get gtls
	kill -USR2 "$first"
	slowwait 20 replaced "${old[@]}" || fault "no new workers"
	kill -QUIT "$first"
	quick_get "after the upgrade"
	wait $getting
	expect_part
	[ "$(stat_of "$server" QuicTxSwError)" = "$errors" ] ||
		fault "the kernel counted errors"
	no_netem
	report "binary upgrade during a download"
	slowwait 60 ended "$first" || fault "the old one does not end"
	down "a download after the binary upgrade" gtls
	stop_nginx
	expect_no_flows
	report "binary upgrade: no flow remains"
}

ended()
{
	! kill -0 "$1" 2> /dev/null
}

# The master keeps the sockets; who comes in a worker's place cleans up.
killed()
{
	local old

	serve
	mapfile -t old < <(workers_now)
	slow_get gtls
	[ "$(stat_of "$server" QuicCurrTxSw)" -gt 0 ] || fault "no flow"
	kill -KILL "${old[@]}"
	slowwait 20 replaced "${old[@]}" || fault "no new workers"
	slowwait 20 no_flows || fault "flows remain"
	wait $getting
	! cmp -s "$files/htdocs/file" "$got" || fault "it was too late"
	expect_part
	no_netem
	report "workers killed: no flow remains"
	down "a download after that" gtls
	wanted="exited on signal 9" stop_nginx

	serve
	slow_get gtls
	[ "$(stat_of "$server" QuicCurrTxSw)" -gt 0 ] || fault "no flow"
	pkill -KILL -x nginx
	slowwait 20 gone || fault "nginx does not end"
	expect_no_flows
	wait $getting
	! cmp -s "$files/htdocs/file" "$got" || fault "it was too late"
	no_netem
	report "all of nginx killed: no flow remains"
}

# A bit is wrong in what the kernel is told: the peer has to notice. Or in what it
# tells: nginx takes nothing for what it is not.
spoiled()
{
	local what

	cp "$dir/spoil.so" "$files"
	for what in key number; do
		environment="LD_PRELOAD=/mnt/spoil.so QUIC_SPOIL=$what" serve
		begin "$server"
		get gtls --timeout=2s
		! cmp -s "$files/htdocs/file" "$got" || fault "the file is equal"
		[ "$(new_packets)" -gt 0 ] || fault "the kernel protected nothing"
		[ "$(undecryptable)" -gt 0 ] || fault "the peer could open all"
		report "noticed: a wrong bit in $what"
		stop_nginx
	done
	for what in rx_number rx_generation; do
		environment="LD_PRELOAD=/mnt/spoil.so QUIC_SPOIL=$what" serve
		rm -f "$files"/put/*
		receive_in "$server"
		store gtls --timeout=2s
		[ "$(grown QuicRxSwPackets)" -gt 0 ] || fault "nothing was opened"
		[ ! -e "$files/put/file" ] || fault "nginx has stored the file"
		report "noticed: a wrong bit in $what"
		stop_nginx
	done
}

# nginx begins no key update: the connection ends with AEAD_LIMIT_REACHED.
key_limit()
{
	serve
	echo 2000 > $max_packets
	in_client timeout "$patience" gtlsclient --no-quic-dump --no-http-dump \
		--exit-on-all-streams-close --download="$files/got" "$to" $port \
		"https://$host:$port/file" > "$files/client.log" 2>&1
	echo "$unexpired" > $max_packets
	expect_part
	grep -q "CONNECTION_CLOSE.*(0xf).*key used for too many packets" "$files/client.log" ||
		fault "the client was not told"
	wanted="quic_offload_send() failed (127: Key has expired)" stop_nginx
	expect_no_flows
	report "a limit of 2000 packets for a key"
}

# Userspace does it, and the log says why.
works()
{
	get "${@:2}" || fault "the client failed with $?"
	expect_file
	[ ! -e "$files/peer" ] || expect_peer
	grep -q "quic offload on .*: $reason" "$files/nginx.log" ||
		fault "the log does not say why: $(tail -n 2 "$files/nginx.log")"
	report "$1"
}

fallback()
{
	reason="kernel has no QUIC offload"
	if [ -n "$unlimited" ]; then
		reason="limit user.max_quic_flows reached"
		echo 0 > $limit
	fi
	serve
	works "fallback, gtlsclient" gtls
	with_curl works "fallback, curl" curl
	with_chromium works "fallback, Chromium" chromium
	store gtls || fault "the client failed with $?"
	cmp -s "$files/htdocs/file" "$files/put/file" || fault "the file differs"
	report "fallback, upload"
	wanted="quic offload on" stop_nginx
	[ -z "$unlimited" ] || echo "$unlimited" > $limit
}

restore()
{
	[ -z "$unlimited" ] || echo "$unlimited" > $limit
	[ -z "$unexpired" ] || echo "$unexpired" > $max_packets
	cleanup_nginx
}

ktap_print_header
modprobe -q quic
need_nginx
if [ -e /proc/net/quic_stat ]; then
	unlimited=$(cat $limit)
	unexpired=$(cat $max_packets)
else
	set -- fallback
fi
setup_nginx
trap restore EXIT

declare -A parts=(
	[reload]=3 [upgrade]=3 [killed]=3 [spoiled]=4 [key_limit]=1 [fallback]=4
)
[ $# -gt 0 ] || set -- reload upgrade killed spoiled key_limit fallback

run_parts "$@"
