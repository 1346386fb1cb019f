#!/bin/bash
# See that the packages of deb.sh work: install the kernel in a small Debian of this
# machine's release, as anybody would, put that on a disk, boot it in QEMU, and make
# transfers there, those of `make run`.
#
#   scripts/deb-try.sh                 DEMO_MB=2 (a file's size)  BOOT_TIMEOUT=3600
#
# The disk has no boot loader: kernel and initrd are those that the package, and the
# initramfs-tools there, have put into its /boot, and QEMU loads them.

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
. "$(dirname "${BASH_SOURCE[0]}")/debian-lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/trouble-lib.sh"

DIR=$BUILD/deb
GUEST=$DIR/root
LOG=$DIR/root.log
CONSOLE=$DIR/try.log		# the kernel's and systemd's
OUTPUT=$DIR/try.output		# the transfers'
HOME_IN_GUEST=/opt/net-quic

in_guest() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$GUEST" "$@"
}

# What somebody has who installs a kernel, and what the demonstration runs
get_root() {
	local suite packages

	[ ! -d "$GUEST" ] || return 0
	suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	packages=systemd-sysv,udev,initramfs-tools,e2fsprogs,kmod,procps,iproute2,openssl
	packages+=,ngtcp2-server,ngtcp2-client
	say "Debian $suite for a disk (about two minutes)"
	debootstrap_new "$GUEST.new" "$suite" "$LOG" --include="$packages"
	rm -rf "$GUEST.new"/var/cache/apt/archives/*.deb
	echo "/dev/vda / ext4 defaults 0 1" > "$GUEST.new/etc/fstab"
	mv "$GUEST.new" "$GUEST"
}

install_kernel() {
	local deb=$1

	say "Installing ${deb##*/} there"
	cp "$deb" "$GUEST/tmp"
	# The hooks run, whatever was there before.
	logged "the package cannot be installed" \
		in_guest apt-get install -y --reinstall --allow-downgrades "/tmp/${deb##*/}"
	rm "$GUEST/tmp/${deb##*/}"
}

# The programs that the transfers are made with, and who starts them
install_transfers() {
	rm -rf "$GUEST$HOME_IN_GUEST"
	mkdir -p "$GUEST$HOME_IN_GUEST"
	cp -a "$SELFTESTS" "$GUEST$HOME_IN_GUEST/selftests"
	cp "$ROOT/scripts/deb-guest.sh" "$GUEST$HOME_IN_GUEST"
	cat > "$GUEST/etc/systemd/system/deb-guest.service" <<-END
		[Unit]
		Description=Transfers over QUIC
		After=multi-user.target
		SuccessAction=poweroff
		FailureAction=poweroff

		[Service]
		Type=oneshot
		Environment=DEMO_MB=${DEMO_MB:-2} HOME=/root
		ExecStart=$HOME_IN_GUEST/deb-guest.sh
		StandardOutput=tty
		StandardError=tty
		TTYPath=/dev/ttyS1

		[Install]
		WantedBy=default.target
	END
	logged "no service" in_guest systemctl enable deb-guest.service
}

# Ends by itself: the service powers the guest off, a panic reboots it.
boot() {
	local guest=(qemu-system-x86_64 -machine q35 -nodefaults -no-user-config
		-display none -no-reboot -accel tcg -cpu max -smp 2 -m 2G
		-kernel "$GUEST/boot/vmlinuz-$release" -initrd "$GUEST/boot/initrd.img-$release"
		-append "root=/dev/vda ro console=ttyS0 panic=-1 oops=panic no_timer_check tsc=nowatchdog"
		-drive "if=none,id=disk,format=raw,file=$DIR/disk"
		-device "virtio-blk-pci,drive=disk"
		-chardev "file,id=log,path=$CONSOLE" -serial chardev:log
		-chardev "stdio,id=output,signal=off" -serial chardev:output)

	timeout "${BOOT_TIMEOUT:-3600}" "${guest[@]}" < /dev/null | sed -u 's,\r$,,' | tee "$OUTPUT"
}

# wanted PATTERN: a line of the output
wanted() {
	grep -qE "$1" "$OUTPUT" || die "the guest did not say '$1': see $OUTPUT and $CONSOLE"
}

lock
need_packages qemu-system-x86_64:qemu-system-x86 mke2fs:e2fsprogs
deb=$(echo "$DIR"/linux-image-*.deb)
[ -f "$deb" ] || die "no package yet: make deb"
release=${deb##*/linux-image-}
release=${release%%_*}
: > "$LOG"
get_root
install_kernel "$deb"
[ -s "$GUEST/boot/initrd.img-$release" ] || die "initramfs-tools made no initrd: see $LOG"

flavour x86_64
# shellcheck disable=SC2034 # install_selftests reads it
COLLECTIONS=(net/quic/tools)
SELFTESTS=$DIR/selftests
install_selftests
install_transfers

say "Writing a disk"
rm -f "$DIR/disk"
logged "no disk" mke2fs -q -t ext4 -d "$GUEST" "$DIR/disk" 2G
say "Booting $release"
boot || die "QEMU ended with $?: see $CONSOLE"

if trouble "$CONSOLE" >&2; then
	die "the lines above are in $CONSOLE"
fi
wanted "^Linux $release .* /dev/vda +ext4$"
wanted "^/lib/modules/$release/.*/quic\.ko is of linux-image-$release "
wanted '^ +server +QuicTxSwPackets +0 +[1-9]'
wanted '^ +client +QuicRxSwPackets +0 +[1-9]'
wanted '^equal$'
rm "$DIR/disk"
say "The package works: transfers in $OUTPUT, the log of the kernel in $CONSOLE"
