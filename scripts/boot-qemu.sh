# shellcheck shell=bash
# The command line of a flavour in QEMU, for boot.sh: sets "guest".
#
# Processors are emulated, one thread of the host each. To count instructions:
# QEMU_OPTIONS="-icount shift=0" NCPUS=1, and each takes one nanosecond of the
# guest's time, in every run the same. With QEMU_CPU=max,-erms,-fsrm, since QEMU counts
# every byte of "rep movsb", which the kernel copies with where a processor is fast at it.

init=$ROOT/scripts/guest-init.sh
quirks=
case $MACHINE in
x86_64)
	need_packages qemu-system-x86_64:qemu-system-x86
	# On a busy host no timer keeps its promises while it is looked at.
	bus=pci console=ttyS0 quirks="no_timer_check tsc=nowatchdog"
	# With five levels an interrupt while features are read lets KASAN think
	# for a moment that there are four.
	quirks+=" no5lvl"
	# On the older "pc" a loop of ACPI's says which interrupts the devices
	# have, and is aborted after 30 s under KASAN and lockdep.
	guest=(qemu-system-x86_64 -machine q35 -serial chardev:log)
	;;
s390x)
	need_packages qemu-system-s390x:qemu-system-misc
	bus=ccw console=ttysclp0
	guest=(qemu-system-s390x -machine s390-ccw-virtio
		-device "sclpconsole,chardev=log")
	;;
arm64)
	need_packages qemu-system-aarch64:qemu-system-arm
	bus=pci console=ttyAMA0
	guest=(qemu-system-aarch64 -machine virt -serial chardev:log)
	;;
esac

# The host's files, or those of a system for that machine, which has no clone.
if [ "$GUEST_ROOT" != / ]; then
	init=/netquic-init
	cp "$ROOT/scripts/guest-init.sh" "$GUEST_ROOT$init"
fi
ninep=trans=virtio,version=9p2000.L,msize=262144,cache=loose

# share NAME DIRECTORY [option]: a directory of the host that the guest can mount
share() {
	guest+=(-fsdev "local,id=$1,path=$2,security_model=none,multidevs=remap${3:-}"
		-device "virtio-9p-$bus,fsdev=$1,mount_tag=$1")
}

guest+=(-nodefaults -no-user-config -display none -no-reboot
	-accel tcg -cpu "${QEMU_CPU:-max}" -smp "$NCPUS" -m "$MEM" -kernel "$OUT/$IMAGE"
	-chardev "file,id=log,path=$RUN/kernel.log,append=on"
	-chardev "stdio,id=command,signal=off"
	-device "virtio-serial-$bus" -device "virtconsole,chardev=command")
share root "$GUEST_ROOT" ,readonly=on
share build "$BUILD"
guest+=(-append "root=root rootfstype=9p rootflags=$ninep console=$console panic=-1 $quirks
	init=$init ${parameters[*]} NETQUIC_TTY=hvc0 NETQUIC_9P=$ninep")
read -ra options <<< "${QEMU_OPTIONS:-}"
guest+=("${options[@]}")
