/* SPDX-License-Identifier: GPL-2.0 */
/* Send a message, and know what has arrived. */
#ifndef FUZZ_RX_SEND_H
#define FUZZ_RX_SEND_H

#include "fuzz_rx_types.h"

/* A random message, unless the queue is long */
void fuzz_rx_send(struct fuzz_rx_sock *rx);

#endif /* FUZZ_RX_SEND_H */
