// SPDX-License-Identifier: GPL-2.0
/*
 * Random system calls of the interface, each of which a model has predicted.
 *
 *   QUIC_TORTURE_SECONDS=n	how long
 *   QUIC_SEED=n		the seed of the first epoch; the next has n + 1
 *
 * A failure tells the seed of its epoch, with which it is the first one.
 */

#include <time.h>

#include "fuzz_audit.h"
#include "fuzz_batch.h"
#include "fuzz_change.h"
#include "fuzz_dump.h"
#include "fuzz_env.h"
#include "fuzz_exec.h"
#include "fuzz_fail.h"
#include "fuzz_gen.h"
#include "fuzz_memory.h"
#include "fuzz_model_flow.h"
#include "fuzz_random.h"
#include "fuzz_sock.h"
#include "kselftest.h"

#define SECONDS		15
#define BATCHES		100	/* of an epoch: then sockets are new */
#define CALLS		12	/* between batches */
#define CHANGES		6	/* rounds with memory that changes */
#define BETWEEN_LOOKS	10	/* at the counters */

static struct fuzz_call call;
static uint64_t seed;
static unsigned long long calls;
static double deadline;
static unsigned int in_epoch, batches;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void clean_up(void)
{
	fuzz_change_close();
	fuzz_env_close();
}

static __noreturn void give_up(const char *text)
{
	if (text && fuzz_current)
		fuzz_dump(fuzz_current);
	clean_up();
	if (!text)
		ksft_exit_fail();
	ksft_test_result_fail("QUIC_SEED=%llu, batch %u, after %llu calls: %s\n",
			      (unsigned long long)seed, in_epoch, calls, text);
	ksft_finished();
}

static void check_counter(const char *name, long expected)
{
	long value = quic_stat(name);

	if (value != expected)
		fuzz_fail("%s is %ld, expected %ld", name, value, expected);
}

static void check_counters(void)
{
	check_counter("QuicCurrTxSw", fuzz_counters.flows);
	check_counter("QuicTxSw", fuzz_counters.added);
	check_counter("QuicTxSwError", fuzz_counters.errors);
	check_counter("QuicTxSwPackets", fuzz_counters.packets);
}

static void epoch(void)
{
	static const uint64_t limits[] = { -1, -1, -1, 50, 500 };
	unsigned int i;

	fuzz_seed(seed);
	fuzz_gen_epoch();
	fuzz_env_limit_packets(fuzz_pick(limits));
	for (i = 0; i < FUZZ_SOCKS; i++)
		fuzz_sock_open(&fuzz_sock[i]);
	for (in_epoch = 0; in_epoch < BATCHES && now() < deadline; in_epoch++) {
		calls += fuzz_batch();
		fuzz_current = &call;
		for (i = 0; i < CALLS; i++, calls++) {
			fuzz_gen_call(&call);
			fuzz_exec(&call);
		}
		batches++;
		fuzz_audit_look();
		if (in_epoch % BETWEEN_LOOKS == 0)
			check_counters();
	}
	for (i = 0; i < FUZZ_SOCKS; i++)
		fuzz_sock_close(&fuzz_sock[i]);
	fuzz_env_limit_packets(-1);
	for (i = 0; i < CHANGES; i++) {
		calls += fuzz_change();
		fuzz_audit_look();
	}
	check_counters();
	fuzz_audit_forget();
}

static unsigned long long env(const char *name, unsigned long long value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : value;
}

int main(void)
{
	double start, said;

	/* The short form does the same each time. */
	seed = getenv("QUIC_TORTURE_SECONDS") ? time(NULL) * 1000000ULL : 1;
	seed = env("QUIC_SEED", seed);
	ksft_print_header();
	ksft_set_plan(1);
	ksft_print_msg("QUIC_SEED=%llu\n", (unsigned long long)seed);
	fuzz_on_failure(give_up);
	fuzz_memory_open();
	fuzz_batch_open();
	call.message = malloc(FUZZ_MESSAGE_SIZE);
	fuzz_must(!!call.message, "malloc");
	fuzz_env_open();
	fuzz_change_open();

	/* On a slow machine all this may take longer than the calls get. */
	start = said = now();
	deadline = start + env("QUIC_TORTURE_SECONDS", SECONDS);
	do {
		epoch();
		seed++;
		if (now() - said > 60) {
			said = now();
			ksft_print_msg("%llu calls, %.0f a second\n", calls,
				       calls / (said - start));
		}
	} while (now() < deadline);
	fuzz_current = NULL;
	if (!batches)
		fuzz_fail("there was no time for a batch");
	fuzz_audit_verdict();
	clean_up();

	ksft_print_msg("%ld flows, %ld packets, %ld errors\n",
		       fuzz_counters.added, fuzz_counters.packets,
		       fuzz_counters.errors);
	ksft_test_result_pass("%llu calls, %.0f a second\n", calls,
			      calls / (now() - start));
	ksft_finished();
}
