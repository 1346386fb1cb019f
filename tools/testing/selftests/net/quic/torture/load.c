// SPDX-License-Identifier: GPL-2.0
/*
 * Many flows for a long time, over a network that loses packets or spoils them,
 * from a cgroup that is short of memory and back to it: every packet is
 * accounted for, and nothing grows.
 *
 * QUIC_LOAD_FLOWS, QUIC_TORTURE_SECONDS, QUIC_SEED
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest.h"
#include "load.h"
#include "quic_cgroup.h"

/*
 * What may come and go besides, kB; slabs stay when little is left in them, and
 * KASAN keeps what was freed for a while.
 */
#define SLAB_MARGIN	((has_kasan() ? 128 : 16) << 10)
#define CGROUP_MARGIN	64
#define MEMORY_MARGIN	(64 << 10)

static struct load *load;
/* Senders, receiver, auditor */
static pid_t children[LOAD_SENDERS + 2];

/* Rounds in which each was as it should be */
static struct {
	unsigned int played, errors, adds_up, counters, opened, growth;
} rounds;

struct memory {
	unsigned long slab, available, cgroup_slab;	/* kB */
};

static unsigned long parameter(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : value;
}

static void cleanup(void)
{
	unsigned int i;

	load_neighbour_stop();
	for (i = 0; i < ARRAY_SIZE(children); i++)
		if (children[i] > 0) {
			kill(children[i], SIGKILL);
			waitpid(children[i], NULL, 0);
		}
	quic_cgroup_close();
	load_limits_restore();
}

static __noreturn void fail(const char *what)
{
	cleanup();
	ksft_exit_fail_msg("%s: %s\n", what, strerror(errno));
}

static void check_children(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(children); i++)
		if (waitpid(children[i], NULL, WNOHANG)) {
			children[i] = 0;
			fail(i < LOAD_SENDERS ? "a sender is gone" :
			     i == LOAD_SENDERS ? "the receiver is gone" :
			     "the auditor is gone");
		}
}

/* Wait until all senders are @parked. */
static void await_senders(bool parked)
{
	unsigned int i;

	for (i = 0; i < LOAD_SENDERS; i++)
		while (__atomic_load_n(&load->sender[i].parked,
				       __ATOMIC_ACQUIRE) != parked) {
			check_children();
			usleep(1000);
		}
}

/* Senders are to close their sockets, and nobody's else. */
static __noreturn void child(unsigned int id, int clean, int dirty, int audit[2])
{
	if (id == LOAD_SENDERS) {
		close(audit[1]);
		load_receive(load, clean, dirty, audit[0]);
	}
	close(clean);
	close(dirty);
	close(audit[0]);
	if (id > LOAD_SENDERS)
		load_audit(load, audit[1]);
	close(audit[1]);
	load_send(load, id);
	exit(1);
}

static void start_children(int clean, int dirty)
{
	unsigned int i;
	int audit[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, audit))
		fail("socketpair");
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		children[i] = fork();
		if (children[i] < 0)
			fail("fork");
		if (!children[i])
			child(i, clean, dirty, audit);
	}
	close(clean);
	close(dirty);
	close(audit[0]);
	close(audit[1]);
	await_senders(true);
	while (!__atomic_load_n(&load->receiver.ready, __ATOMIC_ACQUIRE)) {
		check_children();
		usleep(1000);
	}
}

/* What the processes themselves need is no loss: the auditor never forgets. */
static struct memory measure(void)
{
	struct memory now = {
		.slab = load_meminfo("SUnreclaim"),
		.available = load_meminfo("MemAvailable"),
		.cgroup_slab = quic_cgroup_read("memory.stat",
						"slab_unreclaimable") >> 10,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(children); i++)
		if (children[i])
			now.available += load_resident(children[i]);
	return now;
}

static bool has_kasan(void)
{
	static int kasan = -1;

	if (kasan < 0)
		kasan = !system("grep -qw kasan_report /proc/kallsyms");
	return kasan;
}

static bool grown(const struct memory *before, const struct memory *now)
{
	return now->slab > before->slab + SLAB_MARGIN ||
	       now->cgroup_slab > before->cgroup_slab + CGROUP_MARGIN ||
	       now->available + MEMORY_MARGIN < before->available;
}

/* Whether it has not, as soon as all is freed: kfree_rcu() collects for seconds. */
static bool all_is_freed(const struct memory *before, struct memory *now)
{
	int patience;

	for (patience = 0; patience < 600; patience++) {
		quic_cgroup_flush();
		*now = measure();
		if (!grown(before, now))
			return true;
		usleep(100 * 1000);
	}
	ksft_print_msg("slab %lu %lu, in the cgroup %lu %lu, available %lu %lu kB\n",
		       before->slab, now->slab, before->cgroup_slab,
		       now->cgroup_slab, before->available, now->available);
	return false;
}

static void report(unsigned int seconds, const struct memory *now)
{
	load_report(load, seconds);
	ksft_print_msg("  slab %lu kB, in the cgroup %lu kB, available %lu kB\n",
		       now->slab, now->cgroup_slab, now->available);
	ksft_print_msg("  %lu times at the limit of memory, %lu kills\n",
		       quic_cgroup_read("memory.events", "max"),
		       quic_cgroup_read("memory.events", "oom_kill"));
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

static void play_round(unsigned int seconds)
{
	double end = now_seconds() + seconds;

	__atomic_store_n(&load->running, true, __ATOMIC_RELEASE);
	await_senders(false);
	while (now_seconds() < end) {
		load_neighbour_tick();
		check_children();
		usleep(100 * 1000);
	}
	load_neighbour_stop();
	__atomic_store_n(&load->running, false, __ATOMIC_RELEASE);
	await_senders(true);
}

static bool memory_was_short(void)
{
	return quic_cgroup_read("memory.events", "max");
}

/*
 * The first round warms up: memory is compared with what it left. A slow machine
 * plays some more, until the cgroup has been at its limit.
 */
static void play(unsigned int seconds, bool pressure)
{
	unsigned int length = seconds < 180 ? seconds / 3 + 1 : 60;
	struct memory before = {}, now;
	double start = now_seconds(), elapsed;

	do {
		play_round(length);
		rounds.adds_up += load_adds_up(load);
		if (!rounds.played++) {
			quic_cgroup_flush();
			before = measure();
		}
		rounds.errors += load_no_unexpected_errors(load);
		rounds.counters += load_counters_are_right(load);
		rounds.opened += quic_audit_verdict(&load->audited);
		rounds.growth += all_is_freed(&before, &now);
		elapsed = now_seconds() - start;
		report(elapsed, &now);
	} while (elapsed < seconds ||
		 (pressure && !memory_was_short() && elapsed < 10 * seconds));
}

static void test_rounds(unsigned int good, const char *what)
{
	ksft_test_result(good == rounds.played, "%s\n", what);
}

int main(void)
{
	unsigned int seconds = parameter("QUIC_TORTURE_SECONDS", 10);
	unsigned long seed = parameter("QUIC_SEED", time(NULL));
	unsigned int flows = parameter("QUIC_LOAD_FLOWS",
				       seconds < 180 ? 1000 : 10000);
	const char *no_pressure;
	struct memory before, now;
	int clean, dirty, i;

	ksft_print_header();
	if (geteuid())
		ksft_exit_skip("needs root\n");
	load = mmap(NULL, sizeof(*load), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (load == MAP_FAILED)
		fail("mmap");
	load->seed = seed;
	load->flows = flows;
	ksft_print_msg("QUIC_TORTURE_SECONDS=%u QUIC_LOAD_FLOWS=%u QUIC_SEED=%lu\n",
		       seconds, flows, seed);
	ksft_set_plan(7);

	load_limits_raise();
	no_pressure = quic_cgroup_open();
	if (load_net_open(load, &clean, &dirty))
		fail("network");
	before = measure();
	start_children(clean, dirty);
	if (!no_pressure && load_neighbour_limit())
		fail("cgroup");
	play(seconds, !no_pressure);

	__atomic_store_n(&load->quit, true, __ATOMIC_RELEASE);
	for (i = 0; i < ARRAY_SIZE(children); i++) {
		waitpid(children[i], NULL, 0);
		children[i] = 0;
	}

	/* What was still in the queue, too */
	rounds.opened -= !quic_audit_verdict(&load->audited);

	test_rounds(rounds.errors, "no error but those of pressure");
	test_rounds(rounds.adds_up, "every packet arrived, or was lost by the network");
	test_rounds(rounds.counters, "quic_stat counts what was done");
	test_rounds(rounds.opened, "packets can be opened, and hide what is in them");
	test_rounds(rounds.growth, "nothing grows");
	ksft_test_result(quic_flows_become(0) == 0 &&
			 load_net_stat("QuicCurrRxSw") == 0 &&
			 all_is_freed(&before, &now), "nothing is left\n");
	if (no_pressure)
		ksft_test_result_skip("memory was short: %s\n", no_pressure);
	else
		ksft_test_result(memory_was_short(), "memory was short\n");
	cleanup();
	ksft_finished();
}
