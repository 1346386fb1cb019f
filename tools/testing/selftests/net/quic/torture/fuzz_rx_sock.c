// SPDX-License-Identifier: GPL-2.0
/* Sockets that receive, each with what was asked for */

#include <arpa/inet.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "fuzz_fail.h"
#include "fuzz_random.h"
#include "fuzz_rx_flow.h"
#include "fuzz_rx_queue.h"
#include "fuzz_rx_sock.h"

#define FIRST_PORT	20000
#define BUFFER_SIZE	(4 << 20)

struct fuzz_rx_sock fuzz_rx_sock[FUZZ_RX_SOCKS];

static void option(const struct fuzz_rx_sock *rx, int level, int name, int value)
{
	fuzz_must(!setsockopt(rx->sock.fd, level, name, &value, sizeof(value)),
		  "setsockopt");
}

static bool maybe(const struct fuzz_rx_sock *rx, int level, int name)
{
	bool on = fuzz_chance(25);

	if (on)
		option(rx, level, name, 1);
	return on;
}

static void ask(struct fuzz_rx_sock *rx)
{
	if (fuzz_chance(40))
		return;
	if (maybe(rx, SOL_SOCKET, SO_TIMESTAMP))
		rx->time = FUZZ_RX_TIMEVAL;
	if (maybe(rx, SOL_SOCKET, SO_TIMESTAMPNS))
		rx->time = FUZZ_RX_TIMESPEC;
	rx->overflow = maybe(rx, SOL_SOCKET, SO_RXQ_OVFL);
	rx->pktinfo = maybe(rx, SOL_IP, IP_PKTINFO);
	rx->ttl = maybe(rx, SOL_IP, IP_RECVTTL);
	rx->tos = maybe(rx, SOL_IP, IP_RECVTOS);
	if (rx->sock.family == AF_INET)
		return;
	rx->pktinfo6 = maybe(rx, SOL_IPV6, IPV6_RECVPKTINFO);
	rx->hoplimit = maybe(rx, SOL_IPV6, IPV6_RECVHOPLIMIT);
	rx->tclass = maybe(rx, SOL_IPV6, IPV6_RECVTCLASS);
}

void fuzz_rx_sock_gro(struct fuzz_rx_sock *rx, bool on)
{
	option(rx, SOL_UDP, UDP_GRO, on);
	rx->gro = on;
}

void fuzz_rx_sock_peek_off(struct fuzz_rx_sock *rx, int off)
{
	option(rx, SOL_SOCKET, SO_PEEK_OFF, off);
	rx->peek_off = off;
}

void fuzz_rx_sock_open(struct fuzz_rx_sock *rx)
{
	struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_in6 sin6 = {};
	struct fuzz_sock *sock = &rx->sock;

	memset(rx, 0, sizeof(*rx));
	rx->peek_off = -1;
	sock->family = fuzz_chance(40) ? AF_INET : AF_INET6;
	sock->port = htons(FIRST_PORT + (rx - fuzz_rx_sock));
	sock->fd = socket(sock->family, SOCK_DGRAM, 0);
	fuzz_must(sock->fd >= 0, "socket");
	option(rx, SOL_SOCKET, SO_RCVBUF, BUFFER_SIZE);
	/* What does not come ends the program. */
	fuzz_must(!setsockopt(sock->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			      sizeof(patience)), "SO_RCVTIMEO");
	ask(rx);
	fuzz_rx_sock_gro(rx, fuzz_chance(75));

	/* The any-address of IPv4 is zero in the same structure. */
	sin6.sin6_family = sock->family;
	sin6.sin6_port = sock->port;
	fuzz_must(!bind(sock->fd, (void *)&sin6, sock->family == AF_INET ?
			sizeof(struct sockaddr_in) : sizeof(sin6)), "bind");
}

void fuzz_rx_sock_close(struct fuzz_rx_sock *rx)
{
	close(rx->sock.fd);
	while (rx->messages)
		fuzz_rx_queue_del(rx, rx->messages - 1);
	fuzz_rx_flow_close(rx);
}
