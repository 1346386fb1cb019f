#!/bin/bash
# Boot a flavour, run a command in it as root and in this directory, and
# return its exit status; without a command, give a shell. The kernel log
# lands in build/FLAVOUR/kernel.log; a BUG, WARNING, sanitizer or leak report
# in it is a failure whatever the command returned.
#
#   scripts/boot.sh um|um-debug|um-pristine [command...]
#
# MEM=2G  BOOT_TIMEOUT=3600 (seconds)  NCPUS=2
# PIN=0 keeps the guest on the host's processor 0
# Exit status: the command's; 1 dirty log, 124 timeout, 125 guest died.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

flavour "${1:-um}"
[ $# -eq 0 ] || shift
OUT=$BUILD/$FLAVOUR
options=()
case $FLAVOUR in
um-debug)
	MEM=${MEM:-3G}
	# Per-CPU slab caches hold stale pointers, and kmemleak would believe
	# that everything leaked is still in use.
	options=(slab_debug=F)
	;;
*) MEM=${MEM:-2G} ;;
esac
TIMEOUT=${BOOT_TIMEOUT:-3600}

[ -x "$OUT/vmlinux" ] || die "no kernel yet: scripts/build.sh $FLAVOUR"
need_packages perl:perl-base ip:iproute2 modprobe:kmod sysctl:procps mount:mount setsid:util-linux

# Sign of trouble in a kernel log.
TROUBLE='BUG:|WARNING:|Oops|Kernel panic|KASAN:|UBSAN:|unreferenced object'
TROUBLE+='|scheduling while atomic|sleeping function called|refcount_t:'
TROUBLE+='|unregister_netdevice: waiting|rcu: INFO:|detected stall'
TROUBLE+='|Kernel mode fault|general protection fault|blocked for more than'

# User Mode Linux keeps the guest's memory in a file that it maps executable.
memory_dir() {
	local dir need=$((${MEM%G} * 1024 * 1024))

	for dir in ${TMPDIR:+"$TMPDIR"} /dev/shm /tmp "$BUILD"; do
		[ -w "$dir" ] || continue
		case ,$(findmnt -n -o OPTIONS -T "$dir"), in *,noexec,*) continue ;; esac
		[ "$(df -k --output=avail "$dir" | tail -n 1)" -ge "$need" ] || continue
		echo "$dir"
		return
	done
	die "no directory with $MEM of room for the guest's memory; set TMPDIR or MEM"
}

RUN=$(mktemp -d "$OUT/run.XXXXXX")
trap 'rm -rf "$RUN"' EXIT
: > "$RUN/kernel.log"
TMPDIR=$(memory_dir)
export TMPDIR

# Kernel log on terminal 1, the command on terminal 0. What the kernel does not
# know as a parameter it puts into the environment of init.
guest=(${PIN:+taskset -c "$PIN"} "$OUT/vmlinux" mem="$MEM" ncpus="${NCPUS:-2}" seccomp=on
	root=/dev/root rootfstype=hostfs rootflags=/ ro oops=panic "${options[@]}"
	init="$ROOT/scripts/guest-init.sh" con=null "con1=null,fd:3" console=tty1
	uml_dir="$RUN" umid=guest
	NETQUIC_RUN="$RUN" NETQUIC_BUILD="$BUILD" NETQUIC_CWD="$PWD")

timed_out=
if [ $# -eq 0 ]; then
	[ -t 0 ] || die "a shell needs a terminal; else give a command"
	echo 'exec bash -i' > "$RUN/command"
	saved=$(stty -g)
	read -r rows cols < <(stty size)
	"${guest[@]}" con0=fd:0,fd:1 NETQUIC_SHELL=1 NETQUIC_ROWS="$rows" \
		NETQUIC_COLS="$cols" TERM="$TERM" \
		3>> "$RUN/kernel.log" 2>&3 || true
	stty "$saved"
else
	printf '%q ' "$@" > "$RUN/command"
	# The guest makes its end non-blocking: cat keeps that from whoever
	# shares our standard output.
	mkfifo "$RUN/output"
	cat "$RUN/output" &
	cat=$!
	"${guest[@]}" con0=null,fd:1 3>> "$RUN/kernel.log" 2>&3 \
		< /dev/null > "$RUN/output" &
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
cp "$log" "$OUT/kernel.log"

if [ -n "$timed_out" ]; then
	status=124
	say "$FLAVOUR: no end after $TIMEOUT s, the guest was killed"
elif ! status=$(cat "$RUN/status" 2> /dev/null); then
	status=125
	say "$FLAVOUR: the guest died; the end of its log:"
	tail -n 30 "$log" >&2
fi
if grep -nE "$TROUBLE" "$log" >&2; then
	say "$FLAVOUR: the lines above are in $OUT/kernel.log"
	[ "$status" != 0 ] || status=1
fi
exit "$status"
