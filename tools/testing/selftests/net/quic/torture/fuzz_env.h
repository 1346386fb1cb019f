/* SPDX-License-Identifier: GPL-2.0 */
/* Where the calls run */
#ifndef FUZZ_ENV_H
#define FUZZ_ENV_H

#include "fuzz_types.h"

void fuzz_env_open(void);
void fuzz_env_close(void);
void fuzz_env_limit_packets(uint64_t limit);

#endif /* FUZZ_ENV_H */
