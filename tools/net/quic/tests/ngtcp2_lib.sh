# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2086,SC2154
#
# HTTP/3 transfers between two network namespaces, $server and $client, with
# programs from tools/net/quic and from distributions.
#
#	listen h3|gtls [OPTION...]	a server; stop_server ends it
#	listen plain [OPTION...]	gtlsserver as it is
#	listen spoiled WHAT [OPTION...]	h3_server with spoil.so
#	get h3|gtls|curl|chromium [OPTION...]	the file, into $got
#	get spoiled WHAT [OPTION...]	by h3_client with spoil.so
#	get preloaded [OPTION...]	by gtlsclient with quic_preload.so
#	get preloaded_curl [OPTION...]	by curl with it
#	put h3|gtls|curl [OPTION...]	the file to h3_server, its hash into $got
#	fault TEXT, report NAME		what is wrong; one line for all of it

dir=$(dirname "$(readlink -f "$0")")
source "$dir/../../../kselftest/ktap_helpers.sh" || exit 1
source "$dir/../../lib.sh" || exit 1

PATH=$PATH:/usr/sbin:/sbin
port=4433
host=quic.test
# The kernel gets all packets that it can have, not only those of trains.
shortest=--shortest=1
export QUIC_OFFLOAD_SHORTEST=1
# Seconds for one transfer: emulated processors are slow.
patience=${QUIC_PATIENCE:-600}

skip_all()
{
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

need_programs()
{
	local program

	for program; do
		command -v "$program" > /dev/null || skip_all "needs $program"
	done
}

# Two namespaces, a certificate, and files of so many bytes: "file", and
# "small" for many connections at once
setup()
{
	need_programs gtlsserver gtlsclient openssl "$dir/h3_server"

	files=$(mktemp -d)
	mount -t tmpfs quic-ngtcp2 "$files" || exit 1
	trap cleanup EXIT
	mkdir "$files/htdocs" "$files/got"
	: > "$files/client.log"
	# A browser shows a page only if it is told that it is one.
	echo "text/html html" > "$files/mime.types"
	head -c "$1" /dev/urandom > "$files/htdocs/file"
	head -c "$2" /dev/urandom > "$files/htdocs/small"
	hash=$(sha256sum < "$files/htdocs/file" | cut -c1-64)
	got=$files/got/file

	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
		-nodes -days 30 -subj "/CN=$host" \
		-addext "subjectAltName=DNS:$host" -keyout "$files/key.pem" \
		-out "$files/cert.pem" 2> /dev/null || exit 1

	# A module of some, which adding an address does not load
	modprobe -q ipv6
	setup_ns server client || exit 1
	ip link add quic0 netns "$server" type veth peer name quic1 \
		netns "$client" &&
	ip -n "$server" address add 192.0.2.1/24 dev quic0 &&
	ip -n "$client" address add 192.0.2.2/24 dev quic1 &&
	ip -n "$server" address add 2001:db8::1/64 dev quic0 nodad &&
	ip -n "$client" address add 2001:db8::2/64 dev quic1 nodad &&
	ip -n "$server" link set quic0 up &&
	ip -n "$client" link set quic1 up || exit 1
	to=192.0.2.1
}

cleanup()
{
	[ -z "$pid" ] || kill -KILL "$pid" 2> /dev/null
	cleanup_all_ns
	umount "$files"
	rmdir "$files"
}

in_client()
{
	ip netns exec "$client" "$@"
}

# stat_of NAMESPACE COUNTER
stat_of()
{
	ip netns exec "$1" awk -v name="$2" \
		'$1 == name { print $2 }' /proc/net/quic_stat
}

# value SERVER|CLIENT NAME: of what h3_server or h3_client says when it ends
value()
{
	sed -n "s/.*$2=\([0-9.]*\).*/\1/p" "$files/$1.log"
}

# The priority string of GnuTLS that leaves one cipher
only_cipher()
{
	echo "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+$1"
}

listen()
{
	local kind=$1 what
	shift

	case $kind in
	h3)
		set -- "$dir/h3_server" $shortest --htdocs="$files/htdocs" "$@"
		;;
	spoiled)
		what=$1
		shift
		set -- env LD_PRELOAD="$dir/spoil.so" QUIC_SPOIL="$what" \
			"$dir/h3_server" $shortest --htdocs="$files/htdocs" "$@"
		;;
	gtls | plain)
		what=
		[ "$kind" = plain ] || what=$dir/quic_preload.so
		set -- env LD_PRELOAD="$what" QUIC_OFFLOAD_STATS=1 \
			gtlsserver -q --no-quic-dump --no-http-dump \
			--mime-types-file="$files/mime.types" \
			-d "$files/htdocs" "$@"
		;;
	esac
	# Directly, for the signals to reach the server
	ip netns exec "$server" "$@" "$to" $port \
		"$files/key.pem" "$files/cert.pem" > "$files/server.log" 2>&1 &
	pid=$!
	wait_local_port_listen "$server" $port udp
}

# stop_server [SIGNAL]
stop_server()
{
	kill -"${1:-TERM}" "$pid"
	wait "$pid" 2> /dev/null
	pid=
}

get()
{
	local kind=$1 url=https://$host:$port/file
	shift

	rm -f "$files"/got/* "$files/peer"
	case $kind in
	h3)
		in_client timeout "$patience" env LD_PRELOAD="$dir/peer.so" \
			QUIC_PEER="$files/peer" "$dir/h3_client" $shortest "$@" \
			--output="$got" "$to" $port /file
		;;
	gtls)
		in_client timeout "$patience" env LD_PRELOAD="$dir/peer.so" \
			QUIC_PEER="$files/peer" gtlsclient -q --no-quic-dump \
			--no-http-dump --exit-on-all-streams-close \
			--download="$files/got" "$@" "$to" $port "$url"
		;;
	spoiled)
		in_client timeout "$patience" env LD_PRELOAD="$dir/spoil.so" \
			QUIC_SPOIL="$1" "$dir/h3_client" $shortest "${@:2}" \
			--output="$got" "$to" $port /file
		;;
	preloaded)
		in_client timeout "$patience" \
			env LD_PRELOAD="$dir/quic_preload.so" \
			QUIC_OFFLOAD_STATS=1 gtlsclient -q --no-quic-dump \
			--no-http-dump --exit-on-all-streams-close \
			--download="$files/got" "$@" "$to" $port "$url"
		;;
	curl)
		in_chroot "" curl -sS --http3-only -k "$@" --output /mnt/got/file \
			--resolve "$host:$port:$to" "$url"
		;;
	preloaded_curl)
		in_chroot /mnt/quic_preload.so curl -sS --http3-only -k "$@" \
			--output /mnt/got/file \
			--resolve "$host:$port:$to" "$url"
		;;
	chromium)
		browse "$@"
		;;
	esac > "$files/client.log" 2>&1
}

put()
{
	local kind=$1 url=https://$host:$port/upload
	shift

	rm -f "$files"/got/* "$files/peer"
	case $kind in
	h3)
		in_client timeout "$patience" "$dir/h3_client" $shortest "$@" --output="$got" \
			--upload="$files/htdocs/file" "$to" $port /upload
		;;
	gtls)
		in_client timeout "$patience" \
			env LD_PRELOAD="$dir/quic_preload.so" \
			gtlsclient -q --no-quic-dump --no-http-dump -m POST \
			--exit-on-all-streams-close --data="$files/htdocs/file" \
			--download="$files/got" "$@" "$to" $port "$url" &&
			mv "$files/got/upload" "$got"
		;;
	curl)
		in_chroot /mnt/quic_preload.so curl -sS --http3-only -k "$@" \
			--data-binary @/mnt/htdocs/file -o /mnt/got/file \
			--resolve "$host:$port:$to" "$url"
		;;
	esac > "$files/client.log" 2>&1
}

# The root of a Debian 13 with curl, see scripts/trixie.sh, or nothing
have_chroot()
{
	[ -n "$QUIC_CHROOT" ] && [ -x "$QUIC_CHROOT/usr/bin/curl" ]
}

# with_curl FUNCTION NAME [ARGUMENT...] and with_chromium: a test, or skip it
with_curl()
{
	if have_chroot; then
		"$@"
	else
		ktap_test_skip "$2: no QUIC_CHROOT"
	fi
}

with_chromium()
{
	if [ -z "$QUIC_SLOW" ] && command -v chromium > /dev/null; then
		"$@"
	else
		ktap_test_skip "$2: ${QUIC_SLOW:-not installed}"
	fi
}

# in_chroot PRELOAD COMMAND...: with our files at /mnt
in_chroot()
{
	local preload=$1
	shift

	cp "$dir/quic_preload.so" "$files"
	in_client timeout "$patience" unshare --mount sh -c '
		root=$1 files=$2 preload=$3
		shift 3
		mount --bind "$files" "$root/mnt" &&
		mount --bind /dev "$root/dev" &&
		mount --rbind /proc "$root/proc" &&
		exec chroot "$root" env LD_PRELOAD="$preload" "$@"' \
		sh "$QUIC_CHROOT" "$files" "$preload" "$@"
}

# A page whose script fetches the file and shows its hash. chromium is patient
# in virtual time, which stands still while the network is busy.
browse()
{
	cat > "$files/htdocs/page.html" <<-'END'
	<!doctype html><title>QUIC</title><p id=result>not yet</p>
	<script>
	(async () => {
	  const body = await (await fetch("file")).arrayBuffer();
	  const hash = await crypto.subtle.digest("SHA-256", body);
	  const hex = Array.from(new Uint8Array(hash),
	                         b => b.toString(16).padStart(2, "0")).join("");
	  const how = performance.getEntriesByType("resource")[0];
	  document.getElementById("result").textContent =
	    `${how.nextHopProtocol} ${hex}`;
	})();
	</script>
	END
	render page.html "$@" || return 1
	grep "id=\"result\">h3 $hash<" "$files/dom" &&
	cp "$files/htdocs/file" "$got"
}

# render PAGE [OPTION...]: what chromium makes of it, into dom
render()
{
	local page=$1 spki
	shift

	spki=$(openssl x509 -in "$files/cert.pem" -pubkey -noout |
	       openssl pkey -pubin -outform der |
	       openssl dgst -sha256 -binary | base64)
	in_client timeout "$patience" env HOME="$files" chromium --headless \
		--no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$files/profile" \
		--ignore-certificate-errors-spki-list="$spki" \
		--host-resolver-rules="MAP $host $to" \
		--origin-to-force-quic-on=$host:$port \
		--virtual-time-budget=1000000 --dump-dom "$@" \
		"https://$host:$port/$page" > "$files/dom"
}

# What is wrong in the test that runs
faults=()

fault()
{
	faults+=("$*")
}

report()
{
	local line

	if [ ${#faults[@]} = 0 ]; then
		ktap_test_pass "$1"
		return
	fi
	ktap_test_fail "$1"
	for line in "${faults[@]}"; do
		ktap_print_msg "$line"
	done
	tail -n 5 "$files/server.log" "$files/client.log" | sed 's/^/# /'
	faults=()
}

# begin NAMESPACE: the offload is used there.
begin()
{
	sender=$1
	flows=$(stat_of "$sender" QuicTxSw)
	errors=$(stat_of "$sender" QuicTxSwError)
	packets=$(stat_of "$sender" QuicTxSwPackets)
}

new_flows()
{
	echo $(($(stat_of "$sender" QuicTxSw) - flows))
}

new_packets()
{
	echo $(($(stat_of "$sender" QuicTxSwPackets) - packets))
}

# expect_packets BYTES: so much at least went through the kernel,
expect_packets()
{
	[ "$(new_packets)" -ge $(($1 / 1452)) ] ||
		fault "the kernel protected $(new_packets) packets"
}

# expect_kernel BYTES: and without error.
expect_kernel()
{
	expect_packets "$1"
	[ "$(stat_of "$sender" QuicTxSwError)" = "$errors" ] ||
		fault "the kernel counted errors"
}

expect_no_flow()
{
	[ "$(stat_of "$sender" QuicCurrTxSw)" = 0 ] || fault "flows remain"
}

declare -A before

# receive_in NAMESPACE: packets are to be opened there.
receive_in()
{
	local counter

	receiver=$1
	for counter in QuicRxSw QuicRxSwPackets QuicRxSwBadTag QuicRxSwNoKey \
		QuicRxSwLimit; do
		before[$counter]=$(stat_of "$receiver" $counter)
	done
}

grown()
{
	echo $(($(stat_of "$receiver" "$1") - before[$1]))
}

undecryptable()
{
	awk '{ print $3 }' "$files/peer"
}

# listen_telling [OPTION...]: h3_server, which says in server_peer what it received
listen_telling()
{
	QUIC_PEER=$files/server_peer LD_PRELOAD=$dir/peer.so listen h3 "$@"
}

# peer_count FILE WORD: how many packets, in the words of peer.c
peer_count()
{
	sed -n "s/.* \([0-9]*\) $2.*/\1/p" "$files/$1"
}

expect_peer()
{
	[ "$(undecryptable)" = 0 ] || fault "$(undecryptable) undecryptable packets"
}

expect_file()
{
	cmp "$files/htdocs/file" "$got" > "$files/cmp.log" 2>&1 ||
		fault "the file differs: $(cat "$files/cmp.log")"
}

# download NAME CLIENT [OPTION...]: from the server that is running
download()
{
	local name=$1
	shift

	begin "$server"
	get "$@" || fault "the client failed with $?"
	expect_file
	expect_kernel "$size"
	[ ! -e "$files/peer" ] || [ -n "$reordered" ] || expect_peer
	report "$name"
}

# upload NAME CLIENT [OPTION...]: by a client that uses the offload
upload()
{
	local name=$1
	shift

	begin "$client"
	put "$@" || fault "the client failed with $?"
	[ "$(cat "$got")" = "$hash" ] || fault "the server got something else"
	expect_kernel "$size"
	expect_no_flow
	report "$name"
}

# expect_small COUNT: so many copies of the small file
expect_small()
{
	local file equal=0

	for file in "$files"/got/small*; do
		! cmp -s "$files/htdocs/small" "$file" || equal=$((equal + 1))
	done
	[ $equal = "$1" ] || fault "$equal of $1 files are equal"
}

# netem OPTION...: for what leaves the server
netem()
{
	tc -n "$server" qdisc replace dev quic0 root netem limit 10000 "$@" ||
		fault "no netem"
}

no_netem()
{
	tc -n "$server" qdisc delete dev quic0 root
}

# Half a second for a transfer at least, either way, however fast the machine is:
# what is told to happen after some milliseconds has to happen before its end.
slowly()
{
	netem rate $((size * 16))bit
	tc -n "$client" qdisc replace dev quic1 root netem limit 10000 \
		rate $((size * 16))bit || fault "no netem"
}

at_full_speed()
{
	no_netem
	tc -n "$client" qdisc delete dev quic1 root
}

# run_parts PART...: functions, with as many tests each as "parts" says
run_parts()
{
	local part plan=0

	for part; do
		plan=$((plan + ${parts[$part]}))
	done
	ktap_set_plan $plan
	for part; do
		$part
	done

	ktap_finished
}
