/* SPDX-License-Identifier: GPL-2.0 */
/* UDP_QUIC_FLOW_INFO and UDP_QUIC_CAPABILITIES: what the kernel tells */
#ifndef FUZZ_INFO_H
#define FUZZ_INFO_H

#include "fuzz_types.h"

/* Of the flows of a model: which direction they have, and their numbers */
struct fuzz_info {
	uint8_t direction;	/* QUIC_CAP_* */
	void (*numbers)(const struct fuzz_flow *flow,
			struct quic_flow_info *info);
};

/* A random question, mostly about a flow that @call->sock has */
void fuzz_info_gen(struct fuzz_call *call, uint8_t direction);
/* About this one */
void fuzz_info_of(struct fuzz_call *call, uint8_t direction,
		  const struct fuzz_flow *flow);
/* Asks, and ends the program unless the answer is what is known. */
void fuzz_info_exec(const struct fuzz_call *call, const struct fuzz_info *known);

#endif /* FUZZ_INFO_H */
