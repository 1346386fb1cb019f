/* SPDX-License-Identifier: GPL-2.0 */
/* Socket options to set */
#ifndef FUZZ_GEN_OPTION_H
#define FUZZ_GEN_OPTION_H

#include "fuzz_types.h"

void fuzz_gen_option(struct fuzz_call *call);
void fuzz_gen_uncork(struct fuzz_call *call);

#endif /* FUZZ_GEN_OPTION_H */
