/* SPDX-License-Identifier: GPL-2.0 */
/* What the documentation says that a message must do */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include "fuzz_types.h"

extern uint64_t fuzz_max_packets;

int fuzz_model_message(const struct fuzz_call *call, struct fuzz_message *m);
int fuzz_model_train(const struct fuzz_call *call, struct fuzz_message *m);
/* There may be no memory for one of its packets. */
bool fuzz_model_huge(const struct fuzz_message *m);
/* Its numbers are used. */
void fuzz_model_sent(struct fuzz_message *m);
/* Packets of the flow have been sent: so it, and the counters, have to say. */
void fuzz_model_count(struct fuzz_flow *flow, unsigned int packets,
		      size_t bytes);
/* What UDP_QUIC_FLOW_INFO says of numbers */
void fuzz_model_info(const struct fuzz_flow *flow, struct quic_flow_info *info);

#endif /* FUZZ_MODEL_H */
