// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The functions of the C library that quic_preload.so stands in for: those that
 * datagrams are sent with, and close().
 *
 * There are other ways to send, io_uring or AF_XDP for example.  What a program
 * sends by these is lost, see quic_preload_deferred.c.
 */
#define _GNU_SOURCE
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "quic_preload.h"

/*
 * dlsym() is not for handlers of signals, and these functions are: look for the
 * functions before the program starts.  Somebody may call them even earlier.
 */
static struct {
	_Atomic(typeof(&sendmsg)) sendmsg;
	_Atomic(typeof(&sendmmsg)) sendmmsg;
	_Atomic(typeof(&sendto)) sendto;
	_Atomic(typeof(&send)) send;
	_Atomic(typeof(&write)) write;
	_Atomic(typeof(&writev)) writev;
	_Atomic(typeof(&pwritev2)) pwritev2;
	_Atomic(typeof(&pwritev64v2)) pwritev64v2;
	_Atomic(typeof(&syscall)) syscall;
	_Atomic(typeof(&close)) close;
} next;

__attribute__((constructor)) static void find_functions(void)
{
	next.sendmsg = preload_next("sendmsg");
	next.sendmmsg = preload_next("sendmmsg");
	next.sendto = preload_next("sendto");
	next.send = preload_next("send");
	next.write = preload_next("write");
	next.writev = preload_next("writev");
	next.pwritev2 = preload_next("pwritev2");
	next.pwritev64v2 = preload_next("pwritev64v2");
	next.syscall = preload_next("syscall");
	next.close = preload_next("close");
}

#undef NEXT
#define NEXT(name)	(next.name ?: (typeof(&name))preload_next(#name))

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t ret;

	return preload_take(fd, msg, flags, &ret) ? ret :
	       NEXT(sendmsg)(fd, msg, flags);
}

/* Return how many messages were sent, or -1. */
static int send_first(int fd, struct mmsghdr *msgs, unsigned int count,
		      int flags)
{
	unsigned int n = 1;
	ssize_t ret;

	if (preload_take(fd, &msgs->msg_hdr, flags, &ret)) {
		if (ret < 0)
			return -1;
		msgs->msg_len = ret;
		return 1;
	}
	while (n < count && !preload_wants(fd, &msgs[n].msg_hdr, flags))
		n++;
	return NEXT(sendmmsg)(fd, msgs, n, flags);
}

EXPORT int sendmmsg(int fd, struct mmsghdr *msgs, unsigned int count, int flags)
{
	unsigned int i;
	int n;

	if (!count || !msgs)
		return NEXT(sendmmsg)(fd, msgs, count, flags);
	for (i = 0; i < count; i += n) {
		n = send_first(fd, msgs + i, count - i, flags);
		if (n <= 0)
			return i ? (int)i : n;
	}
	return count;
}

/* Whether a call without control messages was done here */
static bool take(int fd, const struct iovec *iov, size_t count, int flags,
		 const struct sockaddr *to, socklen_t to_len, ssize_t *ret)
{
	const struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = to_len,
		.msg_iov = (void *)iov,
		.msg_iovlen = count,
	};

	return preload_take(fd, &msg, flags, ret);
}

EXPORT ssize_t sendto(int fd, const void *buf, size_t len, int flags,
		      const struct sockaddr *to, socklen_t to_len)
{
	const struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	ssize_t ret;

	return take(fd, &iov, 1, flags, to, to_len, &ret) ? ret :
	       NEXT(sendto)(fd, buf, len, flags, to, to_len);
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	const struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	ssize_t ret;

	return take(fd, &iov, 1, flags, NULL, 0, &ret) ? ret :
	       NEXT(send)(fd, buf, len, flags);
}

EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
	const struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	ssize_t ret;

	return take(fd, &iov, 1, 0, NULL, 0, &ret) ? ret :
	       NEXT(write)(fd, buf, len);
}

EXPORT ssize_t writev(int fd, const struct iovec *iov, int count)
{
	ssize_t ret;

	return count > 0 && take(fd, iov, count, 0, NULL, 0, &ret) ? ret :
	       NEXT(writev)(fd, iov, count);
}

/* Offset -1 makes a writev() of it; sockets have no other, nor pwritev(). */
EXPORT ssize_t pwritev2(int fd, const struct iovec *iov, int count,
			off_t offset, int flags)
{
	ssize_t ret;

	return offset == -1 && count > 0 &&
	       take(fd, iov, count, 0, NULL, 0, &ret) ? ret :
	       NEXT(pwritev2)(fd, iov, count, offset, flags);
}

EXPORT ssize_t pwritev64v2(int fd, const struct iovec *iov, int count,
			   off64_t offset, int flags)
{
	ssize_t ret;

	return offset == -1 && count > 0 &&
	       take(fd, iov, count, 0, NULL, 0, &ret) ? ret :
	       NEXT(pwritev64v2)(fd, iov, count, offset, flags);
}

/* The offset comes in two halves, the upper one has no meaning on 64 bits. */
static ssize_t raw_pwritev2(const long *arg)
{
	bool none = arg[3] == -1 && (sizeof(long) == 8 || arg[4] == -1);
	ssize_t ret;

	return none && arg[2] > 0 &&
	       take(arg[0], (void *)arg[1], arg[2], 0, NULL, 0, &ret) ? ret :
	       NEXT(syscall)(SYS_pwritev2, arg[0], arg[1], arg[2], arg[3],
			     arg[4], arg[5]);
}

EXPORT long syscall(long number, ...)
{
	long arg[6];
	va_list ap;
	int i;

	va_start(ap, number);
	for (i = 0; i < 6; i++)
		arg[i] = va_arg(ap, long);
	va_end(ap);

	switch (number) {
#ifdef SYS_send
	case SYS_send:
		return send(arg[0], (void *)arg[1], arg[2], arg[3]);
#endif
	case SYS_sendto:
		return sendto(arg[0], (void *)arg[1], arg[2], arg[3],
			      (void *)arg[4], arg[5]);
	case SYS_sendmsg:
		return sendmsg(arg[0], (void *)arg[1], arg[2]);
	case SYS_sendmmsg:
		return sendmmsg(arg[0], (void *)arg[1], arg[2], arg[3]);
	case SYS_write:
		return write(arg[0], (void *)arg[1], arg[2]);
	case SYS_writev:
		return writev(arg[0], (void *)arg[1], arg[2]);
	case SYS_pwritev2:
		return raw_pwritev2(arg);
	case SYS_recvfrom:
		return recvfrom(arg[0], (void *)arg[1], arg[2], arg[3],
				(void *)arg[4], (void *)arg[5]);
	case SYS_recvmsg:
		return recvmsg(arg[0], (void *)arg[1], arg[2]);
	case SYS_recvmmsg:
		return recvmmsg(arg[0], (void *)arg[1], arg[2], arg[3],
				(void *)arg[4]);
	}
	return NEXT(syscall)(number, arg[0], arg[1], arg[2], arg[3], arg[4],
			     arg[5]);
}

EXPORT int close(int fd)
{
	preload_forget_socket(fd);
	return NEXT(close)(fd);
}
