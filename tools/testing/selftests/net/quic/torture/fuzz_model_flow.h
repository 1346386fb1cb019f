/* SPDX-License-Identifier: GPL-2.0 */
/* The model of flows: UDP_ULP, ADD, DEL. */
#ifndef FUZZ_MODEL_FLOW_H
#define FUZZ_MODEL_FLOW_H

#include "fuzz_types.h"

extern long fuzz_max_flows;

extern struct fuzz_counters {
	long flows, added, updates, errors, packets, bytes;
} fuzz_counters;

int fuzz_model_ulp(const struct fuzz_call *call);
int fuzz_model_add(const struct fuzz_call *call);
int fuzz_model_del(const struct fuzz_call *call);
void fuzz_model_close(struct fuzz_sock *sock);

#endif /* FUZZ_MODEL_FLOW_H */
