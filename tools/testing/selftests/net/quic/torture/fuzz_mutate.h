/* SPDX-License-Identifier: GPL-2.0 */
/* Spoil a message. */
#ifndef FUZZ_MUTATE_H
#define FUZZ_MUTATE_H

#include "fuzz_types.h"

void fuzz_mutate(struct fuzz_call *call);

#endif /* FUZZ_MUTATE_H */
