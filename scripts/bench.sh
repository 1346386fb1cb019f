#!/bin/bash
# The benchmark: what the offload costs, beside what a QUIC library would do.
# Tables in build/bench/results.txt, a plot in build/bench/packets.svg, and every
# number in build/bench/raw.txt. Run it on a machine that does nothing else.
#
#   scripts/bench.sh                    everything
#   BENCH=quick scripts/bench.sh        in a minute, what there are targets for
#   BENCH=receive scripts/bench.sh      of that the half that receives;
#                                       receive-kernel: no system calls
#   BENCH=many scripts/bench.sh         of everything the flows that come at once
#   BENCH=instructions scripts/bench.sh the same counted in instructions of a
#                                       native kernel, by QEMU, in instructions.txt;
#                                       fails if packets that are received tell by it
#                                       what must be hidden (BENCH=timing: in ns, to
#                                       look at)
#   BENCH=others scripts/bench.sh       of that what plain UDP pays, in others.txt
#   BENCH=device scripts/bench.sh       of that what is left to a device
#   BENCH=server scripts/bench.sh       where the instructions of a whole server and
#                                       of a client go: server.txt and server.svg
#   NOBUILD=1 takes the kernels in build/ as they are

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$ROOT/scripts/bench/circumstances.sh"

BENCH=${BENCH:-all}
SOURCES=$ROOT/scripts/bench
RESULTS_DIR=$BUILD/bench
RAW=$RESULTS_DIR/raw.txt
RESULTS=$RESULTS_DIR/results.txt
kernel=um unit=ns
export PIN=0 NCPUS=1
case $BENCH in
all) flavours="um um-pristine" ;;
quick | receive | receive-kernel | many | timing) flavours=um ;;
instructions | device | others)
	kernel=x86_64 unit=instructions
	flavours=x86_64
	[ "$BENCH" = device ] || flavours+=" x86_64-pristine"
	[ "$BENCH" != others ] || flavours+=" x86_64-off"
	RAW=$RESULTS_DIR/raw-instructions.txt
	RESULTS=$RESULTS_DIR/instructions.txt
	# Each takes one nanosecond of the guest's time, whatever it is (boot-qemu.sh).
	export PIN='' QEMU_OPTIONS='-icount shift=0'
	export QEMU_CPU=max,-erms,-fsrm
	;;
server) exec "$SOURCES/server/run.sh" ;;
*) die "BENCH is 'all', 'quick', 'receive', 'receive-kernel', 'many', 'timing', 'instructions', 'others', 'device' or 'server', not '$BENCH'" ;;
esac

lock
need_packages gcc:gcc make:make ccache:ccache ip:iproute2 taskset:util-linux ethtool:ethtool \
	/usr/include/openssl/evp.h:libssl-dev
if [ -z "${NOBUILD:-}" ]; then
	for name in $flavours; do "$ROOT/scripts/build.sh" "$name"; done
fi
mkdir -p "$RESULTS_DIR"

# module FLAVOUR: build/bench/FLAVOUR/quic_bench.ko, for that kernel
module() {
	flavour "$1"
	mkdir -p "$RESULTS_DIR/$FLAVOUR"
	make -C "$TREE" O="$BUILD/$FLAVOUR" ARCH="$KARCH" CC="ccache gcc" \
		M="$SOURCES/module" MO="$RESULTS_DIR/$FLAVOUR/module" modules > "$RESULTS_DIR/module.log" 2>&1 ||
		{ tail -n 30 "$RESULTS_DIR/module.log" >&2; die "the module does not compile, see $RESULTS_DIR/module.log"; }
	cp "$BUILD/$FLAVOUR/System.map" "$RESULTS_DIR/$FLAVOUR/"
}

say "Compiling the benchmark"
for name in $flavours; do module "$name"; done
flavour "$kernel"
uapi_headers
lib=$ROOT/tools/testing/selftests/net/quic/lib
gcc -O2 -Wall -isystem "$OBJECTS/usr/include" -iquote "$lib" -o "$RESULTS_DIR/quic_bench" \
	"$SOURCES"/*.c "$lib/quic_uring.c"

# Two versions of libcrypto in one process need the newer libc of the two.
program=(env OPENSSL_CONF=/dev/null)
program+=(SSL30="$(PATH=$PATH:/sbin ldconfig -p | awk '/libcrypto\.so\.3 .*x86-64/ && !n++ { print $NF }')")
trixie=$BUILD/trixie/usr/lib/x86_64-linux-gnu
if "$ROOT/scripts/trixie.sh"; then
	program+=(SSL35="$trixie/libcrypto.so.3" "$trixie/ld-linux-x86-64.so.2"
		--library-path "$trixie")
else
	say "Without Debian trixie there is no OpenSSL 3.5 to compare with"
fi
program+=("$RESULTS_DIR/quic_bench")

# guest FLAVOUR MODE: the lines that the program prints in that kernel
guest() {
	"$ROOT/scripts/boot.sh" "$1" "$SOURCES/guest.sh" "$RESULTS_DIR/$1" "$2" "${program[@]}"
}

# boots FLAVOUR: its lines as those of one boot among others
boots() {
	sed -n -E "s/^(send|receive)\t/boot\t$1\t/p"
}

if [ "$BENCH" = others ]; then
	RAW=$RESULTS_DIR/raw-others.txt
	circumstances "$kernel" > "$RAW"
	for name in $flavours; do
		say "Counting what plain UDP takes in $name"
		guest "$name" others | sed -n "s/^other\t/other\t$name\t/p" >> "$RAW"
	done
	awk -f "$SOURCES/report-others.awk" "$RAW" | tee "$RESULTS_DIR/others.txt"
	exit
fi

say "Measuring"
{
	circumstances "$kernel"
	guest "$kernel" "$BENCH"
} > "$RAW"

if [ "$BENCH" = all ]; then
	for round in 1 2 3; do
		say "Measuring two senders and two readers, on two processors, $round of 3"
		PIN='' NCPUS=2 guest um parallel | grep -E '^(rx-)?parallel' >> "$RAW"
		say "Measuring plain UDP with and without the series, $round of 3"
		for name in $flavours; do
			NCPUS=2 guest "$name" plain | boots "$name" >> "$RAW"
		done
	done
	awk -f "$SOURCES/plot.awk" "$RAW" > "$RESULTS_DIR/packets.svg"
fi

if [ "$BENCH" = instructions ]; then
	say "Measuring plain UDP with and without the series"
	for name in $flavours; do
		guest "$name" plain-instructions | boots "$name" >> "$RAW"
	done
fi

awk -v unit=$unit -f "$SOURCES/report.awk" -f "$SOURCES/report-receive.awk" "$RAW" | tee "$RESULTS"
say "All of it is in $RESULTS_DIR"
