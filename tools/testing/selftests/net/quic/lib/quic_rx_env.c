// SPDX-License-Identifier: GPL-2.0
/* Where packets are received: a network namespace, a socket and its peer. */

#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "quic_rx_env.h"

/* Enough for some trains of the largest size */
#define SOCKET_BUFFER	(8 << 20)

static struct quic_addr loopback(int family)
{
	struct quic_addr addr = {};
	struct sockaddr_in6 *sin6 = (void *)&addr.ss;
	struct sockaddr_in *sin = (void *)&addr.ss;

	if (family == AF_INET6) {
		addr.len = sizeof(*sin6);
		sin6->sin6_family = AF_INET6;
		sin6->sin6_addr = in6addr_loopback;
	} else {
		addr.len = sizeof(*sin);
		sin->sin_family = AF_INET;
		sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	}
	return addr;
}

/* The same address in IPv6's form */
static void to_mapped(struct quic_addr *addr)
{
	struct sockaddr_in sin = *(struct sockaddr_in *)&addr->ss;
	struct sockaddr_in6 *sin6 = (void *)&addr->ss;

	memset(addr, 0, sizeof(*addr));
	addr->len = sizeof(*sin6);
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = sin.sin_port;
	memset(sin6->sin6_addr.s6_addr + 10, 0xff, 2);
	memcpy(sin6->sin6_addr.s6_addr + 12, &sin.sin_addr, 4);
}

int quic_rx_env_peer(const struct quic_rx_env *env, struct quic_addr *from)
{
	int fd;

	*from = loopback(env->family);
	fd = socket(from->ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (bind(fd, (void *)&from->ss, from->len) ||
	    getsockname(fd, (void *)&from->ss, &from->len)) {
		close(fd);
		return -1;
	}
	if (env->family == QUIC_MAPPED)
		to_mapped(from);
	return fd;
}

int quic_rx_env_receiver(const struct quic_rx_env *env, struct quic_addr *to)
{
	struct timeval patience = { .tv_sec = 5 };
	int size = SOCKET_BUFFER, on = 1, fd;
	struct quic_addr addr;

	*to = loopback(env->family);
	addr = *to;
	if (env->family == QUIC_MAPPED) {
		addr = loopback(AF_INET6);
		((struct sockaddr_in6 *)&addr.ss)->sin6_addr = in6addr_any;
	}
	fd = socket(addr.ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) ||
	    bind(fd, (void *)&addr.ss, addr.len) ||
	    getsockname(fd, (void *)&addr.ss, &addr.len)) {
		close(fd);
		return -1;
	}
	/* Both families have the port in one place. */
	((struct sockaddr_in *)&to->ss)->sin_port =
		((struct sockaddr_in *)&addr.ss)->sin_port;
	return fd;
}

int quic_rx_env_open(struct quic_rx_env *env, int family)
{
	struct quic_env outer;

	env->family = family;
	env->rx = -1;
	env->tx = -1;
	/* Its namespace and its eye on the wire */
	if (quic_env_open(&outer, family == AF_INET6 ? AF_INET6 : AF_INET))
		return -1;
	close(outer.tx);
	close(outer.rx);
	env->wire = outer.wire;
	env->rx = quic_rx_env_receiver(env, &env->to);
	env->tx = quic_rx_env_peer(env, &env->from);
	return env->rx < 0 || env->tx < 0 ? -1 : 0;
}

void quic_rx_env_close(struct quic_rx_env *env)
{
	close(env->tx);
	close(env->rx);
	close(env->wire);
}
