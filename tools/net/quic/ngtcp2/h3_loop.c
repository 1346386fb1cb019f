// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Sockets, connection IDs, and the loop that serves all connections */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/crypto.h>

#include "h3_common.h"

#define SOCKET_BUFFER	(4 << 20)
#define MAX_SOCKETS	1024
#define RECEIVE_BATCH	64

ngtcp2_tstamp h3_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NGTCP2_SECONDS + ts.tv_nsec;
}

void h3_random(void *dest, size_t len)
{
	if (gnutls_rnd(GNUTLS_RND_RANDOM, dest, len))
		abort();
}

/* Options */

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct h3_options *options = state->input;

	switch (key) {
	case 'O':
		options->no_offload = true;
		return 0;
	case 'G':
		options->no_gso = true;
		return 0;
	case 'C':
		options->cipher = arg;
		return 0;
	case 'K':
		options->key_update = atoi(arg) * NGTCP2_MILLISECONDS;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

const struct argp h3_argp = {
	.options = (const struct argp_option[]) {
		{ "no-offload", 'O', 0, 0, "Protect packets in userspace" },
		{ "no-gso", 'G', 0, 0, "Send one packet at a time" },
		{ "cipher", 'C', "NAME", 0,
		  "Only AES-128-GCM, AES-256-GCM, AES-128-CCM or CHACHA20-POLY1305" },
		{ "key-update", 'K', "MS", 0,
		  "Update keys every MS milliseconds" },
		{ 0 }
	},
	.parser = parse_option,
};

/* Sockets */

static void notice(void *arg, const char *text)
{
	static bool told;

	if (!told)
		fprintf(stderr, "%s\n", text);
	told = true;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int configure(int fd, int family)
{
	set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	set_option(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (family == AF_INET6)
		return set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) ||
		       set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) ||
		       set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
				  IPV6_PMTUDISC_DO);
	return set_option(fd, IPPROTO_IP, IP_RECVTOS, 1) ||
	       set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
}

struct h3_socket *h3_socket_open(struct h3_loop *loop,
				 const struct sockaddr *local,
				 const struct sockaddr *remote, socklen_t len)
{
	const struct sockaddr *addr = local ?: remote;
	struct h3_socket *sock = calloc(1, sizeof(*sock));

	if (!sock)
		return NULL;
	sock->local_len = sizeof(sock->local);
	sock->fd = socket(addr->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock->fd < 0 || configure(sock->fd, addr->sa_family) ||
	    (local ? bind(sock->fd, local, len) :
		     connect(sock->fd, remote, len)) ||
	    getsockname(sock->fd, (struct sockaddr *)&sock->local,
			&sock->local_len))
		goto err;
	sock->offload = quic_offload_socket_new(sock->fd,
			loop->options->no_offload ? NULL : notice, NULL);
	if (!sock->offload)
		goto err;
	sock->offloaded = quic_offload_socket_enable(sock->offload,
						     !loop->options->no_offload);
	quic_offload_socket_set_gso(sock->offload, !loop->options->no_gso);
	sock->next = loop->sockets;
	loop->sockets = sock;
	return sock;
err:
	perror("socket");
	if (sock->fd >= 0)
		close(sock->fd);
	free(sock);
	return NULL;
}

void h3_socket_path(const struct h3_socket *sock, struct sockaddr *remote,
		    socklen_t len, ngtcp2_path *path)
{
	*path = (ngtcp2_path) {
		.local = { (struct sockaddr *)&sock->local, sock->local_len },
		.remote = { remote, len },
		.user_data = sock->offload,
	};
}

/* Connection IDs: random, so any byte will do for the hash */

static struct h3_cid **find_cid(struct h3_loop *loop, const uint8_t *data,
				size_t len)
{
	struct h3_cid **pos;
	uint16_t hash = 0;

	memcpy(&hash, data, len < sizeof(hash) ? len : sizeof(hash));
	for (pos = &loop->cids[hash % H3_CID_BUCKETS]; *pos;
	     pos = &(*pos)->next)
		if ((*pos)->cid.datalen == len &&
		    !memcmp((*pos)->cid.data, data, len))
			break;
	return pos;
}

void h3_add_cid(struct h3_conn *c, const ngtcp2_cid *cid)
{
	struct h3_cid **pos = find_cid(c->loop, cid->data, cid->datalen);
	struct h3_cid *new;

	if (*pos)
		return;
	new = calloc(1, sizeof(*new));
	if (!new)
		abort();
	new->conn = c;
	new->cid = *cid;
	*pos = new;
}

static void delete_cid(struct h3_cid **pos)
{
	struct h3_cid *cid = *pos;

	*pos = cid->next;
	free(cid);
}

void h3_remove_cid(struct h3_loop *loop, const ngtcp2_cid *cid)
{
	struct h3_cid **pos = find_cid(loop, cid->data, cid->datalen);

	if (*pos)
		delete_cid(pos);
}

static void remove_cids(struct h3_conn *c)
{
	struct h3_cid **pos;
	int i;

	for (i = 0; i < H3_CID_BUCKETS; i++)
		for (pos = &c->loop->cids[i]; *pos;)
			if ((*pos)->conn == c)
				delete_cid(pos);
			else
				pos = &(*pos)->next;
}

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
		sendto(sock->fd, buf, len, MSG_DONTWAIT, path->remote.addr,
		       path->remote.addrlen);
}

static void receive_packet(struct h3_loop *loop, struct h3_socket *sock,
			   const ngtcp2_path *path, const ngtcp2_pkt_info *info,
			   const uint8_t *data, size_t len)
{
	struct h3_conn *c = NULL;
	ngtcp2_version_cid vc;
	ngtcp2_pkt_hd hd;
	struct h3_cid *cid;
	int err;

	err = ngtcp2_pkt_decode_version_cid(&vc, data, len, H3_CID_LEN);
	if (err == NGTCP2_ERR_VERSION_NEGOTIATION && loop->side->accept)
		negotiate_version(sock, path, &vc);
	if (err)
		return;
	cid = *find_cid(loop, vc.dcid, vc.dcidlen);
	if (cid)
		c = cid->conn;
	else if (loop->side->accept && !ngtcp2_accept(&hd, data, len))
		c = loop->side->accept(loop, sock, path, &hd);
	if (c)
		h3_conn_read(c, path, info, data, len);
}

/* False if there is nothing more */
static bool receive(struct h3_loop *loop, struct h3_socket *sock)
{
	union {
		char buf[CMSG_SPACE(sizeof(int)) * 2];
		struct cmsghdr cmsg;
	} control;
	struct sockaddr_storage from;
	static uint8_t buf[65536];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ngtcp2_pkt_info info = { 0 };
	struct cmsghdr *cmsg;
	ssize_t len, pos;
	int segment = 0;
	ngtcp2_path path;

	len = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
	if (len < 0)
		/* What others report is ICMP's, and there may be more. */
		return errno != EAGAIN;
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg; cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_UDP)
			memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
		else	/* IP_TOS is one byte; the low one of IPV6_TCLASS: */
			info.ecn = *CMSG_DATA(cmsg) & 3;
	}
	h3_socket_path(sock, (struct sockaddr *)&from, msg.msg_namelen, &path);
	for (pos = 0; pos < len; pos += segment) {
		if (!segment || segment > len - pos)
			segment = len - pos;
		receive_packet(loop, sock, &path, &info, buf + pos, segment);
	}
	return true;
}

/* The loop */

static volatile sig_atomic_t stop;

static void on_signal(int signal)
{
	stop = 1;
}

static ngtcp2_tstamp earliest(const struct h3_loop *loop)
{
	ngtcp2_tstamp when = UINT64_MAX;
	const struct h3_conn *c;

	for (c = loop->conns; c; c = c->next) {
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
static void unblock(struct h3_loop *loop, struct h3_socket *sock)
{
	struct h3_conn *c;

	sock->blocked = false;
	for (c = loop->conns; c; c = c->next) {
		if (c->blocked && c->sock == sock) {
			c->blocked = false;
			c->touched = true;
		}
	}
}

static void wait_and_receive(struct h3_loop *loop, const sigset_t *signals)
{
	ngtcp2_tstamp when = earliest(loop), now = h3_now();
	struct pollfd fds[MAX_SOCKETS];
	struct timespec timeout = { 0 };
	struct h3_socket *sock;
	int i, n = 0;

	for (sock = loop->sockets; sock && n < MAX_SOCKETS; sock = sock->next) {
		fds[n].fd = sock->fd;
		fds[n++].events = POLLIN | (sock->blocked ? POLLOUT : 0);
	}
	if (when > now) {
		timeout.tv_sec = (when - now) / NGTCP2_SECONDS;
		timeout.tv_nsec = (when - now) % NGTCP2_SECONDS;
	}
	if (ppoll(fds, n, when == UINT64_MAX ? NULL : &timeout, signals) <= 0)
		return;
	for (sock = loop->sockets, n = 0; sock && n < MAX_SOCKETS;
	     sock = sock->next, n++) {
		if (fds[n].revents & POLLOUT)
			unblock(loop, sock);
		if (!(fds[n].revents & ~POLLOUT))
			continue;
		for (i = 0; i < RECEIVE_BATCH; i++)
			if (!receive(loop, sock))
				break;
	}
}

static void end_conn(struct h3_loop *loop, struct h3_conn **pos)
{
	const struct quic_offload_stats *stats;
	struct h3_conn *c = *pos;

	*pos = c->next;
	if (loop->side->closed)
		loop->side->closed(c);
	remove_cids(c);
	stats = quic_offload_conn_stats(quic_ngtcp2_offload(c->out));
	loop->stats.kernel += stats->kernel;
	loop->stats.user += stats->user;
	loop->stats.ready += stats->ready;
	loop->stats.messages += stats->messages;
	loop->sent += c->sent;
	loop->received += c->received;
	loop->closed++;
	h3_conn_free(c);
}

void h3_run(struct h3_loop *loop, bool (*done)(struct h3_loop *loop))
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

	while (!stop && !done(loop)) {
		wait_and_receive(loop, &before);
		for (pos = &loop->conns; *pos;) {
			struct h3_conn *c = *pos;

			h3_conn_tick(c, h3_now());
			c->sock->blocked |= c->blocked;
			if (c->dead)
				end_conn(loop, pos);
			else
				pos = &c->next;
		}
	}
}

void h3_finish(struct h3_loop *loop)
{
	struct h3_socket *sock;
	struct timespec cpu;

	while (loop->conns) {
		h3_conn_close(loop->conns);
		end_conn(loop, &loop->conns);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	fprintf(stderr,
		"%s: packets kernel=%llu user=%llu ready=%llu messages=%llu bytes sent=%llu received=%llu cpu=%lld.%06ld\n",
		program_invocation_short_name,
		(unsigned long long)loop->stats.kernel,
		(unsigned long long)loop->stats.user,
		(unsigned long long)loop->stats.ready,
		(unsigned long long)loop->stats.messages,
		(unsigned long long)loop->sent,
		(unsigned long long)loop->received,
		(long long)cpu.tv_sec, cpu.tv_nsec / 1000);
	while ((sock = loop->sockets)) {
		loop->sockets = sock->next;
		quic_offload_socket_free(sock->offload);
		close(sock->fd);
		free(sock);
	}
	gnutls_certificate_free_credentials(loop->cred);
}
