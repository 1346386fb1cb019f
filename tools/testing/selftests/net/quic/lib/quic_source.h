/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that is sent, in each way in which its pages may get into an skb. */
#ifndef QUIC_SOURCE_H
#define QUIC_SOURCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define QUIC_SOURCE_SIZE	(1 << 16)

enum quic_source_kind {
	QUIC_SOURCE_COPIED,		/* plain sendmsg() */
	QUIC_SOURCE_ZEROCOPY,		/* MSG_ZEROCOPY: receivers have a copy */
	QUIC_SOURCE_VMSPLICE,		/* anonymous pages */
	QUIC_SOURCE_VMSPLICE_SHARED,	/* with processes forked later on */
	QUIC_SOURCE_MEMFD,		/* page cache without a disk */
	QUIC_SOURCE_FILE,		/* page cache of a file in "." */
	QUIC_SOURCE_KINDS,
};

struct quic_source {
	enum quic_source_kind kind;
	int fd;				/* of the file, or -1 */
	int pipe[2];
	uint8_t *mem;			/* QUIC_SOURCE_SIZE bytes, mapped */
};

extern const char * const quic_source_names[QUIC_SOURCE_KINDS];

/* All of these return -1 with errno where something is wrong. */
int quic_source_open(struct quic_source *source, enum quic_source_kind kind);
void quic_source_close(struct quic_source *source);

/* The pages themselves reach a receiver on this machine. */
bool quic_source_shares(const struct quic_source *source);

/* Sends @len bytes at @from, over a connected socket; @more follow for the
 * same datagram, not from a source that is copied.
 */
ssize_t quic_source_send(const struct quic_source *source, int fd, size_t from,
			 size_t len, bool more);

/* The memory, and the file that it is mapped from, are these bytes. */
bool quic_source_is(const struct quic_source *source, size_t from,
		    const void *bytes, size_t len);

#endif /* QUIC_SOURCE_H */
