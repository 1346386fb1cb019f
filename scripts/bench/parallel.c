// SPDX-License-Identifier: GPL-2.0
/* Two processes that send at the same time, on one socket and on two. One that
 * only encrypts shows what two processors of this machine can do.
 */
#include <stdio.h>

#include "bench.h"
#include "race.h"

#define TRAIN		16
#define ROUNDS		40
#define SLICE_NS	10e6

/* What each of them sends */
static unsigned int loops;

static void warm(void *what, unsigned int who)
{
	sender_use_flow(what, who);
	sender_run(what, 8);
}

static void run(void *what)
{
	sender_run(what, loops);
}

static void parallel_way(const struct setting *setting, enum way way)
{
	struct sender *a = sender_new(way, setting, TRAIN);
	struct sender *b = sender_new(way, setting, TRAIN);
	void *shared[] = { a, a }, *own[] = { a, b };
	double best[3] = { 1e18, 1e18, 1e18 };
	unsigned int round, i;

	if (!a || !b)
		return;
	loops = SLICE_NS / TRAIN / sender_run(a, 100);
	for (round = 0; round < ROUNDS; round++) {
		const double ns[] = {
			race_run(shared, 1, warm, run),
			race_run(shared, 2, warm, run) / 2,
			race_run(own, 2, warm, run) / 2,
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

	source_fill(setting.wire);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		parallel_way(&setting, ways[i]);
	fflush(stdout);
}
