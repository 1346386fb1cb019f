/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that are the same again with the same seed. */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include "fuzz_types.h"

void fuzz_seed(uint64_t seed);
uint64_t fuzz_random(void);
unsigned int fuzz_below(unsigned int limit);
bool fuzz_chance(unsigned int percent);
void fuzz_fill(void *buf, size_t len);
#define fuzz_pick(array) ((array)[fuzz_below(ARRAY_LEN(array))])

#endif /* FUZZ_RANDOM_H */
