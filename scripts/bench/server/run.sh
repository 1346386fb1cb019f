#!/bin/bash
# Where the instructions of a real QUIC server and of a client go, with the offload and
# without: h3_server and h3_client on a native x86-64 kernel in QEMU. A table in
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
need_packages nm:binutils python3:python3-minimal ip:iproute2 setarch:util-linux

say "Compiling h3_server, h3_client and the plugin"
programs=$RESULTS_DIR/server-programs
rm -rf "$programs" "$RESULTS_DIR/server" "$RESULTS_DIR/client"
mkdir -p "$programs"
make -s -C "$ROOT/tools/net/quic" OUTPUT="$RESULTS_DIR/server-objects"
cp "$RESULTS_DIR"/server-objects/h3_{server,client} "$programs/"
for program in "$programs"/h3_*; do
	ldd "$program" | awk '$3 ~ "^/" { print $3 }'
done | sort -u | xargs cp -Lt "$programs"
plugin=$RESULTS_DIR/callpaths.so
gcc -O2 -Wall -shared -fPIC -fvisibility=hidden -o "$plugin" "$SOURCES"/*.c

# address PROGRAM FUNCTION: with setarch -R
address() {
	nm "$programs/$1" | awk -v name="$2" '$3 == name { print $1; n++ } END { exit n != 1 }' ||
		die "$1 has no one function $2()"
}

# in_guest SIDE START: boot, and count three times, in turns, what handles the columns that
# come as input, from that function on. Ends the (sub)shell.
in_guest() {
	local directory=$RESULTS_DIR/$1 base=0x555555554000 columns options next place name

	mkdir -p "$directory"
	cp -r "$programs" "$directory/programs"
	columns=$(cat)
	printf '%s\n' "$columns" "$columns" "$columns" > "$directory/columns"
	# Where the kernel takes the stack pointer of the next task from its task_struct
	next=$(objdump -d --disassemble=__switch_to_asm "$OUT/vmlinux" |
		sed -n 's/^ *\([0-9a-f]*\):.*mov *\(0x[0-9a-f]*\)(%rsi),%rsp.*/switch=0x\1,stack=\2/p')
	[ -n "$next" ] || die "no switch of stacks in __switch_to_asm()"
	options="-icount shift=0 -plugin file=$plugin,out=$directory/calls,$next"
	for place in main:main "start:$2" stop:h3_conn_free; do
		name=$(address "h3_$1" "${place#*:}")
		options+=,${place%%:*}=$(printf '0x%x' $((base + 0x$name)))
	done
	# For the processor see boot-qemu.sh.
	PIN='' NCPUS=1 QEMU_CPU=max,-erms,-fsrm QEMU_OPTIONS=$options BOOT_LOG=$directory/kernel \
		exec "$ROOT/scripts/boot.sh" x86_64 "$SOURCES/guest.sh" "$directory" "$1" $BYTES >&2
}

export PYTHONDONTWRITEBYTECODE=1
# rows SIDE
rows() {
	python3 "$SOURCES/rows.py" "$1" "$RESULTS_DIR/$1" "$OUT/vmlinux"
}

# Both at once: what is counted does not depend on how long it takes.
say "Counting h3_server, which sends $BYTES bytes, and h3_client, which receives as many"
(in_guest client recv_header) << 'END' &
open-user	h3_server --no-offload
open-kernel	h3_server --no-offload-tx
END
client=$!
trap 'kill $client 2> /dev/null' EXIT
(in_guest server begin_headers) << 'END'
gro-user	h3_client --no-offload
gro-kernel	h3_client --no-offload-rx
gro-both	h3_client
gtls-user	gtlsclient --no-offload
gtls-kernel	gtlsclient --no-offload-rx
single-user	gtlsclient --no-offload --no-gso
single-kernel	gtlsclient --no-offload-rx --no-gso
ten-user	h3_client --no-offload --burst=10
ten-kernel	h3_client --no-offload-rx --burst=10
four-user	h3_client --no-offload --burst=4
four-kernel	h3_client --no-offload-rx --burst=4
END
wait $client
trap - EXIT

{
	circumstances x86_64
	rows server
	rows client
} > "$RAW"
awk -f "$SOURCES/rows.awk" -f "$SOURCES/chart.awk" "$RAW" > "$RESULTS_DIR/server.svg"
awk -f "$SOURCES/rows.awk" -f "$SOURCES/report.awk" "$RAW" > "$RESULTS_DIR/server.txt"
cat "$RESULTS_DIR/server.txt"
say "All of it is in $RESULTS_DIR: server.txt, server.svg, raw-server.txt"
