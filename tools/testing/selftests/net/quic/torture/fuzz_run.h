/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the fuzzers have in common: epochs with seeds, until their time is over.
 *
 *   QUIC_TORTURE_SECONDS=n	how long
 *   QUIC_SEED=n		the seed of the first epoch; the next has n + 1
 *
 * A failure tells the seed of its epoch, with which it is the first one.
 */
#ifndef FUZZ_RUN_H
#define FUZZ_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "kselftest.h"

struct fuzz_run {
	uint64_t seed;			/* of the epoch */
	unsigned int in_epoch;		/* rounds of it */
	unsigned long long calls;	/* of all epochs */
};
extern struct fuzz_run fuzz_run;

/* First of all: the plan, and the seed */
void fuzz_run_start(void);
/* On a slow machine an epoch may end before its last round. */
bool fuzz_run_has_time(void);
void fuzz_run_epochs(void (*epoch)(void));
/* The verdict, at the end; @round: what rounds are called, @text: what failed */
__noreturn void fuzz_run_pass(void);
__noreturn void fuzz_run_fail(const char *round, const char *text);

#endif /* FUZZ_RUN_H */
