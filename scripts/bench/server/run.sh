#!/bin/bash
# Where the instructions of real QUIC servers and of a client go, with the offload and
# without: h3_server, h3_client and nginx on a native x86-64 kernel in QEMU. A table in
# build/bench/server.txt, a chart in server.svg, the numbers in raw-server.txt.
# bench.sh runs it; NOBUILD=1 takes the kernel as it is.

. "$(dirname "${BASH_SOURCE[0]}")/../../common.sh"
. "$ROOT/scripts/bench/circumstances.sh"

SOURCES=$ROOT/scripts/bench/server
RESULTS_DIR=$BUILD/bench
RAW=$RESULTS_DIR/raw-server.txt
BYTES=8000000

lock
[ -n "${NOBUILD:-}" ] || "$ROOT/scripts/build.sh" x86_64
flavour x86_64
selftest_compiler
need_packages nm:binutils python3:python3-minimal ip:iproute2 ethtool:ethtool setarch:util-linux

say "Compiling h3_server, h3_client and the plugin"
peers=$RESULTS_DIR/server-programs
rm -rf "$peers" "$RESULTS_DIR"/{server,client,nginx}
mkdir -p "$peers" "$RESULTS_DIR"/{server,client,nginx}/programs
make -s -C "$ROOT/tools/net/quic" OUTPUT="$RESULTS_DIR/server-objects"
cp "$RESULTS_DIR"/server-objects/h3_{server,client} "$peers/"
libraries() {
	"$@" | awk '$3 ~ "^/" { print $3 } $1 ~ "^/" { print $1 }' | sort -u
}
for side in server client; do
	program=$peers/h3_$side
	libraries ldd "$program" | xargs cp -Lt "$RESULTS_DIR/$side/programs" "$program"
done
plugin=$RESULTS_DIR/callpaths.so
gcc -O2 -Wall -shared -fPIC -fvisibility=hidden -o "$plugin" "$SOURCES"/*.c

# address PROGRAM FUNCTION: with setarch -R
address() {
	nm "$1" | awk -v name="$2" '$3 == name { print $1; n++ } END { exit n != 1 }' ||
		die "$1 has no one function $2()"
}

# in_guest SIDE PROGRAM START STOP [ROOT]: boot, and count three times, in turns, what
# PROGRAM does for the columns that come as input, from one function to another. Ends the
# (sub)shell.
in_guest() {
	local directory=$RESULTS_DIR/$1 base=0x555555554000 columns options next place name

	cp -r "$peers" "$directory/peers"
	columns=$(cat)
	printf '%s\n' "$columns" "$columns" "$columns" > "$directory/columns"
	# Where the kernel takes the stack pointer of the next task from its task_struct
	next=$(objdump -d --disassemble=__switch_to_asm "$OUT/vmlinux" |
		sed -n 's/^ *\([0-9a-f]*\):.*mov *\(0x[0-9a-f]*\)(%rsi),%rsp.*/switch=0x\1,stack=\2/p')
	[ -n "$next" ] || die "no switch of stacks in __switch_to_asm()"
	options="-icount shift=0 -plugin file=$plugin,out=$directory/calls,$next"
	for place in main:main "start:$3" "stop:$4"; do
		name=$(address "$directory/programs/$2" "${place#*:}")
		options+=,${place%%:*}=$(printf '0x%x' $((base + 0x$name)))
	done
	# For the processor see boot-qemu.sh.
	PIN='' NCPUS=1 QEMU_CPU=max,-erms,-fsrm QEMU_OPTIONS=$options BOOT_LOG=$directory/kernel \
		exec "$ROOT/scripts/boot.sh" x86_64 "$SOURCES/guest.sh" "$directory" "$1" $BYTES "${@:5}" >&2
}

export PYTHONDONTWRITEBYTECODE=1
# rows SIDE
rows() {
	python3 "$SOURCES/rows.py" "$1" "$RESULTS_DIR/$1" "$OUT/vmlinux"
}

# Without VAES the programs leave less to the kernel by themselves: "itself" is that.
count_client() {
	in_guest client h3_client recv_header h3_conn_free << 'END'
open-user	h3_server --no-offload
open-kernel	h3_server --no-offload-tx --shortest=2
open-itself	h3_server --no-offload-tx
END
}

count_server() {
	in_guest server h3_server begin_headers h3_conn_free << 'END'
gro-user	h3_client --no-offload
gro-kernel	h3_client --no-offload-rx --shortest=2
gro-both	h3_client --shortest=2
gro-device	h3_client --no-offload-rx --shortest=2
gtls-user	gtlsclient --no-offload
gtls-kernel	gtlsclient --no-offload-rx --shortest=2
single-user	gtlsclient --no-offload --no-gso
single-kernel	gtlsclient --no-offload-rx --no-gso --shortest=2
ten-user	h3_client --no-offload --burst=10
ten-kernel	h3_client --no-offload-rx --burst=10 --shortest=2
four-user	h3_client --no-offload --burst=4
four-kernel	h3_client --no-offload-rx --burst=4 --shortest=2
four-itself	h3_client --no-offload-rx --burst=4
END
}

# nginx, and OpenSSL 3.5 with it, is Debian 13's.
nginx_root=$BUILD/trixie-nginx
nginx_libraries=$nginx_root/usr/lib/x86_64-linux-gnu
count_nginx() {
	cp "$BUILD/nginx/nginx" "$RESULTS_DIR/nginx/programs/"
	libraries chroot "$nginx_root" ldd /usr/src/nginx-offload/objs/nginx |
		sed "s|^|$nginx_root|" | xargs readlink -f |
		xargs cp -t "$RESULTS_DIR/nginx/programs"
	in_guest nginx nginx ngx_http_process_request ngx_quic_close_connection \
		"$nginx_root" << 'END'
nginx-user	h3_client without
nginx-kernel	h3_client with
END
}

# sealed NAME [ABILITIES]: lines for rows.awk of what libcrypto takes to protect a packet,
# without those of this processor's abilities
sealed() {
	local packets length count

	length=$(awk '$1 == "vaes" && $5 { print $5; exit }' "$RESULTS_DIR/rows-nginx")
	count=$(env OPENSSL_CONF=/dev/null ${2:+OPENSSL_ia32cap="$2"} \
		"$nginx_libraries/ld-linux-x86-64.so.2" --library-path "$nginx_libraries" \
		"$RESULTS_DIR/steps" "$length")
	packets=$(awk '$1 == "packets" && $3 == "nginx-user" { print $4 }' "$RESULTS_DIR/rows-nginx")
	[ "$1" != libcrypto ] || length=0
	printf 'vaes\tnginx\tnginx-user\t%s\t%s\t%s\t%s\n' \
		"$1" "$length" "$packets" $((packets * count))
}

say "Counting h3_server, which sends $BYTES bytes, and h3_client, which receives as many"
# All at once: what is counted does not depend on how long it takes.
have_nginx=
if "$ROOT/scripts/nginx.sh"; then
	have_nginx=1
	(count_nginx) &
	nginx=$!
else
	say "No nginx: a table without it"
fi
(count_client) &
client=$!
trap 'kill $client ${nginx:-} 2> /dev/null' EXIT
(count_server)
wait "$client"
[ -z "$have_nginx" ] || wait "$nginx"
trap - EXIT

{
	circumstances x86_64
	rows server
	rows client
} > "$RAW"
if [ -n "$have_nginx" ]; then
	gcc -O2 -Wall -o "$RESULTS_DIR/steps" "$SOURCES/steps/steps.c" -lcrypto
	rows nginx > "$RESULTS_DIR/rows-nginx"
	{
		cat "$RESULTS_DIR/rows-nginx"
		# As in QEMU; OpenSSL 3.5 has nothing for VAES without AVX-512.
		sealed libcrypto ":~0x20000010000"
		sealed libcrypto_vaes_avx2 ":~0x20000010000"
		[[ $(grep -m 1 ^flags /proc/cpuinfo) != *avx512vl*vaes* ]] ||
			sealed libcrypto_vaes_avx512
	} >> "$RAW"
fi
awk -f "$SOURCES/rows.awk" -f "$SOURCES/chart.awk" "$RAW" > "$RESULTS_DIR/server.svg"
awk -f "$SOURCES/rows.awk" -f "$SOURCES/report.awk" "$RAW" > "$RESULTS_DIR/server.txt"
cat "$RESULTS_DIR/server.txt"
say "All of it is in $RESULTS_DIR: server.txt, server.svg, raw-server.txt"
