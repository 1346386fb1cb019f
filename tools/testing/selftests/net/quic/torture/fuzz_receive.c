// SPDX-License-Identifier: GPL-2.0
/*
 * Random messages and random reads, each of which a model has predicted.
 */

#include "fuzz_fail.h"
#include "fuzz_memory.h"
#include "fuzz_random.h"
#include "fuzz_run.h"
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

#define ROUNDS		1500	/* of an epoch: then sockets are new */
#define BETWEEN_LOOKS	50	/* at the counters */

static __noreturn void give_up(const char *text)
{
	if (text && fuzz_rx_current)
		fuzz_rx_dump_read(fuzz_rx_current, fuzz_rx_wanted);
	if (text && fuzz_current)
		fuzz_rx_dump_option(fuzz_current);
	fuzz_rx_env_close();
	fuzz_run_fail("round", text);
}

/* A socket is given something to do. */
static void round_of(struct fuzz_rx_sock *rx)
{
	unsigned int i, n;

	if (fuzz_chance(rx->sock.flows ? 15 : 50)) {
		fuzz_rx_option(rx);
		fuzz_run.calls++;
	}
	n = fuzz_below(6);
	for (i = 0; i < n; i++)
		fuzz_rx_send(rx);
	/* Now and then all is read, and what comes then is that there is nothing. */
	n = fuzz_chance(5) ? rx->messages + 1 : fuzz_below(8);
	for (i = 0; i < n; i++)
		fuzz_run.calls += fuzz_rx_exec(rx);
	if (fuzz_chance(40)) {
		fuzz_rx_option_ask(rx);
		fuzz_run.calls++;
	}
}

static void epoch(void)
{
	static const uint64_t limits[] = { -1, -1, -1, 2, 20 };
	static const size_t mtus[] = { 65535, 65535, 4000, 1500, 1280 };
	enum fuzz_rx_shape shape;
	unsigned int i;

	fuzz_rx_seal_epoch();
	fuzz_rx_env_limit_failures(fuzz_pick(limits));
	shape = fuzz_below(FUZZ_RX_SHAPES);
	fuzz_rx_path_change(shape, fuzz_pick(mtus));
	for (i = 0; i < FUZZ_RX_SOCKS; i++)
		fuzz_rx_sock_open(&fuzz_rx_sock[i]);
	for (fuzz_run.in_epoch = 0;
	     fuzz_run.in_epoch < ROUNDS && fuzz_run_has_time();
	     fuzz_run.in_epoch++) {
		round_of(&fuzz_rx_sock[fuzz_below(FUZZ_RX_SOCKS)]);
		if (fuzz_run.in_epoch % BETWEEN_LOOKS == 0)
			fuzz_rx_count_check();
	}
	for (i = 0; i < FUZZ_RX_SOCKS; i++)
		fuzz_rx_sock_close(&fuzz_rx_sock[i]);
	fuzz_rx_env_limit_failures(-1);
	fuzz_rx_count_check();
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
	ksft_print_msg("%llu trains, %llu peeks, %llu cut, %llu faults, %llu opened in vain\n",
		       fuzz_rx_met.trains, fuzz_rx_met.peeks, fuzz_rx_met.cut,
		       fuzz_rx_met.faults, fuzz_rx_met.in_vain);
	if (!status[QUIC_RX_DECRYPTED] || !status[QUIC_RX_BAD_TAG] ||
	    !status[QUIC_RX_NO_KEY] || !status[QUIC_RX_NOT_OFFLOADED] ||
	    !fuzz_rx_counters.dropped || !fuzz_rx_met.entries ||
	    !fuzz_rx_met.no_room || !fuzz_rx_met.trains || !fuzz_rx_met.peeks ||
	    !fuzz_rx_met.cut || !fuzz_rx_met.faults || !fuzz_rx_met.in_vain)
		fuzz_fail("there was no time for all of it");
}

int main(void)
{
	fuzz_run_start();
	fuzz_on_failure(give_up);
	fuzz_memory_open();
	fuzz_rx_exec_open();
	fuzz_rx_env_open();

	fuzz_run_epochs(epoch);
	check_met();
	fuzz_rx_env_close();
	fuzz_run_pass();
}
