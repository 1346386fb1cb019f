/* SPDX-License-Identifier: GPL-2.0 */
/* Calls that make sense, most of them */
#ifndef FUZZ_GEN_H
#define FUZZ_GEN_H

#include "fuzz_types.h"

void fuzz_gen_epoch(void);
/* The call has memory for its message. */
void fuzz_gen_call(struct fuzz_call *call);
void fuzz_gen_send(struct fuzz_call *call);

#endif /* FUZZ_GEN_H */
