/* SPDX-License-Identifier: GPL-2.0 */
/* The model of recvmsg(): what the documentation says that a read must give */
#ifndef FUZZ_RX_MODEL_H
#define FUZZ_RX_MODEL_H

#include "fuzz_rx_types.h"

/* How often what is worth a test was met */
extern struct fuzz_rx_met {
	unsigned long long peeks, trains, entries, no_room, cut, faults, in_vain;
} fuzz_rx_met;

/* The read is over: the queue, flows and counters are as they are then. */
void fuzz_rx_model_read(const struct fuzz_rx_read *read,
			struct fuzz_rx_want *want);

#endif /* FUZZ_RX_MODEL_H */
