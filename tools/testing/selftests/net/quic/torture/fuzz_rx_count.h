/* SPDX-License-Identifier: GPL-2.0 */
/* The counters of the namespace, and what they must be */
#ifndef FUZZ_RX_COUNT_H
#define FUZZ_RX_COUNT_H

#include "fuzz_rx_types.h"

extern struct fuzz_rx_counters {
	long flows, added, updates;
	long status[QUIC_RX_LIMIT + 1];	/* NOT_OFFLOADED: of no flow */
	long bytes;			/* that were opened, with tags */
	long dropped;
} fuzz_rx_counters;

void fuzz_rx_count_check(void);

#endif /* FUZZ_RX_COUNT_H */
