/* SPDX-License-Identifier: GPL-2.0 */
/* Messages to be sent: packets of flows, spoiled ones, and strangers */
#ifndef FUZZ_RX_SEAL_H
#define FUZZ_RX_SEAL_H

#include "fuzz_rx_types.h"

struct fuzz_rx_sealed {
	struct fuzz_dest from;
	uint8_t tos;
	unsigned int count;
	size_t stride;
	size_t len;
	uint8_t wire[FUZZ_RX_MESSAGE];
};

void fuzz_rx_seal_epoch(void);
/* Up to @most datagrams; more than one are not longer than @mtu. */
void fuzz_rx_seal(struct fuzz_rx_sock *rx, struct fuzz_rx_sealed *sealed,
		  unsigned int most, size_t mtu);

#endif /* FUZZ_RX_SEAL_H */
