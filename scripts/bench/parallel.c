// SPDX-License-Identifier: GPL-2.0
/* Two processes that send at the same time, on one socket and on two. One that
 * only encrypts shows what two processors of this machine can do.
 */
#define _GNU_SOURCE
#include <err.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define TRAIN		16
#define ROUNDS		40
#define SLICE_NS	10e6

/* Shared by the processes */
struct race {
	atomic_uint ready;
	double begin[2], end[2];
};

static struct race *race;

static void racer(struct sender *sender, unsigned int who, unsigned int racers,
		  unsigned int loops)
{
	cpu_set_t cpu;

	CPU_ZERO(&cpu);
	CPU_SET(who, &cpu);
	sched_setaffinity(0, sizeof(cpu), &cpu);
	sender_use_flow(sender, who);
	sender_run(sender, 8);

	atomic_fetch_add(&race->ready, 1);
	while (atomic_load(&race->ready) < racers)
		;
	race->begin[who] = now_ns();
	sender_run(sender, loops);
	race->end[who] = now_ns();
}

/* Time in which each of them sends @loops trains */
static double race_run(struct sender **senders, unsigned int racers,
		       unsigned int loops)
{
	unsigned int who;
	int status;
	double ns;

	atomic_store(&race->ready, 0);
	for (who = 0; who < racers; who++) {
		if (!fork()) {
			racer(senders[who], who, racers, loops);
			_exit(0);
		}
	}
	while (wait(&status) > 0)
		if (status)
			errx(1, "a sender failed");

	ns = race->end[0] - race->begin[0];
	if (racers == 2) {
		double begin = race->begin[0] < race->begin[1] ?
			       race->begin[0] : race->begin[1];
		double end = race->end[0] > race->end[1] ?
			     race->end[0] : race->end[1];

		ns = end - begin;
	}
	return ns;
}

static void parallel_way(const struct setting *setting, enum way way)
{
	struct sender *a = sender_new(way, setting, TRAIN);
	struct sender *b = sender_new(way, setting, TRAIN);
	struct sender *shared[] = { a, a }, *own[] = { a, b };
	double best[3] = { 1e18, 1e18, 1e18 };
	unsigned int round, loops, i;

	if (!a || !b)
		return;
	loops = SLICE_NS / TRAIN / sender_run(a, 100);
	for (round = 0; round < ROUNDS; round++) {
		const double ns[] = {
			race_run(shared, 1, loops),
			race_run(shared, 2, loops) / 2,
			race_run(own, 2, loops) / 2,
		};

		for (i = 0; i < 3; i++)
			if (ns[i] < best[i])
				best[i] = ns[i];
	}
	for (i = 0; i < 3; i++)
		printf("parallel\t%s\t%u\t%.1f\n", way_names[way], i,
		       best[i] / loops / TRAIN);
	sender_free(a);
	sender_free(b);
}

void parallel_run(const struct target *target)
{
	static const enum way ways[] = {
		WAY_KERNEL_PLAIN, WAY_KERNEL_OFFLOAD, WAY_PLAIN, WAY_OFFLOAD,
		WAY_SSL35_ONLY
	};
	const struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};
	unsigned int i;

	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	source_fill(setting.wire);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		parallel_way(&setting, ways[i]);
	fflush(stdout);
}
