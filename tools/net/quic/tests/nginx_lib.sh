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
#	download CLIENT		the file from nginx
#	down, up NAME CLIENT	a test: that, or the file to it
#
# QUIC_NGINX: the directory of the binary.  QUIC_NGINX_ROOT: its Debian 13.
# QUIC_FILE_SIZE: bytes of a transfer.  QUIC_CHROOT: a Debian 13 with curl.
# QUIC_SLOW: why a browser would take too long on this machine.

source "$(dirname "$(readlink -f "$0")")/ngtcp2_lib.sh"

size=${QUIC_FILE_SIZE:-10000000}
small=$((size / 50))
workers=2 listening=reuseport address='' environment=''
# A complaint that is in order
wanted=''

setup_nginx()
{
	setup "$size" "$small"
	trap cleanup_nginx EXIT
	mkdir -m 777 "$files/put"
}

cleanup_nginx()
{
	pkill -KILL -x nginx
	cleanup
}

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

no_flows()
{
	[ "$(stat_of "$server" QuicCurrTxSw)" = 0 ] &&
		[ "$(stat_of "$server" QuicCurrRxSw)" = 0 ]
}

expect_no_flows()
{
	no_flows || fault "flows remain"
}

# expect_opened COUNT: so many packets at least, and none wrong
expect_opened()
{
	local counter

	[ "$(grown QuicRxSwPackets)" -ge "$1" ] ||
		fault "the kernel opened $(grown QuicRxSwPackets) packets"
	for counter in QuicRxSwBadTag QuicRxSwNoKey QuicRxSwLimit; do
		[ "$(grown $counter)" = 0 ] ||
			fault "$(grown $counter) packets in $counter"
	done
}

# expect_trains BYTES: most of it went through the kernel, without error. Packets that
# leave alone nginx seals.
expect_trains()
{
	expect_kernel $(($1 * 3 / 4))
}

# download CLIENT [OPTION...]: the file from nginx, which also gets its acknowledgements
# opened.
download()
{
	receive_in "$server"
	begin "$server"
	get "$@" || fault "the client failed with $?"
	expect_file
	expect_trains "$size"
	[ ! -e "$files/peer" ] || [ -n "$reordered" ] || expect_peer
	expect_opened 5
}

# down NAME CLIENT [OPTION...]
down()
{
	download "${@:2}"
	report "$1"
}

# up NAME CLIENT [OPTION...]: what comes nginx stores.
up()
{
	local name=$1 kind=$2
	shift 2

	rm -f "$files"/put/*
	receive_in "$server"
	store "$kind" "$@" || fault "the client failed with $?"
	cmp "$files/htdocs/file" "$files/put/file" > "$files/cmp.log" 2>&1 ||
		fault "the file differs: $(cat "$files/cmp.log")"
	expect_opened $((size / 1452))
	report "$name"
}
