// SPDX-License-Identifier: GPL-2.0
/* Random numbers that are the same again with the same seed: splitmix64. */

#include <string.h>

#include "fuzz_random.h"

static uint64_t state;

void fuzz_seed(uint64_t seed)
{
	state = seed;
}

uint64_t fuzz_random(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

unsigned int fuzz_below(unsigned int limit)
{
	return (fuzz_random() >> 32) * limit >> 32;
}

bool fuzz_chance(unsigned int percent)
{
	return fuzz_below(100) < percent;
}

void fuzz_fill(void *buf, size_t len)
{
	uint8_t *p = buf;
	uint64_t r;
	size_t n;

	for (; len; p += n, len -= n) {
		n = len < sizeof(r) ? len : sizeof(r);
		r = fuzz_random();
		memcpy(p, &r, n);
	}
}
