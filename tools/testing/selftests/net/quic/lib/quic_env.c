// SPDX-License-Identifier: GPL-2.0
/* Where a test runs: a network namespace, two sockets and a look at the wire. */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "quic_env.h"

/* Enough for some trains of the largest size. */
#define SOCKET_BUFFER	(8 << 20)

int quic_env_loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;

	if (fd < 0)
		return -1;
	ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	close(fd);
	return ret;
}

int quic_env_wire_open(const char *device)
{
	struct sockaddr_ll sll = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(device),
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
	if (unshare(CLONE_NEWNET) || quic_env_loopback_up())
		return -1;
	env->wire = quic_env_wire_open("lo");
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

int quic_env_write_file(const char *path, const char *value)
{
	ssize_t ret = -1;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		ret = write(fd, value, strlen(value));
		close(fd);
	}
	return ret < 0 ? -1 : 0;
}

unsigned long quic_env_read_number(const char *path, const char *name)
{
	FILE *f = fopen(path, "r");
	unsigned long value = 0;
	char word[100];

	if (!f)
		return 0;
	while (name && fscanf(f, "%99s", word) == 1 && strcmp(word, name))
		;
	if (fscanf(f, "%lu", &value) != 1)
		value = 0;
	fclose(f);
	return value;
}

/* A device on which nobody answers the question for a neighbour. */
static int away_setup(void)
{
	static const char * const setup[] = {
		"ip link add quic0 type veth peer name quic1",
		"ip address add 192.0.2.1/24 dev quic0",
		"ip address add 2001:db8::1/64 dev quic0 nodad",
		"ip link set quic1 up",
		"ip link set quic0 up",
		/* Nor gives anybody up asking. */
		"echo 1000 > /proc/sys/net/ipv4/neigh/quic0/mcast_solicit",
		"echo 1000 > /proc/sys/net/ipv6/neigh/quic0/mcast_solicit",
	};
	unsigned int i;

	if (if_nametoindex("quic0"))
		return system("ip neigh flush dev quic0 nud permanent");
	for (i = 0; i < sizeof(setup) / sizeof(*setup); i++)
		if (system(setup[i]))
			return -1;
	return 0;
}

struct quic_addr quic_env_away(const struct quic_env *env)
{
	struct quic_addr away = env->to;
	struct sockaddr_in6 *sin6 = (void *)&away.ss;
	struct sockaddr_in *sin = (void *)&away.ss;

	if (env->family == AF_INET)
		inet_pton(AF_INET, "192.0.2.2", &sin->sin_addr);
	else
		inet_pton(AF_INET6, env->family == AF_INET6 ? "2001:db8::2" :
			  "::ffff:192.0.2.2", &sin6->sin6_addr);
	return away;
}

int quic_env_fill(const struct quic_env *env)
{
	struct quic_addr away = quic_env_away(env);
	char datagram[1000] = {};
	int size = 1, n;

	if (away_setup() || setsockopt(env->tx, SOL_SOCKET, SO_SNDBUF, &size,
				       sizeof(size)))
		return -1;
	for (n = 0; n < 1000; n++)
		if (sendto(env->tx, datagram, sizeof(datagram), MSG_DONTWAIT,
			   (void *)&away.ss, away.len) < 0)
			return errno == EAGAIN ? 0 : -1;
	return -1;
}

int quic_env_drain(const struct quic_env *env)
{
	char command[100];

	snprintf(command, sizeof(command),
		 "ip neigh replace %s dev quic0 lladdr %s nud permanent",
		 env->family == AF_INET6 ? "2001:db8::2" : "192.0.2.2",
		 "02:00:00:00:00:02");
	return system(command);
}

bool quic_env_is_udp(const uint8_t *frame, ssize_t len)
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
		if (sll.sll_pkttype != PACKET_OUTGOING ||
		    !quic_env_is_udp(frame, len))
			continue;
		wire.frames++;
		if (memmem(frame, len, QUIC_MARKER, QUIC_MARKER_SIZE))
			wire.marker = true;
	}
}
