/* SPDX-License-Identifier: GPL-2.0 */
/* The ways that trains go which were left to quic0, for device_leaks.c */

/* Batches for ip(8), before keys are on the device */
#define OUTSIDE(device, n)						\
	"address add 203.0.113." n "/24 dev " device "\n"
#define OUTSIDE_NEIGHBOUR						\
	"neigh replace 203.0.113.2 lladdr " MAC_THERE " dev quic2 nud permanent\n"
#define UP(device) "link set " device " addrgenmode none up\n"

/* Lines for sh(1), when they are */
#define ROUTE(device)							\
	"ip route replace 192.0.2.2 dev " device " src 192.0.2.1\n"	\
	"ip -6 route replace 2001:db8::2 dev " device " src 2001:db8::1\n"
#define KNOWN(device)							\
	"ip neigh replace 192.0.2.2 lladdr " MAC_THERE " dev " device	\
	" nud permanent\n"						\
	"ip neigh replace 2001:db8::2 lladdr " MAC_THERE " dev " device	\
	" nud permanent\n"
/* What arrives at a device here goes on by quic2. */
#define FORWARD(device)							\
	"echo 1 > /proc/sys/net/ipv4/ip_forward\n"			\
	"echo 1 > /proc/sys/net/ipv4/conf/all/accept_local\n"		\
	"echo 0 > /proc/sys/net/ipv4/conf/all/send_redirects\n"		\
	"echo 0 > /proc/sys/net/ipv4/conf/quic2/send_redirects\n"	\
	"echo 1 > /proc/sys/net/ipv6/conf/all/forwarding\n"		\
	"ip rule add iif " device " lookup 100\n"			\
	"ip -6 rule add iif " device " lookup 100\n"			\
	"ip route add 192.0.2.2 dev quic2 table 100\n"			\
	"ip -6 route add 2001:db8::2 dev quic2 table 100\n"
#define MIRRED(what, to)						\
	"tc qdisc add dev quic0 clsact\n"				\
	"tc filter add dev quic0 egress matchall action mirred " what	\
	" dev " to "\n"
#define NFT(rules) "nft -f - <<EOF\n" rules "\nEOF\n"
#define OUTPUT(family, type, rule)					\
	"table " family " leaks { chain out { type " type " hook output priority 0;\n" \
	"meta l4proto udp " rule "\n}\n}\n"
#define EGRESS(rule)							\
	"table netdev leaks { chain out { type filter hook egress device quic0 priority 0;\n" \
	"meta l4proto udp " rule "\n}\n}\n"
#define ESP								\
	"mode transport enc 'cbc(aes)' 0x000102030405060708090a0b0c0d0e0f " \
	"auth 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f\n"
/* After routing: another way for what has been marked there */
#define REROUTE								\
	NFT(OUTPUT("ip", "route", "meta mark set 1")			\
	    OUTPUT("ip6", "route", "meta mark set 1"))

/* Whether the kernel has what some ways need */
#define HAS_TC "unshare -n tc qdisc add dev lo clsact"
#define HAS_TBF "unshare -n tc qdisc add dev lo root tbf rate 1mbit burst 3000 latency 1s"
#define HAS_NFT "unshare -n nft list tables"
#define HAS_IPTFS "grep -qw iptfs_output_collect /proc/kallsyms || modprobe -q xfrm_iptfs"
#define HAS_LINK(type) "unshare -n ip link add type " type

/* Another device, which does not protect, or not yet */

FIXTURE_VARIANT_ADD(leaks, straight) { {
	.arrives = 1, .device = 1,
} };
FIXTURE_VARIANT_ADD(leaks, moved) { {
	.divert = ROUTE("quic2"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, bridge) { {
	.needs = HAS_LINK("bridge"),
	.here = "link add path0 type bridge\n"
		"link set quic2 master path0\n" UP("path0"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, bridge_on_top) { {
	.needs = HAS_LINK("bridge"),
	.here = "link add path0 type bridge\n" UP("path0"),
	.divert = "ip link set quic0 master path0\n"
		  ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, vlan) { {
	.here = "link add link quic2 name path0 type vlan id 7\n" UP("path0"),
	.there = "link add link quic3 name path1 type vlan id 7\n" UP("path1"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
/* It has no checksums made for it: nothing is left to a device. */
FIXTURE_VARIANT_ADD(leaks, vlan_on_top) { {
	.here = "link add link quic0 name path0 type vlan id 7\n" UP("path0"),
	.there = "link add link quic1 name path1 type vlan id 7\n" UP("path1"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1,
} };
FIXTURE_VARIANT_ADD(leaks, bond) { {
	.here = "link add path0 type bond mode active-backup\n"
		"link set quic2 down\nlink set quic2 master path0\n"
		UP("path0") UP("quic2"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, macvlan) { {
	.here = "link add link quic2 name path0 type macvlan mode private\n"
		UP("path0"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, macvlan_on_top) { {
	.here = "link add link quic0 name path0 type macvlan mode bridge\n"
		UP("path0"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
/* It shows what goes through it to taps that are bound to it. */
FIXTURE_VARIANT_ADD(leaks, vrf) { {
	.here = "link add path0 type vrf table 10\nlink set path0 up\n"
		"link set quic0 master path0\n",
	.bound = "path0",
	.arrives = 1, .device = 1,
} };
/* Then there is no short way through it. */
FIXTURE_VARIANT_ADD(leaks, vrf_with_queue) { {
	.here = "link add path0 type vrf table 10\nlink set path0 up\n"
		"link set quic0 master path0\n",
	.divert = "tc qdisc add dev path0 root pfifo\n",
	.bound = "path0",
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, sit) { {
	.needs = HAS_LINK("sit remote 203.0.113.2"),
	.here = OUTSIDE("quic2", "1") OUTSIDE_NEIGHBOUR
		"link add path0 type sit mode any local 203.0.113.1 "
		"remote 203.0.113.2\n" UP("path0"),
	.there = OUTSIDE("quic3", "2")
		"link add path1 type sit mode any local 203.0.113.2 "
		"remote 203.0.113.1\n" UP("path1"),
	.divert = ROUTE("path0"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, gre) { {
	.here = OUTSIDE("quic2", "1") OUTSIDE_NEIGHBOUR
		"link add path0 type gre local 203.0.113.1 remote 203.0.113.2\n"
		UP("path0"),
	.there = OUTSIDE("quic3", "2")
		"link add path1 type gre local 203.0.113.2 remote 203.0.113.1\n"
		UP("path1"),
	.divert = ROUTE("path0"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, vxlan) { {
	.here = OUTSIDE("quic2", "1") OUTSIDE_NEIGHBOUR
		"link add path0 type vxlan id 42 dstport 4789 dev quic2 "
		"local 203.0.113.1 remote 203.0.113.2\n" UP("path0"),
	.there = OUTSIDE("quic3", "2")
		"link add path1 address " MAC_THERE " type vxlan id 42 "
		"dstport 4789 dev quic3 local 203.0.113.2 "
		"remote 203.0.113.1\n" UP("path1"),
	.divert = ROUTE("path0") KNOWN("path0"),
	.arrives = 1, .fallback = 1,
} };
/* What it carries is seen on path0 and path1 only. */
FIXTURE_VARIANT_ADD(leaks, wireguard) { {
	.here = OUTSIDE("quic2", "1") OUTSIDE_NEIGHBOUR
		"link add path0 type wireguard\n" UP("path0"),
	.there = OUTSIDE("quic3", "2")
		"link add path1 type wireguard\n" UP("path1"),
	.divert = ROUTE("path0"),
	.wireguard = true,
	.arrives = 1, .fallback = 1,
} };
/* Over the device that would protect what is not in a tunnel */
FIXTURE_VARIANT_ADD(leaks, sit_on_top) { {
	.needs = HAS_LINK("sit remote 203.0.113.2"),
	.here = OUTSIDE("quic0", "1")
		"neigh replace 203.0.113.2 lladdr " MAC_THERE
		" dev quic0 nud permanent\n"
		"link add path0 type sit mode any local 203.0.113.1 "
		"remote 203.0.113.2\n" UP("path0"),
	.there = OUTSIDE("quic1", "2")
		"link add path1 type sit mode any local 203.0.113.2 "
		"remote 203.0.113.1\n" UP("path1"),
	.divert = ROUTE("path0"),
	.arrives = 1, .fallback = 1,
} };

/* Traffic control */

FIXTURE_VARIANT_ADD(leaks, mirror) { {
	.needs = HAS_TC,
	.divert = MIRRED("egress mirror", "quic2"),
	.arrives = 2, .device = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, redirect) { {
	.needs = HAS_TC,
	.divert = MIRRED("egress redirect", "quic2"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, redirect_to_second) { {
	.needs = HAS_TC,
	.second = true,
	.divert = MIRRED("egress redirect", "quic4"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, mirror_to_ingress) { {
	.needs = HAS_TC,
	.divert = FORWARD("quic2") MIRRED("ingress mirror", "quic2"),
	.arrives = 2, .device = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, redirect_to_ingress) { {
	.needs = HAS_TC,
	.divert = FORWARD("quic2") MIRRED("ingress redirect", "quic2"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, netem_duplicate) { {
	.divert = "tc qdisc add dev quic0 root netem duplicate 100%\n",
	.arrives = 2, .device = 2,
} };
FIXTURE_VARIANT_ADD(leaks, netem_corrupt) { {
	.divert = "tc qdisc add dev quic0 root netem corrupt 100%\n",
	.corrupt = true,
} };
FIXTURE_VARIANT_ADD(leaks, tbf) { {
	.needs = HAS_TBF,
	.divert = "tc qdisc add dev quic0 root tbf rate 1gbit burst 3000 "
		  "latency 10s\n",
	.arrives = 1, .device = 1,
} };

/* BPF */

FIXTURE_VARIANT_ADD(leaks, bpf_redirect) { {
	.bpf = "quic2",
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, bpf_clone) { {
	.bpf = "quic2", .clone = true,
	.arrives = 2, .device = 1, .fallback = 1,
} };
/* It is looked whether the frame is for this device. */
FIXTURE_VARIANT_ADD(leaks, bpf_redirect_to_ingress) { {
	.bpf = "quic2", .ingress = true,
	.divert = "ip link set quic2 address " MAC_THERE "\n"
		  KNOWN("quic2") FORWARD("quic2"),
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, bpf_clone_to_ingress) { {
	.bpf = "quic2", .clone = true, .ingress = true,
	.divert = "ip link set quic2 address " MAC_THERE "\n"
		  KNOWN("quic2") FORWARD("quic2"),
	.arrives = 2, .device = 1, .fallback = 1,
} };
/* Of a device without link layer */
FIXTURE_VARIANT_ADD(leaks, bpf_redirect_to_tunnel) { {
	.needs = HAS_LINK("sit remote 203.0.113.2"),
	.here = "link add path0 type sit mode any local 203.0.113.1 "
		"remote 203.0.113.2\n" UP("path0"),
	.bpf = "path0", .ingress = true,
	.divert = FORWARD("path0"),
	.arrives = 1, .fallback = 1,
} };

/* Netfilter */

FIXTURE_VARIANT_ADD(leaks, nft_dup) { {
	.needs = HAS_NFT,
	.divert = NFT(OUTPUT("ip", "filter", "dup to 198.51.100.2 device quic2")
		      OUTPUT("ip6", "filter",
			     "dup to 2001:db8:1::2 device quic2")),
	.arrives = 2, .device = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, nft_dup_on_egress) { {
	.needs = HAS_NFT,
	.divert = NFT(EGRESS("dup to quic2")),
	.arrives = 2, .device = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, nft_fwd) { {
	.needs = HAS_NFT,
	.divert = NFT(EGRESS("fwd to quic2")),
	.arrives = 1, .fallback = 1,
} };
/* Packets that have been cut have their checksums. */
FIXTURE_VARIANT_ADD(leaks, nft_queue) { {
	.needs = HAS_NFT,
	.divert = NFT(OUTPUT("inet", "filter", "queue num 0")),
	.queue = SINGLY,
	.arrives = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, nft_queue_whole) { {
	.needs = HAS_NFT,
	.divert = NFT(OUTPUT("inet", "filter", "queue num 0")),
	.queue = WHOLE,
	.arrives = 1, .device = 1,
} };
/* The error has part of the packet in it. */
FIXTURE_VARIANT_ADD(leaks, nft_reject) { {
	.needs = HAS_NFT,
	.divert = NFT(OUTPUT("inet", "filter", "reject with icmpx type host-unreachable")),
	.err = EPERM, .error = true,
} };
FIXTURE_VARIANT_ADD(leaks, nft_reroute) { {
	.needs = HAS_NFT,
	.divert = "ip rule add fwmark 1 lookup 100\n"
		  "ip -6 rule add fwmark 1 lookup 100\n"
		  "ip route add 192.0.2.2 dev quic2 table 100\n"
		  "ip -6 route add 2001:db8::2 dev quic2 table 100\n" REROUTE,
	.arrives = 1, .fallback = 1,
} };
/* They are cut where they leave. */
FIXTURE_VARIANT_ADD(leaks, smaller_mtu) { {
	.needs = HAS_NFT,
	.segment = 1416,
	.divert = "ip rule add fwmark 1 lookup 100\n"
		  "ip -6 rule add fwmark 1 lookup 100\n"
		  "ip route add 192.0.2.2 dev quic2 table 100\n"
		  "ip -6 route add 2001:db8::2 dev quic2 table 100\n"
		  "ip link set quic2 mtu 1280\n" REROUTE,
	.arrives = 1, .fallback = 1,
} };
/* IPsec for what is marked, which is not known when it is sent */
FIXTURE_VARIANT_ADD(leaks, ipsec) { {
	.needs = HAS_NFT,
	.there = "xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 7 "
		 ESP "xfrm state add src 2001:db8::1 dst 2001:db8::2 proto esp "
		 "spi 7 " ESP,
	.divert = "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp "
		  "spi 7 " ESP "ip xfrm state add src 2001:db8::1 "
		  "dst 2001:db8::2 proto esp spi 7 " ESP
		  "ip xfrm policy add src 192.0.2.1 dst 192.0.2.2 dir out "
		  "mark 1 tmpl proto esp mode transport\n"
		  "ip xfrm policy add src 2001:db8::1 dst 2001:db8::2 dir out "
		  "mark 1 tmpl proto esp mode transport\n" REROUTE,
	.arrives = 1, .fallback = 1, .hidden = true,
} };

/* A tunnel where packets wait for others, after they were protected */
FIXTURE_VARIANT_ADD(leaks, iptfs_after_routing) { {
	.needs = HAS_NFT " && " HAS_IPTFS,
	.here = OUTSIDE("quic2", "1") OUTSIDE_NEIGHBOUR,
	.there = OUTSIDE("quic3", "2"),
	.divert = REROUTE,
	.iptfs = true,
	.arrives = 1, .fallback = 1, .hidden = true,
} };

/* What comes back to this host */

FIXTURE_VARIANT_ADD(leaks, local) { {
	.divert = "ip address add 192.0.2.2/32 dev lo\n"
		  "ip address add 2001:db8::2/128 dev lo nodad\n",
	.arrives_here = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, multicast) { {
	.divert = "ip route add 224.0.0.0/4 dev quic0 src 192.0.2.1\n",
	.to4 = "239.1.2.3", .to6 = "ff02::1",
	.arrives = 1, .arrives_here = 1, .device = 1, .fallback = 1,
} };
FIXTURE_VARIANT_ADD(leaks, broadcast) { {
	.to4 = "192.0.2.255", .only = AF_INET, .broadcast = true,
	.arrives = 1, .arrives_here = 1, .device = 1, .fallback = 1,
} };
/* They have waited for it in vain, the error has part of the packet in it. */
FIXTURE_VARIANT_ADD(leaks, no_neighbour) { {
	.divert = "echo 1 > /proc/sys/net/ipv4/neigh/quic0/mcast_solicit\n"
		  "echo 1 > /proc/sys/net/ipv6/neigh/quic0/mcast_solicit\n"
		  "echo 50 > /proc/sys/net/ipv4/neigh/quic0/retrans_time_ms\n"
		  "echo 50 > /proc/sys/net/ipv6/neigh/quic0/retrans_time_ms\n",
	.to4 = "192.0.2.9", .to6 = "2001:db8::9",
	.error = true,
} };
