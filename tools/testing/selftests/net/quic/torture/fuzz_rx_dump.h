/* SPDX-License-Identifier: GPL-2.0 */
/* A read, and what it must come to, for whoever has to find out */
#ifndef FUZZ_RX_DUMP_H
#define FUZZ_RX_DUMP_H

#include "fuzz_rx_types.h"

void fuzz_rx_dump_sock(const struct fuzz_rx_sock *rx);
void fuzz_rx_dump_read(const struct fuzz_rx_read *read,
		       const struct fuzz_rx_want *want);
void fuzz_rx_dump_option(const struct fuzz_call *call);

#endif /* FUZZ_RX_DUMP_H */
