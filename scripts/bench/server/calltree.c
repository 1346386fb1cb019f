// SPDX-License-Identifier: GPL-2.0
/* Call paths, as a tree, and what was counted on each */
#include <inttypes.h>
#include <stdlib.h>

#include "calltree.h"

struct calltree *calltree_new(struct calltree *parent, uint64_t entry)
{
	struct calltree *node = calloc(1, sizeof(*node));

	node->entry = entry;
	if (parent) {
		node->sibling = parent->child;
		parent->child = node;
	}
	return node;
}

void calltree_free(struct calltree *node)
{
	struct calltree *child;

	while ((child = node->child)) {
		node->child = child->sibling;
		calltree_free(child);
	}
	free(node);
}

/* The same once more is likely: it comes to the front. */
struct calltree *calltree_child(struct calltree *parent, uint64_t entry)
{
	struct calltree **pos, *node;

	for (pos = &parent->child; (node = *pos); pos = &node->sibling) {
		if (node->entry == entry) {
			*pos = node->sibling;
			node->sibling = parent->child;
			parent->child = node;
			return node;
		}
	}
	return calltree_new(parent, entry);
}

static uint64_t node_total(const struct calltree *node)
{
	uint64_t sum = node->user + node->kernel;

	for (node = node->child; node; node = node->sibling)
		sum += node_total(node);
	return sum;
}

void calltree_print(FILE *f, const struct calltree *node, int level)
{
	if (!node_total(node))
		return;
	fprintf(f, "%d %" PRIx64 " %" PRIx64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		level, node->entry, node->next, node->calls, node->user,
		node->kernel);
	for (node = node->child; node; node = node->sibling)
		calltree_print(f, node, level + 1);
}
