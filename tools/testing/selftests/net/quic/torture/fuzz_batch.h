/* SPDX-License-Identifier: GPL-2.0 */
/* Many messages with one system call */
#ifndef FUZZ_BATCH_H
#define FUZZ_BATCH_H

#include "fuzz_types.h"

void fuzz_batch_open(void);
unsigned int fuzz_batch(void);		/* returns the number of calls */

#endif /* FUZZ_BATCH_H */
