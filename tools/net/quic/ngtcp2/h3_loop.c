// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The loop that serves all sockets and connections */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "h3_conn.h"
#include "h3_loop.h"
#include "h3_util.h"

#define MAX_SOCKETS	1024
#define RECEIVE_BATCH	64

/* Receiving */

static void negotiate_version(struct h3_socket *sock, const ngtcp2_path *path,
			      const ngtcp2_version_cid *vc)
{
	const uint32_t versions[] = { NGTCP2_PROTO_VER_V1 };
	uint8_t buf[256], unused;
	ngtcp2_ssize len;

	h3_random(&unused, 1);
	len = ngtcp2_pkt_write_version_negotiation(buf, sizeof(buf), unused,
						   vc->scid, vc->scidlen,
						   vc->dcid, vc->dcidlen,
						   versions, 1);
	if (len > 0)
		h3_socket_send(sock, path, buf, len);
}

static void receive_packet(void *arg, struct h3_socket *sock,
			   const ngtcp2_path *path, const ngtcp2_pkt_info *info,
			   const struct quic_offload_datagram *datagram)
{
	struct h3_endpoint *endpoint = arg;
	const uint8_t *data = datagram->data;
	size_t len = datagram->len;
	ngtcp2_version_cid vc;
	ngtcp2_pkt_hd hd;
	struct h3_conn *c;
	int err;

	err = ngtcp2_pkt_decode_version_cid(&vc, data, len, endpoint->cid_len);
	if (err == NGTCP2_ERR_VERSION_NEGOTIATION && endpoint->side->accept)
		negotiate_version(sock, path, &vc);
	if (err)
		return;
	c = h3_cid_conn(&endpoint->cids, vc.dcid, vc.dcidlen);
	if (!c && endpoint->side->accept && !ngtcp2_accept(&hd, data, len))
		c = endpoint->side->accept(endpoint, sock, path, &hd);
	if (c)
		h3_conn_read(c, path, info, datagram);
}

/* The loop */

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	stop = 1;
}

static ngtcp2_tstamp earliest(const struct h3_endpoint *endpoint)
{
	ngtcp2_tstamp when = UINT64_MAX;
	const struct h3_conn *c;

	for (c = endpoint->conns; c; c = c->next) {
		if (c->busy)
			return 0;
		if (c->blocked)
			continue;
		if (c->expiry < when)
			when = c->expiry;
		if (c->timer < when)
			when = c->timer;
		if (c->key_update < when)
			when = c->key_update;
	}
	return when;
}

/* A socket has room again: what was left is sent. */
static void unblock(struct h3_endpoint *endpoint, struct h3_socket *sock)
{
	struct h3_conn *c;

	sock->blocked = false;
	for (c = endpoint->conns; c; c = c->next) {
		if (c->blocked && c->sock == sock) {
			c->blocked = false;
			c->touched = true;
		}
	}
}

static void wait_and_receive(struct h3_endpoint *endpoint,
			     const sigset_t *signals)
{
	ngtcp2_tstamp when = earliest(endpoint), now = h3_now();
	struct pollfd fds[MAX_SOCKETS];
	struct timespec timeout = { 0 };
	struct h3_socket *sock;
	int i, n = 0;

	for (sock = endpoint->sockets; sock && n < MAX_SOCKETS;
	     sock = sock->next) {
		fds[n].fd = sock->fd;
		fds[n++].events = POLLIN | (sock->blocked ? POLLOUT : 0);
	}
	if (when > now) {
		timeout.tv_sec = (when - now) / NGTCP2_SECONDS;
		timeout.tv_nsec = (when - now) % NGTCP2_SECONDS;
	}
	if (ppoll(fds, n, when == UINT64_MAX ? NULL : &timeout, signals) <= 0)
		return;
	for (sock = endpoint->sockets, n = 0; sock && n < MAX_SOCKETS;
	     sock = sock->next, n++) {
		if (fds[n].revents & POLLOUT)
			unblock(endpoint, sock);
		if (!(fds[n].revents & ~POLLOUT))
			continue;
		for (i = 0; i < RECEIVE_BATCH; i++)
			if (!h3_socket_receive(sock, receive_packet, endpoint))
				break;
	}
}

static void end_conn(struct h3_endpoint *endpoint, struct h3_conn **pos)
{
	const struct quic_offload_rx_stats *rx_stats;
	const struct quic_offload_stats *stats;
	struct quic_offload_conn *offload;
	struct h3_conn *c = *pos;

	*pos = c->next;
	if (endpoint->side->closed)
		endpoint->side->closed(c);
	h3_cid_forget(&endpoint->cids, c);
	offload = quic_ngtcp2_offload(c->packets);
	stats = quic_offload_conn_stats(offload);
	endpoint->stats.kernel += stats->kernel;
	endpoint->stats.user += stats->user;
	endpoint->stats.spared += stats->spared;
	endpoint->stats.ready += stats->ready;
	endpoint->stats.messages += stats->messages;
	rx_stats = quic_offload_conn_rx_stats(offload);
	endpoint->rx_stats.kernel += rx_stats->kernel;
	endpoint->rx_stats.user += rx_stats->user;
	endpoint->rx_stats.failed += rx_stats->failed;
	endpoint->rx_stats.disagreed += rx_stats->disagreed;
	endpoint->sent += c->sent;
	endpoint->received += c->received;
	endpoint->closed++;
	h3_conn_free(c);
}

void h3_run(struct h3_endpoint *endpoint,
	    bool (*done)(struct h3_endpoint *endpoint))
{
	struct sigaction action = { .sa_handler = on_signal };
	sigset_t block, before;
	struct h3_conn **pos;

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &before);

	while (!stop && !done(endpoint)) {
		wait_and_receive(endpoint, &before);
		for (pos = &endpoint->conns; *pos;) {
			struct h3_conn *c = *pos;

			h3_conn_tick(c, h3_now());
			c->sock->blocked |= c->blocked;
			if (c->dead)
				end_conn(endpoint, pos);
			else
				pos = &c->next;
		}
	}
}

void h3_finish(struct h3_endpoint *endpoint)
{
	struct h3_socket *sock;
	struct timespec cpu;

	while (endpoint->conns) {
		h3_conn_close(endpoint->conns);
		end_conn(endpoint, &endpoint->conns);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	fprintf(stderr,
		"%s: packets kernel=%llu user=%llu spared=%llu ready=%llu messages=%llu opened by kernel=%llu user=%llu failed=%llu disagreed=%llu bytes sent=%llu received=%llu cpu=%lld.%06ld\n",
		program_invocation_short_name,
		(unsigned long long)endpoint->stats.kernel,
		(unsigned long long)endpoint->stats.user,
		(unsigned long long)endpoint->stats.spared,
		(unsigned long long)endpoint->stats.ready,
		(unsigned long long)endpoint->stats.messages,
		(unsigned long long)endpoint->rx_stats.kernel,
		(unsigned long long)endpoint->rx_stats.user,
		(unsigned long long)endpoint->rx_stats.failed,
		(unsigned long long)endpoint->rx_stats.disagreed,
		(unsigned long long)endpoint->sent,
		(unsigned long long)endpoint->received,
		(long long)cpu.tv_sec, cpu.tv_nsec / 1000);
	while ((sock = endpoint->sockets)) {
		endpoint->sockets = sock->next;
		h3_socket_close(sock);
	}
	gnutls_certificate_free_credentials(endpoint->cred);
}
