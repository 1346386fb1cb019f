// SPDX-License-Identifier: GPL-2.0
/* The messages of a socket that were not read: what UDP makes of them. */

#include <stdlib.h>
#include <string.h>

#include "fuzz_fail.h"
#include "fuzz_rx_queue.h"

struct fuzz_rx_message *fuzz_rx_queue_add(struct fuzz_rx_sock *rx,
					  const uint8_t *wire, size_t len)
{
	struct fuzz_rx_message *m = malloc(sizeof(*m) + len);

	fuzz_must(m && rx->messages < FUZZ_RX_QUEUE, "room in a queue");
	*m = (struct fuzz_rx_message) {
		.drops = rx->overflow ? rx->drops : 0,
		.len = len,
	};
	memcpy(m->wire, wire, len);
	rx->queue[rx->messages++] = m;
	rx->bytes += len;
	return m;
}

void fuzz_rx_queue_del(struct fuzz_rx_sock *rx, unsigned int i)
{
	rx->bytes -= rx->queue[i]->len;
	free(rx->queue[i]);
	memmove(&rx->queue[i], &rx->queue[i + 1],
		(--rx->messages - i) * sizeof(*rx->queue));
}

int fuzz_rx_queue_next(struct fuzz_rx_sock *rx, bool peek, size_t *off)
{
	unsigned int i = 0;

	*off = 0;
	if (peek && rx->peek_off >= 0) {
		/* What lies before the offset is skipped, also if it is empty. */
		*off = rx->peek_off;
		while (i < rx->messages && *off >= rx->queue[i]->len &&
		       (*off || rx->queue[i]->peeked))
			*off -= rx->queue[i++]->len;
	}
	if (i == rx->messages)
		return -1;
	if (peek && !rx->queue[i]->len)
		rx->queue[i]->peeked = true;
	return i;
}

void fuzz_rx_queue_advance(struct fuzz_rx_sock *rx, bool peek, size_t len)
{
	if (rx->peek_off < 0)
		return;
	if (peek)
		rx->peek_off += len;
	else
		rx->peek_off -= len < (size_t)rx->peek_off ? len : rx->peek_off;
}
