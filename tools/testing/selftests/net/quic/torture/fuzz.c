// SPDX-License-Identifier: GPL-2.0
/*
 * Random system calls of the interface, each of which a model has predicted.
 */

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
#include "fuzz_run.h"
#include "fuzz_sock.h"
#include "kselftest.h"

#define BATCHES		100	/* of an epoch: then sockets are new */
#define CALLS		12	/* between batches */
#define CHANGES		6	/* rounds with memory that changes */
#define BETWEEN_LOOKS	10	/* at the counters */

static struct fuzz_call call;
static unsigned int batches;

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
	fuzz_run_fail("batch", text);
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
	check_counter("QuicTxSwKeyUpdates", fuzz_counters.updates);
	check_counter("QuicTxSwError", fuzz_counters.errors);
	check_counter("QuicTxSwPackets", fuzz_counters.packets);
	check_counter("QuicTxSwBytes", fuzz_counters.bytes);
	/* Each error has one cause. */
	if (quic_stat_sum("QuicTxSwError") != fuzz_counters.errors)
		fuzz_fail("%ld errors, with %ld causes", fuzz_counters.errors,
			  quic_stat_sum("QuicTxSwError"));
}

static void epoch(void)
{
	static const uint64_t limits[] = { -1, -1, -1, 50, 500 };
	unsigned int i;

	fuzz_gen_epoch();
	fuzz_env_limit_packets(fuzz_pick(limits));
	for (i = 0; i < FUZZ_SOCKS; i++)
		fuzz_sock_open(&fuzz_sock[i]);
	for (fuzz_run.in_epoch = 0;
	     fuzz_run.in_epoch < BATCHES && fuzz_run_has_time();
	     fuzz_run.in_epoch++) {
		fuzz_run.calls += fuzz_batch();
		fuzz_current = &call;
		for (i = 0; i < CALLS; i++, fuzz_run.calls++) {
			fuzz_gen_call(&call);
			fuzz_exec(&call);
		}
		batches++;
		fuzz_audit_look();
		if (fuzz_run.in_epoch % BETWEEN_LOOKS == 0)
			check_counters();
	}
	for (i = 0; i < FUZZ_SOCKS; i++)
		fuzz_sock_close(&fuzz_sock[i]);
	fuzz_env_limit_packets(-1);
	for (i = 0; i < CHANGES; i++) {
		fuzz_run.calls += fuzz_change();
		fuzz_audit_look();
	}
	check_counters();
	fuzz_audit_forget();
}

int main(void)
{
	fuzz_run_start();
	fuzz_on_failure(give_up);
	fuzz_memory_open();
	fuzz_batch_open();
	call.message = malloc(FUZZ_MESSAGE_SIZE);
	fuzz_must(!!call.message, "malloc");
	fuzz_env_open();
	fuzz_change_open();

	fuzz_run_epochs(epoch);
	fuzz_current = NULL;
	if (!batches)
		fuzz_fail("there was no time for a batch");
	fuzz_audit_verdict();
	clean_up();

	ksft_print_msg("%ld flows, %ld packets, %ld errors\n",
		       fuzz_counters.added, fuzz_counters.packets,
		       fuzz_counters.errors);
	fuzz_run_pass();
}
