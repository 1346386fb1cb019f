// SPDX-License-Identifier: GPL-2.0
/* The flow table: what it costs a receiver to have many flows.  A packet has
 * the same number whenever it comes, and moves a flow only once.
 */
#include <stdio.h>

#include "receiver.h"

#define TRAIN	16

static const unsigned int tables[] = { 1, 1000, 100000 };

void receive_flows_run(const struct target *target, unsigned int rounds)
{
	const struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};
	static const enum rx_way ways[] = { RX_OFFLOAD, RX_KERNEL_OFFLOAD };
	struct receiver *receivers[ARRAY_SIZE(tables)] = {};
	static struct cell cells[4 * ARRAY_SIZE(tables)];
	unsigned int count = 0, i, j, random, tags_at;
	double rate = 0;

	if (!sealed_fill(setting.cipher, setting.wire))
		return;
	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		receivers[i] = receiver_new(RX_KERNEL_OFFLOAD, &setting, TRAIN);
		if (!receivers[i])
			return;
		rate = receiver_add_flows(receivers[i], tables[i]);
	}
	tags_at = sealed_tags(setting.cipher, setting.wire, TRAIN, tables[i - 1]);

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (j = 0; j < ARRAY_SIZE(ways); j++)
			for (random = 0; random <= (tables[i] > 1); random++)
				cells[count++] = (struct cell) {
					.receiver = receivers[i],
					.rx_way = ways[j],
					.train = TRAIN,
					.flows = tables[i],
					.random = random,
					.tags_at = tags_at,
				};

	cells_time(cells, count, rounds);
	for (i = 0; i < count; i++)
		printf("rx-flows\t%u\t%s\t%s\t%.1f\t%.1f\n", cells[i].flows,
		       cells[i].random ? "random" : "hot",
		       rx_way_names[cells[i].rx_way], cells[i].ns[0],
		       cells[i].ns[rounds / 2]);
	printf("rx-rate\t%.0f\n", rate);
	fflush(stdout);

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		receiver_free(receivers[i]);
}
