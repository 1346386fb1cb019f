// SPDX-License-Identifier: GPL-2.0
/*
 * Where the load goes: from a sender through a router that loses packets and
 * changes their order to a receiver.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "load.h"

enum { SENDER, ROUTER, RECEIVER, NAMESPACES };

static int namespaces[NAMESPACES];

/*
 * Two ways lead from the router to the receiver.  On the second one bits are
 * wrong, and nothing comes but what was sent.
 *
 * Segments leave the sender one by one, so that the router loses packets, not
 * trains.  The limit of their rate fills send buffers.
 */
static const char * const setup[NAMESPACES][24] = {
	[SENDER] = {
		"ip link add quic0 type veth peer name quic1 netns /proc/self/fd/%d",
		"ip link set quic0 gso_max_segs 1",
		"ip address add 192.0.2.1/24 dev quic0",
		"ip address add 2001:db8:1::1/64 dev quic0 nodad",
		"ip link set quic0 up",
		"ip neigh add 192.0.2.2 lladdr 02:00:00:00:00:02 dev quic0",
		"ip neigh add 2001:db8:1::2 lladdr 02:00:00:00:00:02 dev quic0",
		"ip route add 198.51.100.0/24 via 192.0.2.2",
		"ip route add 2001:db8:2::/64 via 2001:db8:1::2",
		"ip route add 203.0.113.0/24 via 192.0.2.2",
		"tc qdisc add dev quic0 root fq maxrate 40mbit limit 100000 flow_limit 10000",
	},
	[RECEIVER] = {
		"ip link add quic3 type veth peer name quic2 netns /proc/self/fd/%d",
		"ip link set quic3 address 02:00:00:00:00:04",
		"ip address add 198.51.100.2/24 dev quic3",
		"ip address add 2001:db8:2::2/64 dev quic3 nodad",
		"ip link set quic3 up",
		"ip route add 192.0.2.0/24 via 198.51.100.1",
		/* With a wrong bit a packet may have to be answered. */
		"ip neigh add 198.51.100.1 lladdr 02:00:00:00:00:03 dev quic3",
		"ip link add quic5 type veth peer name quic4 netns /proc/self/fd/%d",
		"ip link set quic5 address 02:00:00:00:00:05",
		"echo 1 > /proc/sys/net/ipv6/conf/quic5/disable_ipv6",
		"ip address add 203.0.113.2/24 dev quic5",
		"ip link set quic5 up",
	},
	[ROUTER] = {
		"echo 1 > /proc/sys/net/ipv4/ip_forward",
		"echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
		"ip link set quic1 address 02:00:00:00:00:02",
		"ip address add 192.0.2.2/24 dev quic1",
		"ip address add 2001:db8:1::2/64 dev quic1 nodad",
		"ip link set quic1 up",
		/* Nothing of its own among the packets that may be lost later */
		"echo 0 > /proc/sys/net/ipv6/conf/quic2/accept_dad",
		"echo 1 > /proc/sys/net/ipv6/conf/quic2/mldv2_unsolicited_report_interval",
		"ip link set quic2 address 02:00:00:00:00:03",
		"ip address add 198.51.100.1/24 dev quic2",
		"ip address add 2001:db8:2::1/64 dev quic2 nodad",
		"ip link set quic2 up",
		"ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:04 dev quic2",
		"ip neigh add 2001:db8:2::2 lladdr 02:00:00:00:00:04 dev quic2",
		"tc qdisc add dev quic2 root netem limit 99999 delay 3ms 1ms loss 2%% reorder 10%%",
		"echo 1 > /proc/sys/net/ipv6/conf/quic4/disable_ipv6",
		"ip address add 203.0.113.1/24 dev quic4",
		"ip link set quic4 up",
		"ip neigh add 203.0.113.2 lladdr 02:00:00:00:00:05 dev quic4",
		"tc qdisc add dev quic4 root netem limit 99999 delay 3ms corrupt 5%%",
	},
};

static void enter(int which)
{
	if (setns(namespaces[which], CLONE_NEWNET)) {
		perror("setns");
		exit(1);
	}
}

static int run_setup(int which)
{
	char command[300];
	unsigned int i;

	enter(which);
	for (i = 0; setup[which][i]; i++) {
		snprintf(command, sizeof(command), setup[which][i],
			 namespaces[ROUTER]);
		if (system(command)) {
			fprintf(stderr, "# failed: %s\n", command);
			return -1;
		}
	}
	return 0;
}

/* Returns a socket that is bound to @addr, which gets its port. */
static int receiver_open(struct quic_addr *addr)
{
	struct timeval patience = { .tv_usec = 100 * 1000 };
	int size = 64 << 20, fd;

	fd = socket(addr->ss.ss_family, SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(fd, (void *)&addr->ss, addr->len) ||
	    getsockname(fd, (void *)&addr->ss, &addr->len))
		return -1;
	return fd;
}

static void set_ipv4(struct quic_addr *addr, const char *ipv4, in_port_t port)
{
	struct sockaddr_in *sin = (void *)&addr->ss;

	addr->len = sizeof(*sin);
	sin->sin_family = AF_INET;
	sin->sin_port = port;
	inet_pton(AF_INET, ipv4, &sin->sin_addr);
}

/* Both families at one port; and the dirty way, at a port of its own */
static int receivers_open(struct load *load, int *clean, int *dirty)
{
	struct sockaddr_in6 *sin6 = (void *)&load->to[LOAD_IPV6].ss;

	load->to[LOAD_IPV6].len = sizeof(*sin6);
	sin6->sin6_family = AF_INET6;
	*clean = receiver_open(&load->to[LOAD_IPV6]);
	inet_pton(AF_INET6, "2001:db8:2::2", &sin6->sin6_addr);
	set_ipv4(&load->to[LOAD_IPV4], "198.51.100.2", sin6->sin6_port);
	set_ipv4(&load->to[LOAD_DIRTY], "203.0.113.2", 0);
	*dirty = receiver_open(&load->to[LOAD_DIRTY]);
	return *clean < 0 || *dirty < 0 ? -1 : 0;
}

/* The sum of what @command prints, in one of the namespaces */
static unsigned long sum_of(int which, const char *command)
{
	unsigned long value, sum = 0;
	FILE *f;

	enter(which);
	f = popen(command, "r");
	enter(SENDER);
	if (!f)
		return 0;
	while (fscanf(f, "%lu", &value) == 1)
		sum += value;
	pclose(f);
	return sum;
}

static unsigned long lost(void)
{
	/* Packets that did not fit into a queue count where they came from. */
	static const char devices[] =
		"awk '/quic/ { print $13 }' /proc/net/dev";
	static const char qdiscs[] =
		"tc -s qdisc show | sed -n 's/.*(dropped \\([0-9]*\\),.*/\\1/p'";

	return sum_of(SENDER, devices) + sum_of(ROUTER, devices) +
	       sum_of(ROUTER, qdiscs);
}

/* Frames, whatever their contents */
static unsigned long dirty_arrived(void)
{
	return sum_of(RECEIVER, "awk '/quic5/ { print $3 }' /proc/net/dev");
}

/* Before the first packet */
static unsigned long lost_before, dirty_before;

int load_net_open(struct load *load, int *clean, int *dirty)
{
	int i;

	for (i = 0; i < NAMESPACES; i++) {
		if (unshare(CLONE_NEWNET))
			return -1;
		namespaces[i] = open("/proc/self/ns/net", O_RDONLY);
		if (namespaces[i] < 0)
			return -1;
	}
	if (run_setup(SENDER) || run_setup(RECEIVER) ||
	    receivers_open(load, clean, dirty) || run_setup(ROUTER))
		return -1;
	enter(SENDER);
	/* By then all multicast listener reports have been sent, or lost. */
	sleep(3);
	lost_before = lost();
	dirty_before = dirty_arrived();
	return 0;
}

unsigned long load_net_lost(void)
{
	return lost() - lost_before;
}

unsigned long load_net_dirty(void)
{
	return dirty_arrived() - dirty_before;
}

long load_net_stat(const char *name)
{
	long value;

	enter(RECEIVER);
	value = quic_stat(name);
	enter(SENDER);
	return value;
}
