// SPDX-License-Identifier: GPL-2.0
/* What is to be compared takes turns, so that whatever else happens on the
 * machine happens to all of it.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include "receiver.h"

#define SLICE_NS	3e6
#define MAX_CELLS	128

static double cell_receive(struct cell *cell, unsigned int loops)
{
	struct receiver *r = cell->receiver;
	double ns;

	if (cell->flows) {
		r->way = cell->rx_way;
		receiver_use_flows(r, cell->random ? cell->flows : 1,
				   cell->tags_at);
	}
	ns = receiver_run(r, loops);
	if (ns < 0)
		err(1, "%s", rx_way_names[r->way]);
	return ns;
}

static double cell_run(struct cell *cell, unsigned int loops)
{
	double ns;

	if (cell->receiver)
		return cell_receive(cell, loops);

	sender_set_way(cell->sender, cell->way);
	sender_use_flows(cell->sender, cell->flows, cell->random);
	ns = sender_run(cell->sender, loops);
	if (ns < 0)
		err(1, "%s", way_names[cell->way]);
	return ns;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

void times_sort(double *ns, unsigned int count)
{
	qsort(ns, count, sizeof(*ns), compare);
}

void cells_time(struct cell *cells, unsigned int count, unsigned int rounds)
{
	unsigned int i, round;

	for (i = 0; i < count; i++)
		cells[i].loops = 1 + SLICE_NS / cells[i].train /
				     cell_run(&cells[i], 8);

	for (round = 0; round < rounds; round++)
		for (i = 0; i < count; i++)
			cells[i].ns[round] = cell_run(&cells[i], cells[i].loops);

	for (i = 0; i < count; i++)
		times_sort(cells[i].ns, rounds);
}

void rounds_run(const struct setting *setting, const unsigned int *trains,
		const enum way *ways, unsigned int rounds)
{
	static struct cell cells[MAX_CELLS];
	unsigned int count = 0, i, j;

	source_fill(setting->wire);
	for (i = 0; trains[i]; i++) {
		for (j = 0; ways[j] != WAY_NUM && count < MAX_CELLS; j++) {
			struct cell *cell = &cells[count];

			cell->sender = sender_new(ways[j], setting, trains[i]);
			cell->way = ways[j];
			cell->train = trains[i];
			count += !!cell->sender;
		}
	}

	cells_time(cells, count, rounds);

	for (i = 0; i < count; i++) {
		printf("send\t%s\t%s\t%s\t%s\t%u\t%s\t%u\t%s\t%.1f\t%.1f\n",
		       setting->target->name, setting->ipv6 ? "IPv6" : "IPv4",
		       setting->connected ? "connected" : "unconnected",
		       setting->cipher->name, setting->wire,
		       setting->cold ? "cold" : "hot", cells[i].train,
		       way_names[cells[i].way], cells[i].ns[0],
		       cells[i].ns[rounds / 2]);
		sender_free(cells[i].sender);
	}
	fflush(stdout);
}
