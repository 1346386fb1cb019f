// SPDX-License-Identifier: GPL-2.0
/* Where a test runs: a network namespace, two sockets and a look at the wire. */

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "quic_env.h"

/* Enough for some trains of the largest size. */
#define SOCKET_BUFFER	(8 << 20)

static int loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return ret;
}

static int wire_open(void)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex("lo"),
	};
	int size = SOCKET_BUFFER, fd;

	fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (void *)&sll, sizeof(sll))) {
		close(fd);
		return -1;
	}
	return fd;
}

int quic_env_socket(const struct quic_env *env)
{
	return socket(env->family == AF_INET ? AF_INET : AF_INET6,
		      SOCK_DGRAM, 0);
}

int quic_env_receiver(const struct quic_env *env, struct quic_addr *to)
{
	struct sockaddr_in6 *sin6 = (void *)&to->ss;
	struct sockaddr_in *sin = (void *)&to->ss;
	struct timeval patience = { .tv_sec = 2 };
	int size = SOCKET_BUFFER, fd;

	memset(to, 0, sizeof(*to));
	if (env->family == AF_INET6) {
		to->len = sizeof(*sin6);
		sin6->sin6_family = AF_INET6;
		sin6->sin6_addr = in6addr_loopback;
	} else {
		to->len = sizeof(*sin);
		sin->sin_family = AF_INET;
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}

	fd = socket(to->ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    bind(fd, (void *)&to->ss, to->len) ||
	    getsockname(fd, (void *)&to->ss, &to->len)) {
		close(fd);
		return -1;
	}

	if (env->family == QUIC_MAPPED) {
		in_port_t port = sin->sin_port;

		memset(to, 0, sizeof(*to));
		to->len = sizeof(*sin6);
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = port;
		inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6->sin6_addr);
	}
	return fd;
}

int quic_env_open(struct quic_env *env, int family)
{
	env->family = family;
	env->tx = -1;
	env->rx = -1;
	env->wire = -1;
	if (unshare(CLONE_NEWNET) || loopback_up())
		return -1;
	env->wire = wire_open();
	env->rx = quic_env_receiver(env, &env->to);
	env->tx = quic_env_socket(env);
	return env->wire < 0 || env->rx < 0 || env->tx < 0 ? -1 : 0;
}

void quic_env_close(struct quic_env *env)
{
	close(env->tx);
	close(env->rx);
	close(env->wire);
}

static bool is_udp(const uint8_t *frame, ssize_t len)
{
	if (len >= 20 && frame[0] >> 4 == 4)
		return frame[9] == IPPROTO_UDP;
	if (len >= 40 && frame[0] >> 4 == 6)
		return frame[6] == IPPROTO_UDP || frame[6] == IPPROTO_FRAGMENT;
	return false;
}

struct quic_wire quic_env_wire(const struct quic_env *env)
{
	struct quic_wire wire = {};
	uint8_t frame[1 << 17];
	struct sockaddr_ll sll;
	socklen_t sll_len;
	ssize_t len;

	for (;;) {
		sll_len = sizeof(sll);
		len = recvfrom(env->wire, frame, sizeof(frame), MSG_DONTWAIT,
			       (void *)&sll, &sll_len);
		if (len < 0)
			return wire;
		/* The loopback device shows each frame twice. */
		if (sll.sll_pkttype != PACKET_OUTGOING || !is_udp(frame, len))
			continue;
		wire.frames++;
		if (memmem(frame, len, QUIC_MARKER, QUIC_MARKER_SIZE))
			wire.marker = true;
	}
}
