/* SPDX-License-Identifier: GPL-2.0 */
/* A call, complete and as C has it */
#ifndef FUZZ_DUMP_H
#define FUZZ_DUMP_H

#include "fuzz_types.h"

void fuzz_dump(const struct fuzz_call *call);

#endif /* FUZZ_DUMP_H */
