/* SPDX-License-Identifier: GPL-2.0 */
/* Random reads */
#ifndef FUZZ_RX_GEN_H
#define FUZZ_RX_GEN_H

#include "fuzz_rx_types.h"

void fuzz_rx_gen_read(struct fuzz_rx_sock *rx, struct fuzz_rx_read *read);
/* Message @i of a recvmmsg(), the first of which is @first */
void fuzz_rx_gen_next(const struct fuzz_rx_read *first, unsigned int i,
		      struct fuzz_rx_read *read);

#endif /* FUZZ_RX_GEN_H */
