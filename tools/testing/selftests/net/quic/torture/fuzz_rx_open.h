/* SPDX-License-Identifier: GPL-2.0 */
/* The model of opening: what becomes of a datagram */
#ifndef FUZZ_RX_OPEN_H
#define FUZZ_RX_OPEN_H

#include "fuzz_rx_types.h"

/* Failures, after which a key opens nothing any more */
extern uint64_t fuzz_rx_max_failures;

/* The flow of a datagram that begins with these bytes, NULL without */
struct fuzz_flow *fuzz_rx_open_flow(const struct fuzz_rx_sock *rx,
				    const struct fuzz_dest *from,
				    const uint8_t *datagram, size_t len);
/* Short header, but no flow */
bool fuzz_rx_open_unknown(const struct fuzz_rx_sock *rx,
			  const struct fuzz_dest *from,
			  const uint8_t *datagram, size_t len);
/*
 * Opens the datagram @wire, which is all there; @bytes has a copy of it.  The
 * flow, and its keys, learn from it.
 */
void fuzz_rx_open(struct fuzz_flow *flow, const uint8_t *wire, size_t len,
		  uint8_t *bytes, struct quic_rx_ancillary_data *entry);
/* What UDP_QUIC_FLOW_INFO says of numbers */
void fuzz_rx_open_info(const struct fuzz_flow *flow,
		       struct quic_flow_info *info);

#endif /* FUZZ_RX_OPEN_H */
