// SPDX-License-Identifier: GPL-2.0
/* Two processes that read what has been sent to one socket, and to two. */
#include <err.h>
#include <stdio.h>

#include "race.h"
#include "receiver.h"

#define TRAIN		16
#define MESSAGES	1024		/* in all queues together */
#define ROUNDS		40

/* Its memory is its own by the time that it reads. */
static void warm(void *what, unsigned int who)
{
	receiver_touch();
}

static void run(void *what)
{
	receiver_drain(what);
}

static void fill(struct receiver *r, unsigned int messages)
{
	if (r->renews)
		receiver_renew(r);
	receiver_fill(r, messages);
}

static double race(struct receiver *a, struct receiver *b, unsigned int racers)
{
	void *what[] = { a, b };
	double ns;

	fill(a, a == b ? MESSAGES : MESSAGES / 2);
	if (a != b)
		fill(b, MESSAGES / 2);
	ns = race_run(what, racers, warm, run);
	if (receiver_drain(a) || receiver_drain(b))
		errx(1, "%s: messages are left", rx_way_names[a->way]);
	return ns;
}

static void receive_parallel_way(const struct setting *setting, enum rx_way way)
{
	struct receiver *a = receiver_new(way, setting, TRAIN);
	struct receiver *b = receiver_new(way, setting, TRAIN);
	double best[3] = { 1e18, 1e18, 1e18 };
	unsigned int round, i;

	if (!a || !b)
		return;
	for (round = 0; round < ROUNDS; round++) {
		const double ns[] = {
			race(a, a, 1), race(a, a, 2), race(a, b, 2)
		};

		for (i = 0; i < 3; i++)
			if (ns[i] < best[i])
				best[i] = ns[i];
	}
	for (i = 0; i < 3; i++)
		printf("rx-parallel\t%s\t%u\t%.1f\n", rx_way_names[way], i,
		       best[i] / MESSAGES / TRAIN);
	fflush(stdout);
	receiver_free(a);
	receiver_free(b);
}

void receive_parallel_run(const struct target *target)
{
	static const enum rx_way ways[] = {
		RX_KERNEL_PLAIN, RX_KERNEL_OFFLOAD, RX_PLAIN, RX_SSL35,
		RX_OFFLOAD
	};
	const struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};
	unsigned int i;

	if (!sealed_fill(setting.cipher, setting.wire))
		return;
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		receive_parallel_way(&setting, ways[i]);
}
