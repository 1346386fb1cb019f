# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034,SC2154
#
# nginx with tools/net/quic/nginx in the namespace $server, as scripts/nginx.sh has
# built it; the clients are those of ngtcp2_lib.sh.
#
#	serve [DIRECTIVE...]	start it; $workers, what $listening adds to listen,
#				$address and $environment are its configuration
#	stop_nginx		and wait for its last process
#	store gtls|curl		the file to it, into put
#
# QUIC_NGINX: the directory of the binary.  QUIC_NGINX_ROOT: its Debian 13.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

workers=2 listening=reuseport address='' environment=''
# A complaint that is in order
wanted=''

need_nginx()
{
	[ -x "$QUIC_NGINX/nginx" ] && [ -d "$QUIC_NGINX_ROOT/mnt" ] ||
		skip_all "needs QUIC_NGINX and QUIC_NGINX_ROOT, see scripts/nginx.sh"
}

# configure [DIRECTIVE...]: of the server
configure()
{
	local gso="quic_gso on;" at=${address:-$to}

	case $at in *:*) at=[$at] ;; esac
	case $* in *quic_gso*) gso= ;; esac
	cat > "$files/nginx.conf" <<-END
	user nobody nogroup;
	env QUIC_SPOIL;
	worker_processes $workers;
	pid /mnt/nginx.pid;
	error_log /mnt/nginx.log notice;
	events { worker_connections 1024; }
	http {
	  access_log off;
	  types { text/html html; }
	  default_type application/octet-stream;
	  server {
	    listen $at:$port quic $listening;
	    ssl_certificate /mnt/cert.pem;
	    ssl_certificate_key /mnt/key.pem;
	    root /mnt/htdocs;
	    client_max_body_size 0;
	    location /put/ { root /mnt; dav_methods PUT; }
	    $gso
	    $*
	  }
	}
	END
}

serve()
{
	configure "$@"
	: > "$files/nginx.log"
	rm -f "$files/nginx.pid"
	cp "$QUIC_NGINX/nginx" "$files/nginx"
	# It goes into the background: only then can it be replaced.
	ip netns exec "$server" unshare --mount sh -c '
		mount --bind "$2" "$1/mnt" &&
		mount --bind /dev "$1/dev" &&
		mount --rbind /proc "$1/proc" &&
		root=$1 && shift 2 &&
		exec chroot "$root" env "$@" /mnt/nginx -p /mnt -e /mnt/nginx.log \
			-c /mnt/nginx.conf' \
		sh "$QUIC_NGINX_ROOT" "$files" $environment > "$files/server.log" 2>&1
	slowwait 20 have_workers "$workers" ||
		ktap_exit_fail_msg "no workers: $(tail -n 3 "$files/server.log")"
}

# The master
master()
{
	cat "$files/nginx.pid" 2> /dev/null
}

# Those that do not shut down
workers_now()
{
	pgrep -P "$(master)" -f 'nginx: worker process$'
}

have_workers()
{
	[ -n "$(master)" ] && [ "$(workers_now | wc -l)" = "$1" ]
}

gone()
{
	! pgrep -x nginx > /dev/null
}

stop_nginx()
{
	kill -QUIT "$(master)"
	slowwait 60 gone || fault "nginx does not end"
	pkill -KILL -x nginx
	# It has complained of nothing else.
	! grep -E '\[(warn|crit|alert|emerg)\]|quic offload' "$files/nginx.log" |
		grep -v "${wanted:-^$}" > "$files/complaints" ||
		fault "$(head -n 3 "$files/complaints")"
}

store()
{
	local url=https://$host:$port/put/file kind=$1
	shift

	case $kind in
	gtls)
		in_client timeout "$patience" gtlsclient -q --no-quic-dump \
			--no-http-dump --exit-on-all-streams-close -m PUT \
			--data="$files/htdocs/file" "$@" "$to" $port "$url"
		;;
	curl)
		in_chroot "" curl -sS --http3-only -k "$@" --fail \
			--upload-file /mnt/htdocs/file \
			--resolve "$host:$port:$to" "$url"
		;;
	esac > "$files/client.log" 2>&1
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

no_flows()
{
	[ "$(stat_of "$server" QuicCurrTxSw)" = 0 ] &&
		[ "$(stat_of "$server" QuicCurrRxSw)" = 0 ]
}

expect_no_flows()
{
	no_flows || fault "flows remain"
}

# udp_stat NAMESPACE COUNTER: of /proc/net/snmp
udp_stat()
{
	ip netns exec "$1" awk -v name="$2" '
		$1 == "Udp:" && !n { for (n = 2; $n != name; n++); next }
		$1 == "Udp:" { print $n }' /proc/net/snmp
}
