#!/bin/bash
# First process of the guest, started by boot.sh; never run on the host.
# Lays an overlay in memory over the host's files, mounts build/ writable, and
# runs $NETQUIC_RUN/command; its exit status goes to $NETQUIC_RUN/status.

export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=${TERM:-linux}

# Halt without an init system: reboot(LINUX_REBOOT_CMD_POWER_OFF)
power_off() {
	local reboot

	case $(uname -m) in
	s390x) reboot=88 ;;
	aarch64) reboot=142 ;;
	*) reboot=169 ;;
	esac
	sync
	perl -e "syscall($reboot, 0xfee1dead, 672274793, 0x4321fedc, 0)"
}
trap power_off EXIT

if [ "${1:-}" != inside ]; then
	mount -n -t devtmpfs devtmpfs /dev
	exec < "/dev/$NETQUIC_TTY" > "/dev/$NETQUIC_TTY" 2>&1
	set -e
	mount -n -t tmpfs -o mode=755 tmpfs /run
	mkdir /run/upper /run/work /run/root
	# A distribution has it as a module.
	overlay=$(dirname "$NETQUIC_RUN")/modroot/lib/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko
	[ ! -e "$overlay" ] || insmod "$overlay"
	mount -n -t overlay overlay -o lowerdir=/,upperdir=/run/upper,workdir=/run/work /run/root
	cd /run/root
	mount -n -t devtmpfs devtmpfs dev
	pivot_root . mnt
	exec chroot . "$0" inside
fi

set -e
mount -n -t proc proc /proc
# Not before /proc: umount would read that of the host.
umount -n -l /mnt
mount -n -t sysfs sysfs /sys
mount -n -t tmpfs -o mode=755 tmpfs /run
mkdir -p /dev/pts /dev/shm /run/lock
ln -s /proc/self/fd /dev/fd
ln -s fd/0 /dev/stdin
ln -s fd/1 /dev/stdout
ln -s fd/2 /dev/stderr
mount -n -t devpts -o ptmxmode=666,gid=5 devpts /dev/pts
mount -n -t tmpfs -o mode=1777 tmpfs /dev/shm
mkdir -p "$NETQUIC_BUILD"
if [ -n "${NETQUIC_9P:-}" ]; then
	mount -n -t 9p -o "$NETQUIC_9P" build "$NETQUIC_BUILD"
else
	# Old mount programs hand the path over as it is, newer ones by name.
	mount -n -t hostfs -o "$NETQUIC_BUILD" build "$NETQUIC_BUILD" 2> /dev/null ||
		mount -n -t hostfs -o "hostfs=$NETQUIC_BUILD" build "$NETQUIC_BUILD"
fi
# These depend on the configuration.
mount -n -t debugfs debugfs /sys/kernel/debug 2> /dev/null || true
mount -n -t cgroup2 cgroup2 /sys/fs/cgroup 2> /dev/null || true
mount -n -t bpf bpf /sys/fs/bpf 2> /dev/null || true

modules=$(dirname "$NETQUIC_RUN")/modroot/lib/modules/$(uname -r)
mkdir -p /lib/modules
[ ! -d "$modules" ] || ln -sfn "$modules" "/lib/modules/$(uname -r)"
ip link set lo up

leaks=/sys/kernel/debug/kmemleak
# What booting leaked is not ours.
if [ -e $leaks ]; then
	echo scan=off > $leaks
	echo scan > $leaks
	echo scan > $leaks
	echo clear > $leaks
fi

# Booting, with one processor at work, has data races that are nobody's here.
kcsan=/sys/kernel/debug/kcsan
[ ! -e $kcsan ] || echo on > $kcsan

# The root file system of another machine has not every directory.
cd "$NETQUIC_CWD" 2> /dev/null || cd /
if [ -n "${NETQUIC_SHELL:-}" ]; then
	stty rows "${NETQUIC_ROWS:-24}" cols "${NETQUIC_COLS:-80}"
	setsid -c bash "$NETQUIC_RUN/command" && status=0 || status=$?
else
	stty raw -echo
	bash "$NETQUIC_RUN/command" && status=0 || status=$?
fi

# An object has to be 5 s old, and unreachable twice, to be reported.
if [ -e $leaks ]; then
	sleep 6
	echo scan > $leaks
	sleep 1
	echo scan > $leaks
	cat $leaks > "$NETQUIC_RUN/leaks"
fi
[ ! -e $kcsan ] || echo off > $kcsan
echo "$status" > "$NETQUIC_RUN/status"
