/* SPDX-License-Identifier: GPL-2.0 */
/* Where the reads run */
#ifndef FUZZ_RX_ENV_H
#define FUZZ_RX_ENV_H

#include "fuzz_rx_types.h"

void fuzz_rx_env_open(void);
void fuzz_rx_env_close(void);
void fuzz_rx_env_limit_failures(uint64_t limit);

#endif /* FUZZ_RX_ENV_H */
