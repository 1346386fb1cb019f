#!/bin/bash
# Inside the guest: transfers between h3_server, or nginx, and a client over veth; the
# instructions of one of them are counted. run.sh runs it.
#
#   guest.sh DIRECTORY server|client|nginx BYTES [ROOT]
#
# DIRECTORY/programs has what is counted and the libraries that it takes, DIRECTORY/peers
# h3_server and h3_client, and DIRECTORY/columns what to transfer: name, peer, options of
# what is counted. The peer of a server is h3_client, which has UDP_GRO, or gtlsclient,
# which has not; the peer of a client is h3_server. nginx runs in the Debian ROOT, and its
# option is whether the kernel has net/quic, with or without. A name that ends with -device
# is a transfer whose packets a device of the server's protects. From here DIRECTORY has,
# for column N, maps.N, kallsyms.N, and packets.N: how many the server says that it has
# sent, or the client of nginx that it has received.

set -euo pipefail

directory=$1 side=$2 bytes=$3 root=${4:-}
work=/run/bench

mkdir $work
mount -t tmpfs bench $work
cd $work
mkdir htdocs got peer
# QEMU keeps what it has translated by physical address: seen in one process, it goes for
# all others. What is counted therefore has files of its own.
cp -r "$directory/programs" counted
cp "$directory"/peers/h3_* peer
head -c "$bytes" /dev/urandom > htdocs/file
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
	-subj /CN=quic.test -keyout key.pem -out cert.pem 2> /dev/null

ip netns add server
ip netns add client
ip link add quic0 netns server type veth peer name quic1 netns client
ip -n server address add 192.0.2.1/24 dev quic0
ip -n client address add 192.0.2.2/24 dev quic1
ip -n server link set quic0 up
ip -n client link set quic1 up

# add_device ID NAMESPACE NAME ADDRESS: a netdevsim
add_device() {
	ip netns exec "$2" sh -c "echo $1 1 > /sys/bus/netdevsim/new_device"
	ip -n "$2" link set "$(ip netns exec "$2" ls "/sys/bus/netdevsim/devices/netdevsim$1/net")" name "$3" up
	ip -n "$2" address add "$4/32" dev "$3"
}

index() {
	ip netns exec "$1" cat "/sys/class/net/$2/ifindex"
}

# One that protects packets and takes trains as they are; another way to the same client
add_device 7 server quic2 192.0.2.1
add_device 8 client quic3 192.0.2.2
exec 10< /run/netns/server 11< /run/netns/client
echo "10:$(index server quic2) 11:$(index client quic3)" > /sys/bus/netdevsim/link_device
exec 10<&- 11<&-
ip netns exec server ethtool -K quic2 tx-udp-segmentation on

# go_by DEVICE DEVICE: which way packets go, of the server's and of the client's
go_by() {
	ip -n server route replace 192.0.2.2/32 dev "$1" src 192.0.2.1
	ip -n client route replace 192.0.2.1/32 dev "$2" src 192.0.2.2
}

# No address is random, and all functions are found before.
counted=(setarch -R env LD_LIBRARY_PATH="$work/counted" LD_BIND_NOW=1)

# until_listening: on port 4433, 0x1151
until_listening() {
	until ip netns exec server grep -q ':1151 ' /proc/net/udp; do
		kill -0 "$server" || failed "the server does not listen"
		sleep 0.1
	done
}

# serve OPTION...
serve() {
	local program=(peer/h3_server)

	[ "$side" != server ] || program=("${counted[@]}" counted/h3_server)
	ip netns exec server "${program[@]}" --htdocs=htdocs --exit-after=1 "$@" \
		192.0.2.1 4433 key.pem cert.pem > server.log 2>&1 &
	server=$!
	until_listening
}

# nginx with|without: in a root of its own, where nobody else has its libraries
nginx() {
	if [ "$1" = with ]; then
		modprobe quic
	else
		# Nor is it loaded for who asks.
		echo /bin/false > /proc/sys/kernel/modprobe
		modprobe -qr quic
	fi
	cp counted/nginx nginx
	: > nginx.log
	cat > nginx.conf <<- END
		user root;
		daemon off;
		master_process off;
		pid /mnt/nginx.pid;
		error_log /mnt/nginx.log notice;
		events { }
		http {
		  access_log off;
		  default_type application/octet-stream;
		  server {
		    listen 192.0.2.1:4433 quic;
		    ssl_certificate /mnt/cert.pem;
		    ssl_certificate_key /mnt/key.pem;
		    root /mnt/htdocs;
		    quic_gso on;
		  }
		}
	END
	# shellcheck disable=SC2016
	ip netns exec server sh -c 'mount --bind . "$1/mnt" && mount --bind /dev "$1/dev" &&
		mount --rbind /proc "$1/proc" && exec env LD_BIND_NOW=1 setarch -R \
			chroot "$1" /mnt/nginx -p /mnt -e /mnt/nginx.log -c /mnt/nginx.conf' \
		sh "$root" > server.log 2>&1 &
	server=$!
	until_listening
}

# get PROGRAM OPTION...
get() {
	local program=(peer/h3_client)

	[ "$side" != client ] || program=("${counted[@]}" counted/h3_client)
	program+=(--output=got/file "${@:2}" 192.0.2.1 4433 /file)
	[ "$1" = h3_client ] ||
		program=(gtlsclient -q --no-quic-dump --no-http-dump --exit-on-all-streams-close
			--download="$work/got" 192.0.2.1 4433 https://quic.test:4433/file)
	ip netns exec client "${program[@]}" > client.log 2>&1 &
	client=$!
}

# Whoever comes first pays for memory that was never used.
warm_up() {
	local side=neither

	serve
	get h3_client
	wait "$client"
	wait "$server"
}

# look_at PID: once all its libraries are there
look_at() {
	local maps=

	until [[ $maps = */@(h3_*|nginx)*'[heap]'* ]]; do
		kill -0 "$1" 2> /dev/null || failed "it has ended"
		sleep 0.01
		# There is none for a moment while a program becomes another.
		maps=$(cat "/proc/$1/maps" 2> /dev/null) || true
	done
	echo "$maps" > "$directory/maps.$n"
	cat /proc/kallsyms > "$directory/kallsyms.$n"
}

# packets: what the server says that it has sent; nginx says nothing
packets() {
	if [ "$side" = nginx ]; then
		sed -n 's/.*opened by kernel=0 user=\([0-9]*\).*/\1/p' client.log
		return
	fi
	[[ $(tail -n 1 server.log) =~ 'packets kernel='([0-9]+)' user='([0-9]+)' spared='[0-9]+' ready='([0-9]+) ]] ||
		return 1
	echo $((BASH_REMATCH[1] + BASH_REMATCH[2] + BASH_REMATCH[3]))
}

# failed WHAT
failed() {
	echo "$name: $1" >&2
	tail -n 3 server.log client.log >&2
	exit 1
}

modprobe quic
warm_up
n=0
while read -r name peer options; do
	echo "$name"
	rm -f got/file
	read -ra options <<< "$options"
	case $name in
	*-device) go_by quic2 quic3 ;;
	*) go_by quic0 quic1 ;;
	esac
	if [ "$side" = nginx ]; then
		nginx "${options[@]}"
		look_at "$server"
		get "$peer" --no-offload
	elif [ "$side" = server ]; then
		serve "${options[@]}"
		look_at "$server"
		get "$peer" --no-offload
	else
		# Nor is it done before one has looked at it.
		serve --no-offload
		kill -STOP "$server"
		get h3_client "${options[@]}"
		look_at "$client"
		kill -CONT "$server"
	fi
	wait "$client" || failed "the client failed"
	[ "$side" != nginx ] || kill -QUIT "$server"
	wait "$server" || failed "the server failed"
	cmp htdocs/file got/file || failed "something else arrived"
	packets > "$directory/packets.$n" || failed "the server does not say what it sent"
	tail -n 1 "${side/nginx/client}.log"
	n=$((n + 1))
done < "$directory/columns"
