// SPDX-License-Identifier: GPL-2.0-only
/* A loop that opens packets, as many as stay in the cache.  Opening leaves
 * nothing to be opened again, so they are put back now and then.
 */

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "module.h"

#define KBENCH_OPEN_PACKETS	16

/* The packets, which differ in their numbers, and where they come from */
struct kbench_sealed {
	struct kbench_packet	packet;
	u8			*sealed;
	u8			*opened;
	unsigned int		wire;
};

static int kbench_sealed_fill(struct kbench_sealed *s, bool library)
{
	struct kbench_packet *p = &s->packet;
	unsigned int i;
	int err = 0;

	for (i = 0; i < KBENCH_OPEN_PACKETS && !err; i++) {
		memset(p->data, i, s->wire);
		err = library ? kbench_packet_seal_library(p, i) :
				kbench_packet_seal(p, i);
		memcpy(s->sealed + i * s->wire, p->data, s->wire);
	}
	return err;
}

static int kbench_open_all(struct kbench_sealed *s, bool library)
{
	struct kbench_packet *p = &s->packet;
	unsigned int i;
	int err = 0;

	for (i = 0; i < KBENCH_OPEN_PACKETS && !err; i++) {
		u8 *data = s->opened + i * s->wire;

		p->data = data;
		sg_init_one(&p->sg, data, s->wire);
		err = library ? kbench_packet_open_library(p, i) :
				kbench_packet_open(p, i);
	}
	return err;
}

int kbench_open(struct kbench_loop *loop)
{
	const bool library = loop->op == KBENCH_OPEN_LIBRARY;
	struct kbench_sealed s = { .wire = loop->wire };
	size_t len = KBENCH_OPEN_PACKETS * loop->wire;
	u32 batches, i;
	u8 *data;
	int err;

	if (library && strcmp(loop->alg, "rfc7539(chacha20,poly1305)"))
		return -EOPNOTSUPP;
	err = kbench_packet_init(&s.packet, loop);
	if (err)
		return err;
	data = s.packet.data;

	s.sealed = kvmalloc(len, GFP_KERNEL);
	s.opened = kmalloc(len, GFP_KERNEL);
	err = s.sealed && s.opened ? kbench_sealed_fill(&s, library) : -ENOMEM;

	loop->ns = 0;
	batches = DIV_ROUND_UP(loop->loops, KBENCH_OPEN_PACKETS);
	loop->loops = batches * KBENCH_OPEN_PACKETS;
	for (i = 0; i < batches && !err; i++) {
		u64 start;

		memcpy(s.opened, s.sealed, len);
		start = ktime_get_ns();
		err = kbench_open_all(&s, library);
		loop->ns += ktime_get_ns() - start;
	}

	kfree(s.opened);
	kvfree(s.sealed);
	s.packet.data = data;
	kbench_packet_free(&s.packet);
	return err;
}
