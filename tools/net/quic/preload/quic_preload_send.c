// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The side of quic_preload.so that faces the socket: finds the tickets that
 * quic_preload_deferred.c has left in datagrams, and passes the packets they
 * stand for to quic_offload_send().  What cannot be protected fails with EIO.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "quic_preload.h"
#include "quic_preload_keys.h"

#define MAX_MESSAGE	65535
#define MAX_PACKETS	128

/* How long a program that does not wait waits when half a message is gone */
#define WAIT_MS		10
#define MAX_WAITS	10

uint64_t preload_user_packets;

/* Stands for a connection where datagrams are ready, all of them */
static struct quic_offload_conn *nobody;

/* Datagrams protected in userspace, at their place in the message */
static uint8_t scratch[MAX_MESSAGE];

/**
 * struct message - what the program wants to be sent
 * @segment: length of each datagram but the last
 * @first: the first datagram that has not left
 * @user: those before this one are protected in userspace
 * @deadline: in ms, when a program that waits does no longer; 0: not asked yet
 * @copy: of the data, where these were in pieces
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
	int64_t deadline;
	uint8_t *copy;
};

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

/* Length of the datagrams of a message */
static size_t segment_size(int fd, const struct msghdr *msg, size_t len)
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
	getsockopt(fd, SOL_UDP, UDP_SEGMENT, &value, &value_len);
	return value > 0 ? (size_t)value : len;
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

/*
 * Whether data may be overwritten when sendmsg() returns.  With these flags they
 * may not: the kernel has pages of the program, or waits for the rest.
 */
static bool is_copied(int flags)
{
	return !(flags & (MSG_ZEROCOPY | MSG_MORE));
}

/* Return whether the message has tickets. */
static bool look(const struct message *m)
{
	bool found = false;
	size_t at, len;

	preload_lock();
	for (at = 0; at < m->len; at += m->segment) {
		len = datagram_len(m, at);
		if (is_copied(m->flags))
			preload_note(m->fd, m->data + at, len);
		found |= preload_has_ticket(m->data + at, len);
	}
	preload_unlock();
	return found;
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

		if (packet->ready || m->first + n < m->user) {
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

static void done_with(const struct message *m, size_t first, size_t count,
		      bool kernel)
{
	size_t at = first * m->segment;

	for (; count && at < m->len; count--, at += m->segment)
		preload_left(m->data + at, datagram_len(m, at), kernel);
}

/* Return datagrams that left, or an error. */
static ssize_t send_some(const struct message *m)
{
	struct quic_offload_packet packets[MAX_PACKETS];
	struct quic_offload_conn *conn = NULL;
	struct quic_offload_socket *sock;
	ssize_t i, n = -EIO;

	preload_lock();
	if (!nobody)
		nobody = quic_offload_conn_new(NULL, NULL);
	sock = preload_socket(m->fd);
	if (sock && nobody)
		n = collect(m, packets, &conn);
	if (n > 0)
		n = quic_offload_send(sock, conn ?: nobody, &m->to,
				      m->flags | MSG_DONTWAIT, packets, n);
	for (i = 0; i < n; i++)
		preload_user_packets += in_scratch(&packets[i]);
	if (n > 0)
		done_with(m, m->first, n,
			  quic_offload_socket_enable(sock, true));
	preload_unlock();
	return n;
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* What is left of SO_SNDTIMEO, in ms; -1: for ever */
static int time_left(struct message *m)
{
	struct timeval timeout = { 0 };
	socklen_t len = sizeof(timeout);
	int64_t left;

	if (!m->deadline) {
		m->deadline = INT64_MAX;
		getsockopt(m->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, &len);
		if (timeout.tv_sec || timeout.tv_usec)
			m->deadline = now_ms() + timeout.tv_sec * 1000LL +
				      (timeout.tv_usec + 999) / 1000;
	}
	if (m->deadline == INT64_MAX)
		return -1;
	left = m->deadline - now_ms();
	if (left < 0)
		return 0;
	return left < INT_MAX ? left : INT_MAX;
}

/*
 * A message leaves as a whole, or not at all: if a part of it has left, and
 * there is no room for the rest, even a program that does not want to wait
 * waits for a while.  After that it will send what has left once more, which
 * the peer takes for what it is.
 *
 * Return: 0 if it is worth another try, or what the program is told
 */
static int wait_for_room(struct message *m, int waits)
{
	struct pollfd pollfd = { .fd = m->fd, .events = POLLOUT };
	bool block = !(m->flags & MSG_DONTWAIT) &&
		     !(fcntl(m->fd, F_GETFL) & O_NONBLOCK);
	int timeout = block ? time_left(m) : WAIT_MS;

	if (!timeout || (!block && (!m->first || waits >= MAX_WAITS)))
		return -EAGAIN;
	if (poll(&pollfd, 1, timeout) < 0)
		return errno == EINTR && !m->first ? -EINTR : 0;
	/* poll() does not wait while the socket has errors to tell. */
	if (pollfd.revents && !(pollfd.revents & POLLOUT))
		poll(NULL, 0, WAIT_MS);
	return 0;
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

/* Whether a program sends the same once more when it is told so */
static bool is_passing(ssize_t err)
{
	return err == -EAGAIN || err == -ENOBUFS || err == -EINTR;
}

static ssize_t send_message(struct message *m)
{
	ssize_t sent = 0;
	int waits = 0;

	while (m->first * m->segment < m->len) {
		sent = send_some(m);
		if (sent > 0) {
			m->first += sent;
		} else if (is_refusal(sent) && m->user <= m->first) {
			m->user = m->first + 1;
		} else {
			if (sent == -EAGAIN)
				sent = wait_for_room(m, waits++);
			if (sent)
				break;
		}
	}
	if (m->first * m->segment >= m->len)
		return m->len;

	if (!is_passing(sent)) {
		preload_lock();
		done_with(m, m->first, MAX_MESSAGE, true);
		preload_unlock();
	}
	errno = -sent;
	return -1;
}

/* Return whether the message may have tickets. */
static bool begin(struct message *m, int fd, const struct msghdr *msg)
{
	/* The kernel has an error for those that are none. */
	if (preload_inside || preload_off || !msg)
		return false;
	if (!preload_encrypts)
		preload_watch(fd, msg);
	if (!preload_connections || !preload_is_udp(fd) || !msg->msg_iov)
		return false;

	m->len = message_len(msg);
	if (!m->len)
		return false;
	m->fd = fd;
	m->segment = segment_size(fd, msg, m->len);
	m->data = msg->msg_iov[0].iov_base;
	if (msg->msg_iovlen > 1) {
		m->copy = malloc(m->len);
		m->data = m->copy;
		/* The peer drops what leaves with a ticket. */
		if (!m->copy)
			return false;
		gather(m->copy, msg);
	}
	return true;
}

/* Programs that send without copying know ENOBUFS, and copy. */
static void stop(const struct message *m)
{
	size_t at;

	preload_lock();
	for (at = 0; at < m->len; at += m->segment)
		preload_stop(m->data + at, datagram_len(m, at));
	preload_unlock();
	errno = ENOBUFS;
}

bool preload_wants(int fd, const struct msghdr *msg, int flags)
{
	struct message m = { .flags = flags };
	bool found;

	found = begin(&m, fd, msg) && look(&m);
	free(m.copy);
	return found;
}

bool preload_take(int fd, const struct msghdr *msg, int flags, ssize_t *ret)
{
	uint8_t control[QUIC_OFFLOAD_MAX_CONTROL];
	struct message m = {
		.flags = flags,
		.to = {
			.msg_control = control,
			.msg_controllen = sizeof(control),
		},
	};
	bool found;

	found = begin(&m, fd, msg) && look(&m);
	if (found) {
		*ret = -1;
		m.to.msg_name = msg->msg_name;
		m.to.msg_namelen = msg->msg_namelen;
		if (!is_copied(flags))
			stop(&m);
		else if (copy_control(&m.to, msg))
			errno = ENOBUFS;
		else
			*ret = send_message(&m);
	}
	free(m.copy);
	return found;
}
