/* SPDX-License-Identifier: GPL-2.0 */
/* One call */
#ifndef FUZZ_EXEC_H
#define FUZZ_EXEC_H

#include "fuzz_types.h"

void fuzz_exec(struct fuzz_call *call);

#endif /* FUZZ_EXEC_H */
