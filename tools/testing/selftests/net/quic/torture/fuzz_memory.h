/* SPDX-License-Identifier: GPL-2.0 */
/* Put a message into memory, as iovecs; or an option. */
#ifndef FUZZ_MEMORY_H
#define FUZZ_MEMORY_H

#include "fuzz_types.h"

void fuzz_memory_open(void);
uint8_t *fuzz_memory_shared(void);
void fuzz_memory_message(struct fuzz_call *call);
/* Where memory ends behind them */
void *fuzz_memory_at_end(const void *bytes, size_t len);
const void *fuzz_memory_option(const struct fuzz_call *call);

#endif /* FUZZ_MEMORY_H */
