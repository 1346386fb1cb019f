// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What quic_preload.so knows of descriptors: which of them are UDP sockets, and
 * what the kernel can on those that packets of QUIC were seen on.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/stat.h>

#include "quic_preload.h"

#define MAX_FD		(1 << 20)	/* default of fs.nr_open */

/*
 * Descriptors are closed and replaced in more ways than close().  The inode
 * tells one socket from the next.
 */
static struct {
	struct quic_offload_socket *_Atomic socket;
	dev_t dev;
	ino_t ino;
} known[MAX_FD];

static bool is_valid(int fd)
{
	return fd >= 0 && fd < MAX_FD;
}

static bool has_option(int fd, int option, int wanted)
{
	socklen_t len = sizeof(int);
	int value;

	return !getsockopt(fd, SOL_SOCKET, option, &value, &len) &&
	       value == wanted;
}

static bool ask_is_udp(int fd)
{
	return has_option(fd, SO_PROTOCOL, IPPROTO_UDP) &&
	       has_option(fd, SO_TYPE, SOCK_DGRAM) &&
	       (has_option(fd, SO_DOMAIN, AF_INET) ||
		has_option(fd, SO_DOMAIN, AF_INET6));
}

bool preload_is_udp(int fd)
{
	return is_valid(fd) && (known[fd].socket || ask_is_udp(fd));
}

static void notice(void *arg, const char *text)
{
	preload_say(text);
}

static void forget(int fd)
{
	quic_offload_socket_free(known[fd].socket);
	known[fd].socket = NULL;
}

struct quic_offload_socket *preload_socket(int fd)
{
	struct stat st;

	if (!is_valid(fd) || fstat(fd, &st))
		return NULL;
	if (known[fd].socket &&
	    (known[fd].dev != st.st_dev || known[fd].ino != st.st_ino))
		forget(fd);
	if (!known[fd].socket && ask_is_udp(fd)) {
		known[fd].dev = st.st_dev;
		known[fd].ino = st.st_ino;
		known[fd].socket = quic_offload_socket_new(fd, notice, NULL);
	}
	return known[fd].socket;
}

/* The table may say so of a descriptor that has been replaced. */
bool preload_knows_socket(int fd)
{
	struct stat st;

	return is_valid(fd) && known[fd].socket && !fstat(fd, &st) &&
	       known[fd].dev == st.st_dev && known[fd].ino == st.st_ino;
}

/* A handler of a signal that came inside the lock leaves it to the inode. */
void preload_forget_socket(int fd)
{
	if (!is_valid(fd) || !known[fd].socket || preload_inside ||
	    !preload_is_owner())
		return;
	preload_lock();
	forget(fd);
	preload_unlock();
}
