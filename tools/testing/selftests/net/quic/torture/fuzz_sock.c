// SPDX-License-Identifier: GPL-2.0
/* Sockets, each with its twin */

#include <arpa/inet.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/net_tstamp.h>

#include "fuzz_dest.h"
#include "fuzz_fail.h"
#include "fuzz_model_flow.h"
#include "fuzz_random.h"
#include "fuzz_sock.h"
#include "quic_env.h"

#define FIRST_SOURCE_PORT	20000
#define RETRANS_TIME	"/proc/sys/net/ipv4/neigh/quic0/retrans_time_ms"

struct fuzz_sock fuzz_sock[FUZZ_SOCKS];

static void fill(int fd)
{
	struct quic_env env = { .family = AF_INET, .tx = fd };
	struct sockaddr_in *sin = (void *)&env.to.ss;

	sin->sin_family = AF_INET;
	sin->sin_port = htons(FUZZ_FIRST_PORT);
	env.to.len = sizeof(*sin);
	fuzz_must(!quic_env_fill(&env), "filling a send buffer");
}

void fuzz_sock_open_full(struct fuzz_sock *sock)
{
	memset(sock, 0, sizeof(*sock));
	sock->family = AF_INET;
	sock->full = true;
	sock->odd = true;
	sock->fd = socket(AF_INET, SOCK_DGRAM, 0);
	sock->twin = socket(AF_INET, SOCK_DGRAM, 0);
	fill(sock->fd);
	fill(sock->twin);
	/* Nobody gives up asking for the neighbour, not even in days. */
	fuzz_must(!quic_env_write_file(RETRANS_TIME, "1000000"), RETRANS_TIME);
}

/* Both sockets have all options. */
static void option(struct fuzz_sock *sock, int level, int name, int value)
{
	fuzz_must(!setsockopt(sock->fd, level, name, &value, sizeof(value)) &&
		  !setsockopt(sock->twin, level, name, &value, sizeof(value)),
		  "setsockopt");
}

static void options(struct fuzz_sock *sock)
{
	struct sock_txtime txtime = { .clockid = CLOCK_MONOTONIC };

	if (fuzz_chance(20))
		option(sock, SOL_SOCKET, SO_BINDTOIFINDEX, fuzz_lo);
	if (fuzz_chance(20))
		fuzz_must(!setsockopt(sock->fd, SOL_SOCKET, SO_TXTIME, &txtime,
				      sizeof(txtime)) &&
			  !setsockopt(sock->twin, SOL_SOCKET, SO_TXTIME,
				      &txtime, sizeof(txtime)), "SO_TXTIME");
	if (fuzz_chance(10)) {
		option(sock, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
		if (sock->family == AF_INET6)
			option(sock, SOL_IPV6, IPV6_MTU_DISCOVER,
			       IPV6_PMTUDISC_DO);
		sock->odd = true;
	}
	if (sock->family == AF_INET && fuzz_chance(10)) {
		option(sock, SOL_SOCKET, SO_NO_CHECK, 1);
		sock->no_check = true;
		sock->odd = true;
	}
	if (sock->family == AF_INET6 && fuzz_chance(10)) {
		option(sock, SOL_IPV6, IPV6_V6ONLY, 1);
		sock->odd = true;
	}
}

static void open_sock(struct fuzz_sock *sock)
{
	memset(sock, 0, sizeof(*sock));
	sock->family = fuzz_chance(40) ? AF_INET : AF_INET6;
	sock->fd = socket(sock->family, SOCK_DGRAM, 0);
	sock->twin = socket(sock->family, SOCK_DGRAM, 0);
	fuzz_must(sock->fd >= 0 && sock->twin >= 0, "socket");
}

static in_port_t bind_port(int fd, int family, int port)
{
	struct sockaddr_in6 sin6 = { .sin6_family = family,
				     .sin6_port = htons(port) };

	/* The any-address of IPv4 is zero in the same structure. */
	fuzz_must(!bind(fd, (void *)&sin6, family == AF_INET ?
			sizeof(struct sockaddr_in) : sizeof(sin6)), "bind");
	return sin6.sin6_port;
}

static void bind_sock(struct fuzz_sock *sock, int port)
{
	sock->port = bind_port(sock->fd, sock->family, port);
	sock->twin_port = bind_port(sock->twin, sock->family, port + 1);
	fuzz_sock_refresh(sock);
}

void fuzz_sock_open(struct fuzz_sock *sock)
{
	if (sock->full)
		return;
	open_sock(sock);
	options(sock);
	bind_sock(sock, FIRST_SOURCE_PORT + 2 * (sock - fuzz_sock));
}

void fuzz_sock_open_plain(struct fuzz_sock *sock)
{
	open_sock(sock);
	bind_sock(sock, FIRST_SOURCE_PORT + 2 * FUZZ_SOCKS);
}

void fuzz_sock_close(struct fuzz_sock *sock)
{
	struct quic_connection_info info;

	if (!sock->full) {
		close(sock->fd);
		close(sock->twin);
	}
	/* What fills the send buffer stays. */
	while (sock->full && sock->flows) {
		struct fuzz_flow *flow = sock->flow[0];
		struct fuzz_call call = { .sock = sock, .readable = -1 };
		struct quic_addr to = {};

		to.len = fuzz_dest_name(sock, &flow->dest, &to.ss);
		quic_flow_info(&info, &flow->keys, &flow->dcid,
			       flow->any ? NULL : &to);
		fuzz_must(!quic_flow_del(sock->fd, &info), "DEL");
		memcpy(call.opt, &info, sizeof(info));
		call.opt_len = sizeof(info);
		fuzz_must(!fuzz_model_del(&call), "DEL of the model");
	}
	fuzz_model_close(sock);
}

void fuzz_sock_refresh(struct fuzz_sock *sock)
{
	struct sockaddr_in6 sin6 = {};
	const struct sockaddr_in *sin = (const void *)&sin6;
	socklen_t len = sizeof(sin6), size = sizeof(sock->device);

	fuzz_must(!getsockopt(sock->twin, SOL_SOCKET, SO_BINDTOIFINDEX,
			      &sock->device, &size), "SO_BINDTOIFINDEX");
	memset(&sock->peer, 0, sizeof(sock->peer));
	sock->connected = !getpeername(sock->twin, (void *)&sin6, &len);
	if (!sock->connected)
		return;
	sock->peer.port = sin6.sin6_port;
	if (sin6.sin6_family == AF_INET6) {
		sock->peer.addr = sin6.sin6_addr;
		return;
	}
	memset(&sock->peer.addr.s6_addr[10], 0xff, 2);
	memcpy(&sock->peer.addr.s6_addr[12], &sin->sin_addr, 4);
}
