#!/bin/bash
# Inside the guest: devices and modules, then the benchmark. bench.sh runs it.
#
#   guest.sh DIRECTORY MODE quic_bench...     the module is in DIRECTORY

set -euo pipefail

here=$1 mode=$2
shift 2

# dummy drops what it is given, without segmenting or checksumming it.
ip link add bench0 mtu 9000 type dummy
ip link set bench0 up
ip addr add 10.9.0.1/24 dev bench0
ip addr add fd00:9::1/64 dev bench0 nodad
ip neigh add 10.9.0.2 lladdr 02:00:00:00:09:02 dev bench0
ip neigh add fd00:9::2 lladdr 02:00:00:00:09:02 dev bench0

# Behind veth there is a receiver.
ip netns add receiver
ip link add bench1 mtu 9000 type veth peer name bench2 mtu 9000 netns receiver
ip link set bench1 up
ip addr add 10.8.0.1/24 dev bench1
ip addr add fd00:8::1/64 dev bench1 nodad
ip -n receiver link set bench2 up
ip -n receiver addr add 10.8.0.2/24 dev bench2
ip -n receiver addr add fd00:8::2/64 dev bench2 nodad
# The same, but packets go one by one, and GRO joins them.
ip link add bench3 mtu 9000 gso_max_segs 1 type veth peer name bench4 mtu 9000 netns receiver
ip link set bench3 up
ip addr add 10.7.0.1/24 dev bench3
ip addr add fd00:7::1/64 dev bench3 nodad
ip -n receiver link set bench4 up
ip -n receiver addr add 10.7.0.2/24 dev bench4
ip -n receiver addr add fd00:7::2/64 dev bench4 nodad
# Protects packets, but for the arithmetic, and takes trains as they are. Nobody behind
# it has their address. That of a kernel without the series is not used, and where kernels
# are compared all have the same devices: with more of them IPv6's routes take longer.
knob=/sys/kernel/debug/netdevsim/netdevsim5/ports/0/quic/null_cipher
[ ! -d /sys/bus/netdevsim ] || [[ $mode = @(plain*|others) ]] ||
	echo "5 1" > /sys/bus/netdevsim/new_device
if [ -e $knob ]; then
	echo "6 1" > /sys/bus/netdevsim/new_device
	device=$(ls /sys/bus/netdevsim/devices/netdevsim5/net)
	ip link set "$device" name bench5
	ip link set "$(ls /sys/bus/netdevsim/devices/netdevsim6/net)" name bench6
	exec 10< /proc/self/ns/net
	echo "10:$(cat /sys/class/net/bench5/ifindex) 10:$(cat /sys/class/net/bench6/ifindex)" \
		> /sys/bus/netdevsim/link_device
	exec 10<&-
	ethtool -K bench5 tx-udp-segmentation on
	echo 1 > $knob
	ip link set bench5 mtu 9000 up
	ip link set bench6 mtu 9000 up
	ip addr add 10.6.0.1/24 dev bench5
	ip addr add fd00:6::1/64 dev bench5 nodad
	ip neigh add 10.6.0.2 lladdr 02:00:00:00:09:02 dev bench5
	ip neigh add fd00:6::2 lladdr 02:00:00:00:09:02 dev bench5
fi

ip netns exec receiver "$@" gro bench4
"$@" no-tso bench3

ip netns exec receiver "$@" sink &
trap 'kill %1' EXIT

# Modules cannot link to the assembly below gcm(aes): tell ours where it is.
address() {
	awk -v name="aes_gcm_$1_vaes_avx512" '$3 == name { print "0x" $1 }' "$here/System.map"
}
if [ -n "$(address enc_update)" ]; then
	insmod "$here/module/quic_bench.ko" gcm_aad="$(address aad_update)" \
		gcm_update="$(address enc_update)" gcm_final="$(address enc_final)"
else
	insmod "$here/module/quic_bench.ko"
fi

# plain STATE: what plain UDP takes, with the state of the kernel in front
plain() {
	taskset -c 0 "${program[@]}" plain-instructions | sed "s/^/other\t$1\t/"
}

if [ "$mode" = others ]; then
	program=("$@")
	# Once IPv6 has been sent to it takes longer, with the series and without.
	plain first
	plain unloaded
	# A kernel that has nothing to load is what it was.
	modprobe quic 2> /dev/null || exit 0
	plain loaded
	coproc "${program[@]}" hold
	read -r -u "${COPROC[0]}"
	plain attached
	# shellcheck disable=SC2154 # coproc sets it
	kill "$COPROC_PID"
	exit
fi

# A kernel without the series has neither.
if modprobe quic 2> /dev/null; then
	sysctl -q user.max_quic_flows=1000000
fi

taskset -c 0 "$@" "$mode"

awk '
	BEGIN { n = split("gcm(aes) ccm(aes) rfc7539(chacha20,poly1305)", algs, " ") }
	$1 == "name" { name = $3 }
	$1 == "driver" { driver = $3 }
	$1 == "priority" && $3 > best[name] { best[name] = $3; chosen[name] = driver }
	END { for (i = 1; i <= n; i++) print "driver\t" algs[i] "\t" chosen[algs[i]] }' /proc/crypto
