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
 * Segments leave the sender one by one, so that the router loses packets, not
 * trains.  The limit of their rate fills send buffers.
 */
static const char * const setup[NAMESPACES][16] = {
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
		"tc qdisc add dev quic0 root fq maxrate 40mbit limit 100000 flow_limit 10000",
	},
	[RECEIVER] = {
		"ip link add quic3 type veth peer name quic2 netns /proc/self/fd/%d",
		"ip link set quic3 address 02:00:00:00:00:04",
		"ip address add 198.51.100.2/24 dev quic3",
		"ip address add 2001:db8:2::2/64 dev quic3 nodad",
		"ip link set quic3 up",
		"ip route add 192.0.2.0/24 via 198.51.100.1",
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
		"ip address add 198.51.100.1/24 dev quic2",
		"ip address add 2001:db8:2::1/64 dev quic2 nodad",
		"ip link set quic2 up",
		"ip neigh add 198.51.100.2 lladdr 02:00:00:00:00:04 dev quic2",
		"ip neigh add 2001:db8:2::2 lladdr 02:00:00:00:00:04 dev quic2",
		"tc qdisc add dev quic2 root netem limit 99999 delay 3ms 1ms loss 2%% reorder 10%%",
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

/* Both families, at the port that @load->to gets. */
static int receiver_open(struct load *load)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct timeval patience = { .tv_usec = 100 * 1000 };
	socklen_t len = sizeof(sin6);
	int size = 64 << 20, fd;

	fd = socket(AF_INET6, SOCK_DGRAM, 0);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(fd, (void *)&sin6, sizeof(sin6)) ||
	    getsockname(fd, (void *)&sin6, &len))
		return -1;

	sin.sin_port = sin6.sin6_port;
	inet_pton(AF_INET, "198.51.100.2", &sin.sin_addr);
	memcpy(&load->to[0].ss, &sin, sizeof(sin));
	load->to[0].len = sizeof(sin);
	inet_pton(AF_INET6, "2001:db8:2::2", &sin6.sin6_addr);
	memcpy(&load->to[1].ss, &sin6, sizeof(sin6));
	load->to[1].len = sizeof(sin6);
	return fd;
}

int load_net_open(struct load *load)
{
	int i, fd;

	for (i = 0; i < NAMESPACES; i++) {
		if (unshare(CLONE_NEWNET))
			return -1;
		namespaces[i] = open("/proc/self/ns/net", O_RDONLY);
		if (namespaces[i] < 0)
			return -1;
	}
	if (run_setup(SENDER) || run_setup(RECEIVER))
		return -1;
	fd = receiver_open(load);
	if (run_setup(ROUTER))
		return -1;
	enter(SENDER);
	/* By then all multicast listener reports have been sent, or lost. */
	sleep(3);
	return fd;
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

unsigned long load_net_arrived(void)
{
	/* The first of the two lines has the names: it adds nothing. */
	static const char ipv4[] =
		"awk '/^Udp:/ { print $2 + $3 + $4 }' /proc/net/snmp";
	static const char ipv6[] =
		"awk '/^Udp6(InDatagrams|NoPorts|InErrors)/ { print $2 }' /proc/net/snmp6";

	return sum_of(RECEIVER, ipv4) + sum_of(RECEIVER, ipv6);
}

unsigned long load_net_lost(void)
{
	/* Packets that did not fit into a queue count where they came from. */
	static const char devices[] =
		"awk '/quic/ { print $13 }' /proc/net/dev";
	static const char qdiscs[] =
		"tc -s qdisc show | sed -n 's/.*(dropped \\([0-9]*\\),.*/\\1/p'";

	return sum_of(SENDER, devices) + sum_of(ROUTER, devices) +
	       sum_of(ROUTER, qdiscs);
}
