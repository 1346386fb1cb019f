#!/bin/bash
# Boot a flavour, run a command in it as root and in this directory, and
# return its exit status; without a command, give a shell. The kernel log
# lands in build/FLAVOUR/kernel.log; a BUG, WARNING, sanitizer or leak report
# in it (kernel.trouble) is a failure whatever the command returned.
#
#   scripts/boot.sh FLAVOUR [command...]
#
# MEM=2G  BOOT_TIMEOUT=3600 (seconds; 21600 in QEMU)  NCPUS=2
# BOOT_LOG=build/name: logs are name.log and name.trouble, of one guest among several
# PIN=0 keeps the guest on the host's processor 0; it has one then, since two would
# spin for a lock whose holder waits for its turn
# QEMU_OPTIONS="more options"  QEMU_CPU=max (and what it has or lacks), where it is QEMU
# Exit status: the command's; 1 dirty log, 124 timeout, 125 guest died.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/trouble-lib.sh"

flavour "${1:-um}"
[ $# -eq 0 ] || shift
BOOT_LOG=${BOOT_LOG:-$OUT/kernel}
rm -f "$BOOT_LOG.log" "$BOOT_LOG.trouble"	# of another boot
read -ra parameters <<< "ro oops=panic $OPTIONS"
case $FLAVOUR in
*-debug | um-generic | um-kasan | um-gcov)
	MEM=${MEM:-3G}
	# Per-CPU slab caches hold stale pointers, and kmemleak would believe
	# that everything leaked is still in use.
	parameters+=(slab_debug=F)
	;;
*) MEM=${MEM:-2G} ;;
esac
[ -z "${PIN:-}" ] || NCPUS=${NCPUS:-1}
# Races want more processors than the host may have.
case $FLAVOUR in
x86_64-*) NCPUS=${NCPUS:-4} ;;
*) NCPUS=${NCPUS:-2} ;;
esac
TIMEOUT=${BOOT_TIMEOUT:-$PATIENCE}

[ -e "$OUT/$IMAGE" ] || die "no kernel yet: scripts/build.sh $FLAVOUR"
need_packages perl:perl-base ip:iproute2 modprobe:kmod sysctl:procps mount:mount

RUN=$(mktemp -d "$OUT/run.XXXXXX")
trap 'rm -rf "$RUN"' EXIT
: > "$RUN/kernel.log"

# What the kernel does not know as a parameter it puts into the environment of
# init.
parameters+=(NETQUIC_RUN="$RUN" NETQUIC_BUILD="$BUILD" NETQUIC_CWD="$PWD")
shell=
if [ $# -eq 0 ]; then
	[ -t 0 ] || die "a shell needs a terminal; else give a command"
	shell=1
	read -r rows cols < <(stty size)
	parameters+=(NETQUIC_SHELL=1 NETQUIC_ROWS="$rows" NETQUIC_COLS="$cols"
		TERM="$TERM")
fi
# The guest has the command's input and output as its own; on 3 and 2, and in
# $RUN/kernel.log, its log.
case $MACHINE in
um) . "$(dirname "${BASH_SOURCE[0]}")/boot-um.sh" ;;
*) . "$(dirname "${BASH_SOURCE[0]}")/boot-qemu.sh" ;;
esac
guest=(${PIN:+taskset -c "$PIN"} "${guest[@]}")

timed_out=
if [ -n "$shell" ]; then
	echo 'exec bash -i' > "$RUN/command"
	saved=$(stty -g)
	"${guest[@]}" 3>> "$RUN/kernel.log" 2>&3 || true
	stty "$saved"
else
	printf '%q ' "$@" > "$RUN/command"
	# The guest makes its end non-blocking: cat keeps that from whoever
	# shares our standard output.
	mkfifo "$RUN/output"
	cat "$RUN/output" &
	cat=$!
	"${guest[@]}" 3>> "$RUN/kernel.log" 2>&3 < /dev/null > "$RUN/output" &
	pid=$!
	trap '{ kill -KILL $pid; wait $pid; } 2> /dev/null || true; rm -rf "$RUN"' EXIT
	trap 'exit 130' INT TERM
	deadline=$((SECONDS + TIMEOUT))
	while kill -0 $pid 2> /dev/null; do
		if [ $SECONDS -ge $deadline ]; then
			timed_out=1
			kill -KILL $pid
			break
		fi
		sleep 0.2
	done
	wait $pid 2> /dev/null || true
	wait $cat
fi

log=$RUN/kernel.log
# Not what the kernel's own start_kernel() leaks, before any initcall ran.
[ ! -s "$RUN/leaks" ] || awk '
	/^unreferenced object/ { first = $0; next }
	first { boot = /comm "swapper.*, pid 0,/; if (!boot) print first; first = "" }
	!boot' "$RUN/leaks" >> "$log"
cp "$log" "$BOOT_LOG.log"

if [ -n "$timed_out" ]; then
	status=124
	say "$FLAVOUR: no end after $TIMEOUT s, the guest was killed"
elif ! status=$(cat "$RUN/status" 2> /dev/null); then
	status=125
	say "$FLAVOUR: the guest died; the end of its log:"
	tail -n 30 "$log" >&2
fi
if trouble "$log" > "$BOOT_LOG.trouble"; then
	cat "$BOOT_LOG.trouble" >&2
	say "$FLAVOUR: the lines above are in $BOOT_LOG.log"
	[ "$status" != 0 ] || status=1
fi
exit "$status"
