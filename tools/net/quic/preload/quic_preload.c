// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * quic_preload.so: unmodified programs that use ngtcp2 leave the protection of
 * their 1-RTT packets to the kernel.
 *
 *	LD_PRELOAD=./quic_preload.so gtlsserver ...
 *
 * QUIC_OFFLOAD=0 in the environment switches it off.  QUIC_OFFLOAD_STATS=FILE
 * has the numbers of packets appended to FILE when the program exits; 1 stands
 * for standard error.  A program that dies of a signal writes none.
 *
 * This file faces the socket: it finds the tickets that quic_preload_keys.c
 * has left in datagrams, and passes these to quic_offload_send().  No datagram
 * with a ticket leaves in any other way: what cannot be protected fails with
 * EIO.
 *
 * Packets are left to the kernel once a QUIC packet was seen here, for programs
 * may have a way to send that is not seen.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quic_preload.h"

#define MAX_FD		(1 << 20)	/* default of fs.nr_open */
#define MAX_MESSAGE	65535
#define MAX_PACKETS	128

/* How long a program that does not wait waits when half a message is gone */
#define WAIT_MS		10
#define MAX_WAITS	10

static struct quic_offload_socket *_Atomic sockets[MAX_FD];

/* Stands for a connection where datagrams are ready, all of them */
static struct quic_offload_conn *nobody;

/* Datagrams protected in userspace, at their place in the message */
static uint8_t scratch[MAX_MESSAGE];

/* What userspace has protected, and quic_offload knows as ready */
static uint64_t user_packets;

/**
 * struct message - what the program wants to be sent
 * @segment: length of each datagram but the last
 * @first: the first datagram that has not left
 * @user: those before this one are protected in userspace
 */
struct message {
	int fd;
	int flags;
	struct msghdr to;	/* for quic_offload_send() */
	const uint8_t *data;
	size_t len;
	size_t segment;
	size_t first;
	size_t user;
};

/* Of a program that loads ngtcp2 by dlopen() nothing is found. */
void *preload_next(const char *name)
{
	void *next = dlsym(RTLD_NEXT, name);

	if (!next) {
		fprintf(stderr, "quic_preload: no %s(): preload ngtcp2 too\n",
			name);
		abort();
	}
	return next;
}

static void notice(void *arg, const char *text)
{
	fprintf(stderr, "quic_preload: %s\n", text);
}

/* Inside the lock */
static struct quic_offload_socket *get_socket(int fd)
{
	if (fd < 0 || fd >= MAX_FD)
		return NULL;
	if (!sockets[fd])
		sockets[fd] = quic_offload_socket_new(fd, notice, NULL);
	return sockets[fd];
}

/*
 * The first packet of a connection has a long header, and the version stands
 * in it: 1 or 2 (RFC 9369).  Then is the time to see what the kernel can.
 */
static void watch(int fd, const struct msghdr *msg)
{
	static const uint8_t versions[][4] = {
		{ 0x00, 0x00, 0x00, 0x01 }, { 0x6b, 0x33, 0x43, 0xcf },
	};
	struct quic_offload_socket *sock;
	const uint8_t *data;

	if (!msg->msg_iovlen || msg->msg_iov[0].iov_len < 5)
		return;
	data = msg->msg_iov[0].iov_base;
	if (!(data[0] & 0x80) ||
	    (memcmp(data + 1, versions[0], 4) &&
	     memcmp(data + 1, versions[1], 4)))
		return;

	/* Once: with PRELOAD_OFF nobody looks for tickets. */
	preload_lock();
	if (preload_state == PRELOAD_WAIT) {
		sock = get_socket(fd);
		preload_state = sock && quic_offload_socket_enable(sock, true) ?
				PRELOAD_ON : PRELOAD_OFF;
	}
	preload_unlock();
}

/* Bytes of a message, or 0 if that is none for UDP */
static size_t message_len(const struct msghdr *msg)
{
	size_t i, len = 0;

	for (i = 0; i < msg->msg_iovlen; i++) {
		if (msg->msg_iov[i].iov_len > MAX_MESSAGE - len)
			return 0;
		len += msg->msg_iov[i].iov_len;
	}
	return len;
}

static void gather(uint8_t *to, const struct msghdr *msg)
{
	size_t i;

	for (i = 0; i < msg->msg_iovlen; i++) {
		memcpy(to, msg->msg_iov[i].iov_base, msg->msg_iov[i].iov_len);
		to += msg->msg_iov[i].iov_len;
	}
}

static bool is_segment(const struct cmsghdr *cmsg)
{
	return cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_SEGMENT;
}

/* Length of the datagrams of a message; an error if the socket is none of UDP */
static ssize_t segment_size(int fd, const struct msghdr *msg, size_t len)
{
	socklen_t value_len = sizeof(int);
	struct cmsghdr *cmsg;
	int value = 0;
	uint16_t size;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg;
	     cmsg = CMSG_NXTHDR((struct msghdr *)msg, cmsg)) {
		if (is_segment(cmsg)) {
			memcpy(&size, CMSG_DATA(cmsg), sizeof(size));
			return size ?: len;
		}
	}
	if (getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &value_len))
		return -errno;
	return value ? (size_t)value : len;
}

/* The program's control messages, but for GSO: quic_offload_send() does that */
static int copy_control(struct msghdr *to, const struct msghdr *msg)
{
	uint8_t *end = to->msg_control;
	struct cmsghdr *cmsg;
	size_t room;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg;
	     cmsg = CMSG_NXTHDR((struct msghdr *)msg, cmsg)) {
		if (is_segment(cmsg))
			continue;
		room = CMSG_ALIGN(cmsg->cmsg_len);
		if (room > to->msg_controllen)
			return -1;
		memcpy(end, cmsg, cmsg->cmsg_len);
		end += room;
		to->msg_controllen -= room;
	}
	to->msg_controllen = end - (uint8_t *)to->msg_control;
	return 0;
}

static size_t datagram_len(const struct message *m, size_t at)
{
	return m->len - at < m->segment ? m->len - at : m->segment;
}

static bool has_tickets(const struct message *m)
{
	size_t at;

	for (at = 0; at < m->len; at += m->segment)
		if (preload_has_ticket(m->data + at, datagram_len(m, at)))
			return true;
	return false;
}

/* Datagrams of one connection from @first on; inside the lock */
static ssize_t collect(const struct message *m,
		       struct quic_offload_packet *packets,
		       struct quic_offload_conn **conn)
{
	size_t n, at = m->first * m->segment;

	for (n = 0; n < MAX_PACKETS && at < m->len; n++, at += m->segment) {
		struct quic_offload_packet *packet = &packets[n];
		const uint8_t *datagram = m->data + at;
		struct quic_offload_conn *owner;
		size_t len = datagram_len(m, at);
		struct quic_offload_packet ready = {
			.data = datagram,
			.len = len,
			.ready = true,
		};

		if (!preload_has_ticket(datagram, len)) {
			*packet = ready;
			continue;
		}
		owner = preload_redeem(datagram, len, packet);
		if (!owner)
			return n ? (ssize_t)n : -EIO;
		if (*conn && owner != *conn)
			break;
		*conn = owner;

		/* The kernel takes no packet that is behind another one. */
		if (packet->data != datagram || packet->ready ||
		    m->first + n < m->user) {
			if (preload_protect(scratch + at, datagram, len))
				return n ? (ssize_t)n : -EIO;
			ready.data = scratch + at;
			*packet = ready;
		}
	}
	return n;
}

static bool in_scratch(const struct quic_offload_packet *packet)
{
	return packet->data >= scratch &&
	       packet->data < scratch + sizeof(scratch);
}

/* Return datagrams that left, or an error. */
static ssize_t send_some(const struct message *m)
{
	struct quic_offload_packet packets[MAX_PACKETS];
	struct quic_offload_conn *conn = NULL;
	struct quic_offload_socket *sock;
	ssize_t i, n = -EIO;

	preload_lock();
	sock = get_socket(m->fd);
	if (sock)
		n = collect(m, packets, &conn);
	if (n > 0)
		n = quic_offload_send(sock, conn ?: nobody, &m->to,
				      m->flags | MSG_DONTWAIT, packets, n);
	for (i = 0; i < n; i++)
		user_packets += in_scratch(&packets[i]);
	preload_unlock();
	return n;
}

/*
 * A message leaves as a whole, or not at all: if a part of it has left, and
 * there is no room for the rest, even a program that does not want to wait
 * waits for a while.  After that it will send what has left once more, which
 * the peer takes for what it is.
 */
static bool wait_for_room(const struct message *m, int waits)
{
	struct pollfd pollfd = { .fd = m->fd, .events = POLLOUT };
	bool block = !(m->flags & MSG_DONTWAIT) &&
		     !(fcntl(m->fd, F_GETFL) & O_NONBLOCK);

	if (!block && (!m->first || waits >= MAX_WAITS))
		return false;
	poll(&pollfd, 1, block ? -1 : WAIT_MS);
	return true;
}

/*
 * Whether quic_offload_send() has reasons that the program has not: it may send
 * out of order, or what it has sent before, and counts packets of a key itself.
 */
static bool is_refusal(ssize_t err)
{
	return err == -ERANGE || err == -EKEYEXPIRED || err == -ENOKEY ||
	       err == -EINVAL;
}

static ssize_t send_message(struct message *m)
{
	ssize_t sent;
	int waits = 0;

	while (m->first * m->segment < m->len) {
		sent = send_some(m);
		if (sent > 0) {
			m->first += sent;
		} else if (is_refusal(sent) && m->user <= m->first) {
			m->user = m->first + 1;
		} else if (sent != -EAGAIN || !wait_for_room(m, waits++)) {
			errno = -sent;
			return -1;
		}
	}
	return m->len;
}

/* Return whether the message is one with tickets; then, it was sent or not. */
static bool take(int fd, const struct msghdr *msg, int flags, ssize_t *ret)
{
	uint8_t control[QUIC_OFFLOAD_MAX_CONTROL], *copy = NULL;
	struct message m = {
		.fd = fd,
		.flags = flags,
		.to = {
			.msg_name = msg->msg_name,
			.msg_namelen = msg->msg_namelen,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		},
		.len = message_len(msg),
	};
	ssize_t segment;
	bool ours = false;

	if (preload_inside || preload_state == PRELOAD_OFF || !m.len)
		return false;
	if (preload_state == PRELOAD_WAIT) {
		watch(fd, msg);
		return false;
	}

	segment = segment_size(fd, msg, m.len);
	m.segment = segment > 0 ? (size_t)segment : m.len;
	m.data = msg->msg_iov[0].iov_base;
	*ret = -1;
	if (msg->msg_iovlen > 1) {
		copy = malloc(m.len);
		if (!copy)
			return true;
		gather(copy, msg);
		m.data = copy;
	}
	if (has_tickets(&m)) {
		ours = true;
		if (segment < 0)
			errno = -segment;
		else if (copy_control(&m.to, msg))
			errno = ENOBUFS;
		else
			*ret = send_message(&m);
	}
	free(copy);
	return ours;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t ret;

	return take(fd, msg, flags, &ret) ? ret :
	       NEXT(sendmsg)(fd, msg, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	unsigned int i;
	ssize_t ret;

	if (preload_state != PRELOAD_ON) {
		if (count)
			take(fd, &msgs->msg_hdr, flags, &ret);
		return NEXT(sendmmsg)(fd, msgs, count, flags);
	}
	for (i = 0; i < count; i++) {
		ret = sendmsg(fd, &msgs[i].msg_hdr, flags);
		if (ret < 0)
			return i ? (int)i : -1;
		msgs[i].msg_len = ret;
	}
	return count;
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t len, int flags,
		      const struct sockaddr *to, socklen_t to_len)
{
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t ret;

	return take(fd, &msg, flags, &ret) ? ret :
	       NEXT(sendto)(fd, buf, len, flags, to, to_len);
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	return sendto(fd, buf, len, flags, NULL, 0);
}

/*
 * A socket that was closed in another way does no harm: the kernel refuses to
 * protect packets on its successor, and they are protected in userspace.
 */
EXPORT int close(int fd)
{
	if (fd >= 0 && fd < MAX_FD && sockets[fd]) {
		preload_lock();
		quic_offload_socket_free(sockets[fd]);
		sockets[fd] = NULL;
		preload_unlock();
	}
	return NEXT(close)(fd);
}

__attribute__((constructor)) static void start(void)
{
	const char *offload = getenv("QUIC_OFFLOAD");

	nobody = quic_offload_conn_new(NULL, NULL);
	if (!nobody || (offload && !strcmp(offload, "0")))
		preload_state = PRELOAD_OFF;
}

__attribute__((destructor)) static void write_stats(void)
{
	const char *path = getenv("QUIC_OFFLOAD_STATS");
	struct quic_offload_stats stats;
	FILE *file = stderr;

	if (!path || preload_state != PRELOAD_ON)
		return;
	if (strcmp(path, "1"))
		file = fopen(path, "a");
	if (!file)
		return;
	stats = preload_stats();
	fprintf(file, "quic_preload: %ju kernel, %ju user, %ju ready\n",
		(uintmax_t)stats.kernel,
		(uintmax_t)(stats.user + user_packets),
		(uintmax_t)(stats.ready - user_packets));
	fflush(file);
}
