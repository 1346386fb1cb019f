// SPDX-License-Identifier: GPL-2.0
/*
 * Random messages and random reads, each of which a model has predicted.
 *
 *   QUIC_TORTURE_SECONDS=n	how long
 *   QUIC_SEED=n		the seed of the first epoch; the next has n + 1
 *
 * A failure tells the seed of its epoch, with which it is the first one.
 */

#include <time.h>

#include "fuzz_fail.h"
#include "fuzz_memory.h"
#include "fuzz_random.h"
#include "fuzz_rx_count.h"
#include "fuzz_rx_dump.h"
#include "fuzz_rx_env.h"
#include "fuzz_rx_exec.h"
#include "fuzz_rx_model.h"
#include "fuzz_rx_option.h"
#include "fuzz_rx_path.h"
#include "fuzz_rx_seal.h"
#include "fuzz_rx_send.h"
#include "fuzz_rx_sock.h"
#include "kselftest.h"

#define SECONDS		15
#define ROUNDS		1500	/* of an epoch: then sockets are new */
#define BETWEEN_LOOKS	50	/* at the counters */

static uint64_t seed;
static unsigned long long calls;
static double deadline;
static unsigned int in_epoch;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static __noreturn void give_up(const char *text)
{
	if (text && fuzz_rx_current)
		fuzz_rx_dump_read(fuzz_rx_current, fuzz_rx_wanted);
	if (text && fuzz_current)
		fuzz_rx_dump_option(fuzz_current);
	fuzz_rx_env_close();
	if (!text)
		ksft_exit_fail();
	ksft_test_result_fail("QUIC_SEED=%llu, round %u, after %llu calls: %s\n",
			      (unsigned long long)seed, in_epoch, calls, text);
	ksft_finished();
}

/* A socket is given something to do. */
static void round_of(struct fuzz_rx_sock *rx)
{
	unsigned int i, n;

	if (fuzz_chance(rx->sock.flows ? 15 : 50)) {
		fuzz_rx_option(rx);
		calls++;
	}
	n = fuzz_below(6);
	for (i = 0; i < n; i++)
		fuzz_rx_send(rx);
	/* Now and then all is read, and what comes then is that there is nothing. */
	n = fuzz_chance(5) ? rx->messages + 1 : fuzz_below(8);
	for (i = 0; i < n; i++)
		calls += fuzz_rx_exec(rx);
}

static void epoch(void)
{
	static const uint64_t limits[] = { -1, -1, -1, 2, 20 };
	static const size_t mtus[] = { 65535, 65535, 4000, 1500, 1280 };
	enum fuzz_rx_shape shape;
	unsigned int i;

	fuzz_seed(seed);
	fuzz_rx_seal_epoch();
	fuzz_rx_env_limit_failures(fuzz_pick(limits));
	shape = fuzz_below(FUZZ_RX_SHAPES);
	fuzz_rx_path_change(shape, fuzz_pick(mtus));
	for (i = 0; i < FUZZ_RX_SOCKS; i++)
		fuzz_rx_sock_open(&fuzz_rx_sock[i]);
	for (in_epoch = 0; in_epoch < ROUNDS && now() < deadline; in_epoch++) {
		round_of(&fuzz_rx_sock[fuzz_below(FUZZ_RX_SOCKS)]);
		if (in_epoch % BETWEEN_LOOKS == 0)
			fuzz_rx_count_check();
	}
	for (i = 0; i < FUZZ_RX_SOCKS; i++)
		fuzz_rx_sock_close(&fuzz_rx_sock[i]);
	fuzz_rx_env_limit_failures(-1);
	fuzz_rx_count_check();
}

static unsigned long long env(const char *name, unsigned long long value)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : value;
}

/* A run that has not met all of these has tested little. */
static void check_met(void)
{
	const long *status = fuzz_rx_counters.status;

	ksft_print_msg("%ld opened, %ld bad tags, %ld without a key\n",
		       status[QUIC_RX_DECRYPTED], status[QUIC_RX_BAD_TAG],
		       status[QUIC_RX_NO_KEY]);
	ksft_print_msg("%ld without a flow, %ld at the limit, %ld dropped\n",
		       status[QUIC_RX_NOT_OFFLOADED], status[QUIC_RX_LIMIT],
		       fuzz_rx_counters.dropped);
	ksft_print_msg("%llu messages with entries, %llu had no room for them\n",
		       fuzz_rx_met.entries, fuzz_rx_met.no_room);
	ksft_print_msg("%llu trains, %llu peeks, %llu cut, %llu faults\n",
		       fuzz_rx_met.trains, fuzz_rx_met.peeks, fuzz_rx_met.cut,
		       fuzz_rx_met.faults);
	if (!status[QUIC_RX_DECRYPTED] || !status[QUIC_RX_BAD_TAG] ||
	    !status[QUIC_RX_NO_KEY] || !status[QUIC_RX_NOT_OFFLOADED] ||
	    !fuzz_rx_counters.dropped || !fuzz_rx_met.entries ||
	    !fuzz_rx_met.no_room || !fuzz_rx_met.trains || !fuzz_rx_met.peeks ||
	    !fuzz_rx_met.cut || !fuzz_rx_met.faults)
		fuzz_fail("there was no time for all of it");
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
	fuzz_rx_exec_open();
	fuzz_rx_env_open();

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
	check_met();
	fuzz_rx_env_close();
	ksft_test_result_pass("%llu calls, %.0f a second\n", calls,
			      calls / (now() - start));
	ksft_finished();
}
