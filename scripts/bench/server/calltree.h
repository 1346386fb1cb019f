/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CALLTREE_H
#define CALLTREE_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct calltree - a function, called from those on the way to the root
 * @entry: where it begins
 * @next: where its second block begins
 * @child: what it has called, latest first
 * @sibling: another that the caller has called
 * @calls: while it was counted
 * @user: instructions of its own in userspace
 * @kernel: and in the kernel
 */
struct calltree {
	uint64_t entry, next;
	struct calltree *child, *sibling;
	uint64_t calls, user, kernel;
};

struct calltree *calltree_new(struct calltree *parent, uint64_t entry);
void calltree_free(struct calltree *node);

/* What is called at @entry, which is added if it is new */
struct calltree *calltree_child(struct calltree *parent, uint64_t entry);

/* A line for each node that has instructions, or has them below it */
void calltree_print(FILE *f, const struct calltree *node, int level);

#endif
