// SPDX-License-Identifier: GPL-2.0
/* The two ends of a way for packets. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <linux/udp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench.h"
#include "path.h"

/* Bytes that the kernel takes for a queue, which is more than there is in it */
#define QUEUE_BYTES	(512 << 20)

struct address {
	struct sockaddr_storage ss;
	socklen_t len;
};

static struct address target_address(const struct setting *setting)
{
	struct address addr = {};
	struct sockaddr_in6 *sin6 = (void *)&addr.ss;
	struct sockaddr_in *sin = (void *)&addr.ss;

	if (setting->ipv6) {
		sin6->sin6_family = AF_INET6;
		inet_pton(AF_INET6, setting->target->ipv6, &sin6->sin6_addr);
		addr.len = sizeof(*sin6);
	} else {
		sin->sin_family = AF_INET;
		inet_pton(AF_INET, setting->target->ipv4, &sin->sin_addr);
		addr.len = sizeof(*sin);
	}
	return addr;
}

static int netns_socket(const char *netns, int family)
{
	int here, there, fd;
	char path[64];

	if (!netns)
		return socket(family, SOCK_DGRAM, 0);

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	here = open("/proc/self/ns/net", O_RDONLY);
	there = open(path, O_RDONLY);
	if (here < 0 || there < 0 || setns(there, CLONE_NEWNET))
		err(1, "network namespace %s", netns);
	fd = socket(family, SOCK_DGRAM, 0);
	if (setns(here, CLONE_NEWNET))
		err(1, "network namespace");
	close(there);
	close(here);
	return fd;
}

void path_open(const struct setting *setting, unsigned int train, int *receiver,
	       int *sender)
{
	struct address addr = target_address(setting);
	const int on = 1, queue = QUEUE_BYTES, wire = setting->wire;
	const struct timeval patience = { .tv_sec = 10 };
	int rx, tx;

	rx = netns_socket(setting->target->netns, addr.ss.ss_family);
	if (rx < 0 || bind(rx, (void *)&addr.ss, addr.len) ||
	    getsockname(rx, (void *)&addr.ss, &addr.len) ||
	    setsockopt(rx, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    setsockopt(rx, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof(queue)) ||
	    setsockopt(rx, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		err(1, "receiver");

	tx = socket(addr.ss.ss_family, SOCK_DGRAM, 0);
	if (tx < 0 || connect(tx, (void *)&addr.ss, addr.len) ||
	    (train > 1 &&
	     setsockopt(tx, SOL_UDP, UDP_SEGMENT, &wire, sizeof(wire))))
		err(1, "sender");

	*receiver = rx;
	*sender = tx;
}
