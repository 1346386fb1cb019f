// SPDX-License-Identifier: GPL-2.0
/* The flow table: what it costs to have many flows. */
#include <err.h>
#include <stdio.h>

#include "bench.h"

#define TRAIN		16
#define ROUNDS		40
#define MEMORY_FLOWS	10000

static const unsigned int tables[] = { 1, 1000, 100000 };

/* Kernel memory in use.  What is free cannot be asked: the page allocator keeps
 * megabytes of it in lists that count as neither.
 */
static long used_kib(void)
{
	FILE *file = fopen("/proc/meminfo", "r");
	long kib, sum = 0;
	char line[128];

	if (!file)
		err(1, "/proc/meminfo");
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Slab: %ld", &kib) == 1 ||
		    sscanf(line, "VmallocUsed: %ld", &kib) == 1 ||
		    sscanf(line, "Percpu: %ld", &kib) == 1)
			sum += kib;
	fclose(file);
	return sum;
}

/* Nothing is freed in between, lest it be taken again. */
static void flows_memory(struct setting setting)
{
	struct sender *senders[8] = {};
	unsigned int count = 0;
	long kib;

	for (; setting.cipher->name; setting.cipher++) {
		struct sender *s = sender_new(WAY_KERNEL_OFFLOAD, &setting, TRAIN);

		if (!s)
			return;
		senders[count++] = s;
		sender_del_flows(s, 1);
		kib = used_kib();
		sender_add_flows(s, MEMORY_FLOWS);
		printf("memory\t%s\t%.0f\n", setting.cipher->name,
		       (used_kib() - kib) * 1024.0 / MEMORY_FLOWS);
	}
	while (count)
		sender_free(senders[--count]);
}

static void flows_lookup(const struct setting *setting)
{
	static const enum way ways[] = { WAY_OFFLOAD, WAY_KERNEL_OFFLOAD };
	struct sender *senders[ARRAY_SIZE(tables)] = {};
	static struct cell cells[4 * ARRAY_SIZE(tables)];
	unsigned int count = 0, i, j, random;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		senders[i] = sender_new(WAY_KERNEL_OFFLOAD, setting, TRAIN);
		if (!senders[i])
			return;
		sender_del_flows(senders[i], 1);
		sender_add_flows(senders[i], tables[i]);
		for (j = 0; j < ARRAY_SIZE(ways); j++)
			for (random = 0; random <= (tables[i] > 1); random++)
				cells[count++] = (struct cell) {
					.sender = senders[i],
					.way = ways[j],
					.train = TRAIN,
					.flows = tables[i],
					.random = random,
				};
	}

	cells_time(cells, count, ROUNDS);
	for (i = 0; i < count; i++)
		printf("flows\t%u\t%s\t%s\t%.1f\t%.1f\n", cells[i].flows,
		       cells[i].random ? "random" : "hot",
		       way_names[cells[i].way], cells[i].ns[0],
		       cells[i].ns[ROUNDS / 2]);

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		sender_free(senders[i]);
}

void flows_run(const struct target *target)
{
	const struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};

	source_fill(setting.wire);
	flows_memory(setting);
	flows_lookup(&setting);
	fflush(stdout);
}
