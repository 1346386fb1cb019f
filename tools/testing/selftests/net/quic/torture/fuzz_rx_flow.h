/* SPDX-License-Identifier: GPL-2.0 */
/* The model of receive flows: ADD, DEL, DROP */
#ifndef FUZZ_RX_FLOW_H
#define FUZZ_RX_FLOW_H

#include "fuzz_rx_types.h"

extern long fuzz_rx_max_flows;

/* What setsockopt() must return; @call->sock is that of @rx. */
int fuzz_rx_flow_setsockopt(struct fuzz_rx_sock *rx,
			    const struct fuzz_call *call);
void fuzz_rx_flow_close(struct fuzz_rx_sock *rx);
/* The keys of the flow's newest generation, and of those before and after it */
struct quic_keys fuzz_rx_flow_keys(const struct fuzz_flow *flow, int step);

#endif /* FUZZ_RX_FLOW_H */
