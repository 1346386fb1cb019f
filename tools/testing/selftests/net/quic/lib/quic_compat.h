/* SPDX-License-Identifier: GPL-2.0 */
/* A program of 32 bits, compat32, and what it tells. */
#ifndef QUIC_COMPAT_H
#define QUIC_COMPAT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The kernel runs no such programs. */
#define QUIC_CANNOT_EXEC	255

/* Runs it with these files and arguments; returns the process. */
pid_t quic_compat_run(int input, int output, int fd, const char *what,
		      const char *first, const char *second);
/* Waits for it; returns the errno of the call, 0 for success. */
int quic_compat_finish(pid_t pid);
/* Why nothing can be tested; NULL if all is there */
const char *quic_compat_missing(void);

/* getsockopt(SOL_UDP) with the first bytes of the @size of @value, none to all, and
 * more: NULL if a program of either size is told the same, else what differs.
 */
const char *quic_compat_option(int fd, int option, const void *value,
			       size_t size);

/* What it tells of a message; of one layout in programs of either size */
struct quic_compat_received {
	uint32_t room;			/* that it had for control messages */
	int32_t ret;			/* negative errno */
	uint32_t flags;
	uint32_t control_len;
	uint8_t control[4096];
	uint8_t buf[8192];
};

/* A control message of a program of 32 bits */
struct quic_compat_cmsg {
	uint32_t len;
	int32_t level;
	int32_t type;
};

#endif /* QUIC_COMPAT_H */
