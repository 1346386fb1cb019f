/* SPDX-License-Identifier: GPL-2.0 */
/* A queue of netfilter that a program answers, without its libraries. */
#ifndef QUIC_NFQUEUE_H
#define QUIC_NFQUEUE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Queue 0 of the network namespace, for packets of both families; @whole: GSO
 * trains in one piece.  Returns the socket, or -1 with errno.
 */
int quic_nfqueue_open(bool whole);

/*
 * Let @count packets pass; returns how many of them had @text in them, -1 with errno
 * when none comes for two seconds.
 */
int quic_nfqueue_accept(int fd, unsigned int count, const void *text,
			size_t text_len);

#endif /* QUIC_NFQUEUE_H */
