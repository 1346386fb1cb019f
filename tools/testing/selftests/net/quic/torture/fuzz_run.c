// SPDX-License-Identifier: GPL-2.0
/* Epochs with seeds, until the time is over */

#include <time.h>

#include "fuzz_random.h"
#include "fuzz_run.h"
#include "kselftest.h"

#define SECONDS		15

struct fuzz_run fuzz_run;

static double start, deadline;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static unsigned long long env(const char *name, unsigned long long value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : value;
}

void fuzz_run_start(void)
{
	/* The short form does the same each time. */
	fuzz_run.seed = getenv("QUIC_TORTURE_SECONDS") ?
			time(NULL) * 1000000ULL : 1;
	fuzz_run.seed = env("QUIC_SEED", fuzz_run.seed);
	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("QUIC_SEED=%llu\n", (unsigned long long)fuzz_run.seed);
}

bool fuzz_run_has_time(void)
{
	return now() < deadline;
}

void fuzz_run_epochs(void (*epoch)(void))
{
	double said = now();

	start = said;
	deadline = start + env("QUIC_TORTURE_SECONDS", SECONDS);
	do {
		fuzz_seed(fuzz_run.seed);
		epoch();
		fuzz_run.seed++;
		if (now() - said > 60) {
			said = now();
			ksft_print_msg("%llu calls, %.0f a second\n",
				       fuzz_run.calls,
				       fuzz_run.calls / (said - start));
		}
	} while (fuzz_run_has_time());
}

void fuzz_run_pass(void)
{
	ksft_test_result_pass("%llu calls, %.0f a second\n", fuzz_run.calls,
			      fuzz_run.calls / (now() - start));
	ksft_finished();
}

void fuzz_run_fail(const char *round, const char *text)
{
	if (!text)
		ksft_exit_fail();
	ksft_test_result_fail("QUIC_SEED=%llu, %s %u, after %llu calls: %s\n",
			      (unsigned long long)fuzz_run.seed, round,
			      fuzz_run.in_epoch, fuzz_run.calls, text);
	ksft_finished();
}
