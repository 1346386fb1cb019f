/* SPDX-License-Identifier: GPL-2.0 */
/* The model of control messages: what the kernel writes to the buffer */
#ifndef FUZZ_RX_CONTROL_H
#define FUZZ_RX_CONTROL_H

#include "fuzz_rx_types.h"

/* Nothing was written. */
void fuzz_rx_control_start(struct fuzz_rx_want *want,
			   const struct fuzz_rx_read *read);
void fuzz_rx_control_put(struct fuzz_rx_want *want, int level, int type,
			 const void *data, size_t len);
/* Those of plain UDP */
void fuzz_rx_control_udp(struct fuzz_rx_want *want,
			 const struct fuzz_rx_sock *rx,
			 const struct fuzz_rx_message *m);

#endif /* FUZZ_RX_CONTROL_H */
