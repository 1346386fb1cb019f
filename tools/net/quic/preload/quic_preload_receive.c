// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The functions of the C library that quic_preload.so stands in for to receive:
 * those that have a control message, or can have one.  What a program reads by
 * others comes as it was sent if there is no room for control messages, as with
 * read().
 *
 * A datagram that the kernel has opened ends with 16 bytes of zeros: the tag was
 * there.  They are replaced by one that says so to ngtcp2, wherever the program
 * copies it, and that no peer can make (quic_preload_opened.c).
 */
#define _GNU_SOURCE
#include <string.h>

#include "quic_preload.h"
#include "quic_preload_opened.h"

/* As many messages at once; with more, more system calls are made. */
#define CHUNK		16
/* UDP has no more to say, but for long IPv6 extension headers. */
#define MAX_CONTROL	512

/* What the kernel writes in place of the program's control buffer */
struct room {
	union {
		uint8_t buf[QUIC_OFFLOAD_RX_CONTROL + MAX_CONTROL];
		size_t align;
	};
};

static struct {
	_Atomic(typeof(&recvmsg)) recvmsg;
	_Atomic(typeof(&recvmmsg)) recvmmsg;
	_Atomic(typeof(&recvfrom)) recvfrom;
} next;

__attribute__((constructor)) static void find_functions(void)
{
	next.recvmsg = preload_next("recvmsg");
	next.recvmmsg = preload_next("recvmmsg");
	next.recvfrom = preload_next("recvfrom");
}

#undef NEXT
#define NEXT(name)	(next.name ?: (typeof(&name))preload_next(#name))

/*
 * All messages of a socket where packets may come opened: the kernel opens them
 * wherever there is room for its control message, and it must not be the program
 * that is told.
 */
static void lend(struct msghdr *own, const struct msghdr *msg,
		 struct room *room)
{
	size_t theirs = msg->msg_control ? msg->msg_controllen : 0;

	if (theirs > MAX_CONTROL)
		theirs = MAX_CONTROL;
	*own = *msg;
	own->msg_control = room;
	own->msg_controllen = QUIC_OFFLOAD_RX_CONTROL + theirs;
}

/* As put_cmsg() of the kernel does it: what does not fit is cut. */
static void copy_control(struct msghdr *msg, struct msghdr *own)
{
	uint8_t *to = msg->msg_control;
	size_t left = to ? msg->msg_controllen : 0;
	struct cmsghdr *cmsg;

	msg->msg_flags = own->msg_flags;
	for (cmsg = CMSG_FIRSTHDR(own); cmsg; cmsg = CMSG_NXTHDR(own, cmsg)) {
		struct cmsghdr copy = *cmsg;
		size_t space;

		if (preload_is_entries(cmsg))
			continue;
		if (copy.cmsg_len > left) {
			msg->msg_flags |= MSG_CTRUNC;
			if (left < sizeof(copy))
				break;
			copy.cmsg_len = left;
		}
		memcpy(to, cmsg, copy.cmsg_len);
		memcpy(to, &copy, sizeof(copy));
		space = CMSG_ALIGN(copy.cmsg_len);
		if (space > left)
			space = left;
		to += space;
		left -= space;
	}
	msg->msg_controllen = to - (uint8_t *)msg->msg_control;
}

/* @own, which was lent to the kernel, becomes what the program sees in @msg. */
static void give_back(int fd, struct msghdr *msg, struct msghdr *own,
		      size_t len)
{
	preload_received(fd, own, len);
	msg->msg_namelen = own->msg_namelen;
	copy_control(msg, own);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	struct msghdr own;
	struct room room;
	ssize_t len;

	if (flags & MSG_ERRQUEUE || !preload_expects(fd) || !msg)
		return NEXT(recvmsg)(fd, msg, flags);

	lend(&own, msg, &room);
	len = NEXT(recvmsg)(fd, &own, flags);
	if (len >= 0)
		give_back(fd, msg, &own, len);
	return len;
}

static int receive_chunk(int fd, struct mmsghdr *msgs, unsigned int count,
			 int flags, struct timespec *timeout)
{
	struct mmsghdr own[CHUNK];
	struct room room[CHUNK];
	int i, n;

	for (i = 0; i < (int)count; i++)
		lend(&own[i].msg_hdr, &msgs[i].msg_hdr, &room[i]);
	n = NEXT(recvmmsg)(fd, own, count, flags, timeout);
	for (i = 0; i < n; i++) {
		msgs[i].msg_len = own[i].msg_len;
		give_back(fd, &msgs[i].msg_hdr, &own[i].msg_hdr,
			  own[i].msg_len);
	}
	return n;
}

EXPORT int recvmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags,
		    struct timespec *timeout)
{
	unsigned int chunk, done = 0;
	int n;

	if (flags & MSG_ERRQUEUE || !preload_expects(fd) || !msgs)
		return NEXT(recvmmsg)(fd, msgs, count, flags, timeout);

	while (done < count) {
		chunk = count - done < CHUNK ? count - done : CHUNK;
		n = receive_chunk(fd, msgs + done, chunk, flags, timeout);
		if (n < 0)
			return done ? (int)done : n;
		done += n;
		if (n < (int)chunk)
			break;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
	}
	return done;
}

EXPORT ssize_t recvfrom(int fd, void *buf, size_t len, int flags,
			struct sockaddr *from, socklen_t *from_len)
{
	struct iovec iov = { .iov_base = buf, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t ret;

	if (flags & MSG_ERRQUEUE || !preload_expects(fd))
		return NEXT(recvfrom)(fd, buf, len, flags, from, from_len);
	if (from && from_len) {
		msg.msg_name = from;
		msg.msg_namelen = *from_len;
	}
	ret = recvmsg(fd, &msg, flags);
	if (ret >= 0 && from && from_len)
		*from_len = msg.msg_namelen;
	return ret;
}

EXPORT ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	return recvfrom(fd, buf, len, flags, NULL, NULL);
}
