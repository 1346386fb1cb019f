// SPDX-License-Identifier: GPL-2.0
/* What it costs to receive, in one way and another. */
#include <stdio.h>

#include "receiver.h"

#define MAX_CELLS	64

void receive_rows(const struct setting *setting, const unsigned int *trains,
		  const enum rx_way *ways, unsigned int rounds)
{
	static struct cell cells[MAX_CELLS];
	unsigned int count = 0, i, j;
	enum rx_way way[MAX_CELLS];

	if (!sealed_fill(setting->cipher, setting->wire))
		return;
	for (i = 0; trains[i]; i++) {
		for (j = 0; ways[j] != RX_NUM && count < MAX_CELLS; j++) {
			struct receiver *r = receiver_new(ways[j], setting,
							  trains[i]);

			if (!r)
				continue;
			way[count] = ways[j];
			cells[count++] = (struct cell) {
				.receiver = r,
				.train = trains[i],
			};
		}
	}

	cells_time(cells, count, rounds);

	for (i = 0; i < count; i++) {
		printf("receive\t%s\t%s\t%s\t%s\t%u\t%s\t%u\t%s\t%.1f\t%.1f\n",
		       setting->target->name, setting->ipv6 ? "IPv6" : "IPv4",
		       "unconnected", setting->cipher->name, setting->wire,
		       setting->cold ? "cold" : "hot", cells[i].train,
		       rx_way_names[way[i]], cells[i].ns[0],
		       cells[i].ns[rounds / 2]);
		receiver_free(cells[i].receiver);
	}
	fflush(stdout);
}
