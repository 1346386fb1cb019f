#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Debian 13's nginx that leaves its packets to the kernel (tools/net/quic/nginx), with
# clients that know nothing of it: gtlsclient, curl, Chromium. A transfer passes if the
# bytes are equal, the kernel has protected the packets without an error, and the peer
# could open every one. What the clients send the kernel opens for nginx.
#
#	nginx.sh [PART...]	all parts, or those of the list at the end
#
# See nginx_lib.sh for what it needs.
# shellcheck disable=SC2034 # nginx_lib.sh reads workers, listening and others

source "$(dirname "$(readlink -f "$0")")/nginx_lib.sh"

downloads()
{
	serve
	down "gtlsclient" gtls
	with_curl down "curl" curl
	with_chromium down "Chromium" chromium
	stop_nginx
	expect_no_flows
	report "downloads: no flow remains"

	# Packets leave alone, which the kernel would not make cheaper.
	serve "quic_gso off;"
	receive_in "$server"
	begin "$server"
	get gtls || fault "the client failed with $?"
	expect_file
	expect_peer
	expect_opened 5
	[ "$(new_packets)" = 0 ] || fault "the kernel protected $(new_packets) packets"
	report "quic_gso off"
	stop_nginx
}

# A page whose script fetches 50 small files, and shows the hash of all their hashes
page()
{
	rm -f "$files"/got/*
	case $1 in
	gtls)
		in_client timeout "$patience" gtlsclient -q --no-quic-dump \
			--no-http-dump --exit-on-all-streams-close \
			--download="$files/got" "$to" $port "${urls[@]}"
		;;
	curl)
		in_chroot "" curl -sS --http3-only -k --parallel \
			--output "/mnt/got/small#1" --resolve "$host:$port:$to" \
			"https://$host:$port/small[1-50]"
		;;
	chromium)
		render small.html &&
		grep "id=\"result\">50 h3 $(cat "$files/htdocs/hashes")<" "$files/dom" &&
		cp "$files"/htdocs/small?* "$files/got"
		;;
	esac > "$files/client.log" 2>&1
}

fetch_page()
{
	local i

	receive_in "$server"
	begin "$server"
	page "$2" || fault "the client failed with $?"
	for ((i = 1; i <= 50; i++)); do
		cmp -s "$files/htdocs/small$i" "$files/got/small$i" ||
			fault "file $i differs"
	done
	expect_trains 250000
	expect_opened 5
	report "$1"
}

small_files()
{
	local i urls=() hashes=

	for ((i = 1; i <= 50; i++)); do
		head -c $((10000 + i)) /dev/urandom > "$files/htdocs/small$i"
		urls+=("https://$host:$port/small$i")
		hashes+=$(sha256sum < "$files/htdocs/small$i" | cut -c1-64)
	done
	echo -n "$hashes" | sha256sum | cut -c1-64 > "$files/htdocs/hashes"
	cat > "$files/htdocs/small.html" <<-'END'
	<!doctype html><title>QUIC</title><p id=result>not yet</p>
	<script>
	async function hash(data) {
	  const digest = await crypto.subtle.digest("SHA-256", data);
	  return Array.from(new Uint8Array(digest),
	                    b => b.toString(16).padStart(2, "0")).join("");
	}
	async function fetched(i) {
	  return hash(await (await fetch("small" + i)).arrayBuffer());
	}
	(async () => {
	  const each = await Promise.all([...Array(50).keys()].map(i => fetched(i + 1)));
	  const how = performance.getEntriesByType("resource");
	  const h3 = how.filter(e => e.name.includes("/small") && e.nextHopProtocol == "h3").length;
	  document.getElementById("result").textContent =
	    `${h3} h3 ${await hash(new TextEncoder().encode(each.join("")))}`;
	})();
	</script>
	END
	serve
	fetch_page "50 small files, gtlsclient" gtls
	with_curl fetch_page "50 small files, curl" curl
	with_chromium fetch_page "50 small files, Chromium" chromium
	stop_nginx
}

# Each cipher and family
ciphers()
{
	local cipher suites=TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384

	suites+=:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256
	for to in 192.0.2.1 2001:db8::1; do
		serve "ssl_conf_command Ciphersuites $suites;"
		for cipher in AES-128-GCM AES-256-GCM CHACHA20-POLY1305 AES-128-CCM; do
			down "$cipher, $to" gtls --ciphers="$(only_cipher "$cipher")"
		done
		stop_nginx
	done
	# A wildcard answers from the address that was asked.
	to=192.0.2.1
	address=0.0.0.0 serve
	down "listening on any address" gtls
	stop_nginx
}

uploads()
{
	serve
	up "upload by gtlsclient" gtls
	with_curl up "upload by curl" curl
	stop_nginx
	expect_no_flows
	report "uploads: no flow remains"
}

# Packets with both keys come, and nginx has the next one in time.
key_updates()
{
	local phases

	slowly
	serve
	down "key updates" gtls --key-update=100ms
	phases=$(awk '{ print ($5 > 0) + ($1 > $5) }' "$files/peer")
	[ "$phases" = 2 ] || fault "one key phase: $(cat "$files/peer")"
	report "key updates: both keys"
	up "key updates, upload" gtls --key-update=100ms
	stop_nginx
	at_full_speed
}

# One worker: to which one a packet comes is decided by the client's address.
migration()
{
	slowly
	workers=1 serve
	down "migration" gtls --change-local-addr=100ms
	[ "$(new_flows)" -ge 2 ] || fault "it had $(new_flows) flow"
	report "migration: another flow"
	up "NAT rebinding" gtls --change-local-addr=100ms --nat-rebinding
	[ "$(grown QuicRxSw)" = 1 ] || fault "$(grown QuicRxSw) flows to open"
	report "NAT rebinding: one flow to open"
	stop_nginx
	at_full_speed
}

impairments()
{
	serve
	netem delay 1ms loss 1%
	down "1% loss" gtls
	netem delay 1ms loss 5%
	down "5% loss" gtls
	netem delay 5ms 1ms reorder 10% 50%
	reordered=yes
	down "reordering" gtls
	reordered=
	no_netem
	stop_nginx
}

# A send buffer that is too small for what nginx has to send. What it builds after
# EAGAIN is another packet, and has another number. Nobody knows how fast nginx is
# today: the network is made slower until the buffer has been full often enough.
again()
{
	local again reused rate

	cp "$dir/again.so" "$files"
	environment="LD_PRELOAD=/mnt/again.so QUIC_AGAIN=/mnt/again" \
		workers=1 listening="sndbuf=32k"
	for rate in 16 4 1; do
		# Unlike netem it leaves to the socket what it holds back.
		tc -n "$server" qdisc replace dev quic0 root fq \
			maxrate $((size * rate))bit || fault "no fq"
		rm -f "$files/again"
		serve "http3_stream_buffer_size 1m;"
		download gtls
		stop_nginx
		read -r again reused < <(awk '$1 > again { again = $1 }
			{ reused += $3 } END { print again + 0, reused + 0 }' \
			"$files/again")
		[ "${again:-0}" -lt 10 ] || break
	done
	environment='' workers=2 listening=reuseport
	report "a small send buffer"
	[ "${again:-0}" -ge 10 ] || fault "it was full ${again:-0} times"
	[ "$reused" = 0 ] || fault "$reused trains had numbers again"
	report "a small send buffer: no number was used again"
	no_netem
}

# connections COUNT: at once
connections()
{
	begin "$server"
	receive_in "$server"
	rm -f "$files"/got/*
	in_client timeout "$patience" "$dir/h3_client" --no-offload \
		--connections="$1" --output="$files/got" \
		"$to" $port /small > "$files/client.log" 2>&1 ||
		fault "the client failed with $?"
	expect_small "$1"
	expect_trains $(($1 * small))
	[ "$(new_flows)" -ge "$1" ] || fault "there were $(new_flows) flows"
	expect_opened "$1"
	report "$1 connections, workers: $workers"
}

many_connections()
{
	workers=4
	serve
	connections 50
	stop_nginx
	workers=1 listening=''
	serve
	connections 50
	stop_nginx
	workers=2 listening=reuseport
}

ktap_print_header
modprobe -q quic
need_nginx
[ -e /proc/net/quic_stat ] || skip_all "needs CONFIG_QUIC"
setup_nginx

declare -A parts=(
	[downloads]=5 [small_files]=3 [ciphers]=9 [uploads]=3 [key_updates]=3
	[migration]=4 [impairments]=3 [again]=2 [many_connections]=2
)
[ $# -gt 0 ] || set -- downloads small_files ciphers uploads key_updates migration \
	impairments again many_connections

run_parts "$@"
