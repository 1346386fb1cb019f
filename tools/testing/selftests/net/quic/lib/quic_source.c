// SPDX-License-Identifier: GPL-2.0
/* Memory that is sent, in each way in which its pages may get into an skb. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "quic_source.h"

const char * const quic_source_names[QUIC_SOURCE_KINDS] = {
	[QUIC_SOURCE_COPIED]		= "copied",
	[QUIC_SOURCE_ZEROCOPY]		= "MSG_ZEROCOPY",
	[QUIC_SOURCE_VMSPLICE]		= "vmsplice",
	[QUIC_SOURCE_VMSPLICE_SHARED]	= "vmsplice of shared memory",
	[QUIC_SOURCE_MEMFD]		= "splice from a memfd",
	[QUIC_SOURCE_FILE]		= "splice from a file",
};

static int file_open(enum quic_source_kind kind)
{
	/* Not every file system lets a file be used that has no name: 9p. */
	char name[] = "/tmp/quic-XXXXXX";
	int fd;

	if (kind == QUIC_SOURCE_MEMFD) {
		fd = memfd_create("quic", MFD_CLOEXEC);
	} else {
		fd = mkstemp(name);
		if (fd >= 0)
			unlink(name);
	}
	if (fd >= 0 && ftruncate(fd, QUIC_SOURCE_SIZE)) {
		close(fd);
		return -1;
	}
	return fd;
}

int quic_source_open(struct quic_source *source, enum quic_source_kind kind)
{
	int flags = MAP_SHARED;

	source->kind = kind;
	source->fd = -1;
	if (kind == QUIC_SOURCE_MEMFD || kind == QUIC_SOURCE_FILE) {
		source->fd = file_open(kind);
		if (source->fd < 0)
			return -1;
	} else {
		flags = MAP_ANONYMOUS | (kind == QUIC_SOURCE_VMSPLICE_SHARED ?
					 MAP_SHARED : MAP_PRIVATE);
	}
	source->mem = mmap(NULL, QUIC_SOURCE_SIZE, PROT_READ | PROT_WRITE,
			   flags, source->fd, 0);
	return source->mem == MAP_FAILED ? -1 : pipe(source->pipe);
}

void quic_source_close(struct quic_source *source)
{
	munmap(source->mem, QUIC_SOURCE_SIZE);
	close(source->pipe[0]);
	close(source->pipe[1]);
	if (source->fd >= 0)
		close(source->fd);
}

bool quic_source_shares(const struct quic_source *source)
{
	return source->kind != QUIC_SOURCE_COPIED &&
	       source->kind != QUIC_SOURCE_ZEROCOPY;
}

/* Who reads what the kernel says about messages before makes room for more. */
static ssize_t send_zerocopy(const struct quic_source *source, int fd,
			     size_t from, size_t len)
{
	struct msghdr mh = {};
	int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)))
		return -1;
	while (!recvmsg(fd, &mh, MSG_ERRQUEUE))
		;
	return send(fd, source->mem + from, len, MSG_ZEROCOPY);
}

/* Into the pipe */
static int fill(const struct quic_source *source, size_t from, size_t len)
{
	struct iovec iov = { source->mem + from, len };
	off_t at = from;
	ssize_t ret;

	if (source->fd < 0)
		return vmsplice(source->pipe[1], &iov, 1, 0) ==
		       (ssize_t)len ? 0 : -1;

	for (; len; len -= ret) {
		ret = splice(source->fd, &at, source->pipe[1], NULL, len,
			     SPLICE_F_NONBLOCK);
		if (ret <= 0)
			return -1;
	}
	return 0;
}

ssize_t quic_source_send(const struct quic_source *source, int fd, size_t from,
			 size_t len, bool more)
{
	if (source->kind == QUIC_SOURCE_COPIED)
		return send(fd, source->mem + from, len, 0);
	if (source->kind == QUIC_SOURCE_ZEROCOPY)
		return send_zerocopy(source, fd, from, len);
	if (fill(source, from, len))
		return -1;
	return splice(source->pipe[0], NULL, fd, NULL, len,
		      more ? SPLICE_F_MORE : 0);
}

bool quic_source_is(const struct quic_source *source, size_t from,
		    const void *bytes, size_t len)
{
	static uint8_t file[QUIC_SOURCE_SIZE];

	if (memcmp(source->mem + from, bytes, len))
		return false;
	if (source->fd < 0)
		return true;
	return pread(source->fd, file, len, from) == (ssize_t)len &&
	       !memcmp(file, bytes, len);
}
