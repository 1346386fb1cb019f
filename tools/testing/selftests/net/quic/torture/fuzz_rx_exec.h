/* SPDX-License-Identifier: GPL-2.0 */
/* Random reads, each compared with what the model has predicted */
#ifndef FUZZ_RX_EXEC_H
#define FUZZ_RX_EXEC_H

#include "fuzz_rx_types.h"

/* What is talked about, or NULL, and what should come of it */
extern const struct fuzz_rx_read *fuzz_rx_current;
extern const struct fuzz_rx_want *fuzz_rx_wanted;

void fuzz_rx_exec_open(void);
/* Returns for how many messages it has asked. */
unsigned int fuzz_rx_exec(struct fuzz_rx_sock *rx);

#endif /* FUZZ_RX_EXEC_H */
