/* SPDX-License-Identifier: GPL-2.0 */
/* The messages of a socket that were not read */
#ifndef FUZZ_RX_QUEUE_H
#define FUZZ_RX_QUEUE_H

#include "fuzz_rx_types.h"

/* What is not about its bytes is for the caller to fill in. */
struct fuzz_rx_message *fuzz_rx_queue_add(struct fuzz_rx_sock *rx,
					  const uint8_t *wire, size_t len);
void fuzz_rx_queue_del(struct fuzz_rx_sock *rx, unsigned int i);
/*
 * The message that a read gets: its place in the queue, -1 if there is none.
 * *@off: where in the message a peek begins.
 */
int fuzz_rx_queue_next(struct fuzz_rx_sock *rx, bool peek, size_t *off);
/* So many bytes were read, or looked at. */
void fuzz_rx_queue_advance(struct fuzz_rx_sock *rx, bool peek, size_t len);

#endif /* FUZZ_RX_QUEUE_H */
