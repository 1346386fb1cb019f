# shellcheck shell=bash
# The command line of a flavour of User Mode Linux, for boot.sh: sets "guest".

need_packages setsid:util-linux

# It keeps the guest's memory in a file that it maps executable.
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

TMPDIR=$(memory_dir)
export TMPDIR

# Kernel log on terminal 1, the command on terminal 0
guest=("$OUT/$IMAGE" mem="$MEM" ncpus="$NCPUS" seccomp=on
	root=/dev/root rootfstype=hostfs rootflags=/ "${parameters[@]}"
	init="$ROOT/scripts/guest-init.sh" con=null "con1=null,fd:3" console=tty1
	uml_dir="$RUN" umid=guest NETQUIC_TTY=tty0)
if [ -n "$shell" ]; then
	guest+=("con0=fd:0,fd:1")
else
	guest+=("con0=null,fd:1")
fi
