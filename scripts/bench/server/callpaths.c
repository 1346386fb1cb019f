// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin of QEMU that counts the instructions of one task of the guest, in
 * userspace and in the kernel, by call path.
 *
 *   qemu-system-x86_64 ... -smp 1 -icount shift=0 -plugin
 *     file=callpaths.so,switch=ADDR,stack=OFFSET,main=ADDR,start=ADDR,stop=ADDR,out=FILE
 *
 * switch: of the instruction in __switch_to_asm() that loads the stack pointer of
 *         the next task, which is at OFFSET in its task_struct
 * main:   the task that executes this is the one to follow
 * start:  from here on its instructions are counted
 * stop:   up to here.  FILE.0 has them then, FILE.1 those of the next task that
 *         executes main, and so on.
 *
 * A line is: depth, address of the function, address it went on at (if the first
 * was a stub of the PLT), calls, instructions in userspace, in the kernel.  What
 * a function jumps to as the last thing it does counts as part of it, and
 * an interrupt or system call as the kernel's part of whatever it came into, up to
 * the first call.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "callpaths_qemu.h"
#include "calltree.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

#define DEPTH	1024
/* A return address within this much below another is of the same stack. */
#define STACK	65536

/**
 * struct frame - a call that has not returned
 * @sp: where its return address is
 * @node: the caller
 */
struct frame {
	uint64_t sp;
	struct calltree *node;
};

/**
 * struct block - instructions that QEMU has translated together
 * @addr: of the first
 * @n: how many
 */
struct block {
	uint64_t addr, n;
};

enum { SWITCH, STACK_POINTER, MAIN, START, STOP, N_PARAMS };
static const char *const names[] = { "switch", "stack", "main", "start", "stop" };
static uint64_t params[N_PARAMS];
static const char *out;
static int dumps;

static uint64_t running;	/* the task on the processor */
static uint64_t followed;	/* the task to follow, 0 if there is none */
static bool counting;

/* Of the task that is followed */
static struct calltree *root, *current;
static struct frame stack[DEPTH];
static int depth;
static bool called;		/* and not arrived yet */
static bool arrived;		/* the second block comes next */
static uint64_t total;

static bool is_followed(void)
{
	return followed && running == followed;
}

static bool is_kernel(uint64_t addr)
{
	return addr >> 63;
}

static void dump(void)
{
	char name[4096];
	FILE *f;

	snprintf(name, sizeof(name), "%s.%d", out, dumps++);
	f = fopen(name, "w");
	if (!f) {
		perror(name);
		return;
	}
	fprintf(f, "total %" PRIu64 "\n", total);
	calltree_print(f, root, 0);
	if (fclose(f))
		perror(name);
}

/* Called when the guest executes something */

static void on_block(unsigned int cpu, void *data)
{
	const struct block *block = data;

	if (!is_followed())
		return;
	if (called) {
		current = calltree_child(current, block->addr);
		current->calls += counting;
		called = false;
		arrived = !current->next;
	} else if (arrived && is_kernel(block->addr) == is_kernel(current->entry)) {
		current->next = block->addr;
		arrived = false;
	}
	if (!counting)
		return;
	total += block->n;
	if (is_kernel(block->addr))
		current->kernel += block->n;
	else
		current->user += block->n;
}

static void on_call(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t sp,
		    void *data)
{
	/* An indirect call also reads where to. */
	if (!is_followed() || !qemu_plugin_mem_is_store(info))
		return;
	/* Calls that were left in another way than by returning */
	while (depth && stack[depth - 1].sp <= sp &&
	       sp - stack[depth - 1].sp < STACK)
		current = stack[--depth].node;
	if (depth == DEPTH) {
		fprintf(stderr, "callpaths: calls are too deep\n");
		exit(1);
	}
	stack[depth].sp = sp;
	stack[depth++].node = current;
	called = true;
}

static void on_return(unsigned int cpu, qemu_plugin_meminfo_t info, uint64_t sp,
		      void *data)
{
	int i;

	if (!is_followed() || qemu_plugin_mem_is_store(info))
		return;
	called = false;
	arrived = false;
	for (i = depth - 1; i >= 0; i--) {
		if (stack[i].sp == sp) {
			current = stack[i].node;
			depth = i;
			return;
		}
	}
}

static void on_switch(unsigned int cpu, qemu_plugin_meminfo_t info,
		      uint64_t addr, void *data)
{
	if (!qemu_plugin_mem_is_store(info))
		running = addr - params[STACK_POINTER];
}

static void on_main(unsigned int cpu, void *data)
{
	if (root)
		calltree_free(root);
	root = calltree_new(NULL, params[MAIN]);
	current = root;
	depth = 0;
	called = false;
	arrived = false;
	followed = running;
	counting = false;
	total = 0;
}

static void on_start(unsigned int cpu, void *data)
{
	if (is_followed())
		counting = true;
}

static void on_stop(unsigned int cpu, void *data)
{
	if (!is_followed() || !counting)
		return;
	dump();
	counting = false;
	followed = 0;
}

/* Called when QEMU translates code of the guest */

static bool is_prefix(uint8_t byte)
{
	return byte == 0x66 || byte == 0xf2 || byte == 0xf3 || byte == 0x2e ||
	       byte == 0x3e || byte == 0x64 || byte == 0x65 ||
	       (byte & 0xf0) == 0x40;
}

/* What watches the memory that an instruction accesses, if it is one of those */
static mem_t watcher(const uint8_t *insn, size_t len)
{
	while (len && is_prefix(*insn)) {
		insn++;
		len--;
	}
	if (!len)
		return NULL;
	switch (insn[0]) {
	case 0xe8:
		return on_call;
	case 0xff:
		return len > 1 && ((insn[1] >> 3) & 7) == 2 ? on_call : NULL;
	case 0xc2:
	case 0xc3:
		return on_return;
	}
	return NULL;
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct block *block = malloc(sizeof(*block));
	struct qemu_plugin_insn *insn;
	uint64_t addr;
	mem_t watch;
	size_t i;

	block->addr = qemu_plugin_tb_vaddr(tb);
	block->n = qemu_plugin_tb_n_insns(tb);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block,
					     QEMU_PLUGIN_CB_NO_REGS, block);
	for (i = 0; i < block->n; i++) {
		insn = qemu_plugin_tb_get_insn(tb, i);
		addr = qemu_plugin_insn_vaddr(insn);
		watch = addr == params[SWITCH] ? on_switch :
			watcher(qemu_plugin_insn_data(insn),
				qemu_plugin_insn_size(insn));
		if (watch)
			qemu_plugin_register_vcpu_mem_cb(insn, watch,
							 QEMU_PLUGIN_CB_NO_REGS,
							 QEMU_PLUGIN_MEM_RW,
							 NULL);
		if (addr == params[MAIN] || addr == params[START] ||
		    addr == params[STOP])
			qemu_plugin_register_vcpu_insn_exec_cb(insn,
				addr == params[MAIN] ? on_main :
				addr == params[START] ? on_start : on_stop,
				QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
			       const struct qemu_info_t *info, int argc,
			       char **argv)
{
	int i, j;

	for (i = 0; i < argc; i++) {
		size_t len = strcspn(argv[i], "=");

		if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
		for (j = 0; j < N_PARAMS; j++)
			if (len == strlen(names[j]) &&
			    !strncmp(argv[i], names[j], len))
				params[j] = strtoull(argv[i] + len + 1, NULL, 0);
	}
	for (j = 0; j < N_PARAMS; j++) {
		if (!out || !params[j]) {
			fprintf(stderr, "callpaths: %s is missing\n",
				out ? names[j] : "out");
			return -1;
		}
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
