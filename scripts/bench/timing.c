// SPDX-License-Identifier: GPL-2.0
/*
 * Whether it shows in the time that a packet takes what header protection hides,
 * or that it is forged: RFC 9001 section 9.5.  Counted in the kernel, one
 * packet a message.  What could not be opened is copied from the message again:
 * that is counted apart.
 */
#include <err.h>
#include <linux/quic.h>
#include <stdio.h>
#include <string.h>

#include "receiver.h"

/* An AEAD has less to do for a payload that ends where a block ends, and how
 * long the number is decides where that is.  With 1452 bytes and a number of 3
 * AES-GCM takes 1.0 to 1.2 % less: so does every packet of another length, it is
 * not what is looked for here.
 */
#define WIRE	1448
#define PACKETS	64		/* as many as a batch has, and some more */
#define LOOPS	200
#define PN_AT	(1 + BENCH_DCID_LEN)

/**
 * struct variant - packets that a receiver is given
 * @name: what is different with them
 * @first: their first byte when they are sealed
 * @next_key: sealed with the key of the next generation
 * @has_next: which the receiver has
 * @at: byte of the protected packet that is changed
 * @bits: of that byte
 * @status: what becomes of them
 */
struct variant {
	const char *name;
	unsigned char first;
	bool next_key;
	bool has_next;
	unsigned int at;
	unsigned char bits;
	unsigned char status;
};

#define AUTHENTIC(n, f, ...) \
	{ .name = n, .first = f, .has_next = true, \
	  .status = QUIC_RX_DECRYPTED, __VA_ARGS__ }
#define FORGED(n, where, what) \
	{ .name = n, .first = FIRST_USUAL, .has_next = true, .at = where, \
	  .bits = what, .status = QUIC_RX_BAD_TAG }
#define WITHOUT_KEY(n, f, ...) \
	{ .name = n, .first = f, .status = QUIC_RX_NO_KEY, __VA_ARGS__ }

/* The first one is what the others are compared with. */
static const struct variant variants[] = {
	AUTHENTIC("as usual", FIRST_USUAL),
	AUTHENTIC("spin bit", FIRST_USUAL | FIRST_SPIN),
	AUTHENTIC("no fixed bit", FIRST_USUAL & ~FIRST_FIXED),
	AUTHENTIC("reserved bits", FIRST_USUAL | FIRST_RESERVED),
	AUTHENTIC("next key phase", FIRST_USUAL | FIRST_PHASE, .next_key = true),
	AUTHENTIC("number of 1 byte", FIRST_FIXED),
	AUTHENTIC("number of 3 bytes", FIRST_FIXED | 2),
	AUTHENTIC("number of 4 bytes", FIRST_FIXED | 3),
	WITHOUT_KEY("next key phase, no key", FIRST_USUAL | FIRST_PHASE,
		    .next_key = true),
	WITHOUT_KEY("key phase changed, no key", FIRST_USUAL, .bits = FIRST_PHASE),
	FORGED("key phase changed", 0, FIRST_PHASE),
	FORGED("fixed bit changed", 0, FIRST_FIXED),
	FORGED("spin bit changed", 0, FIRST_SPIN),
	FORGED("reserved bit 0x10 changed", 0, 0x10),
	FORGED("reserved bit 0x08 changed", 0, 0x08),
	FORGED("number of 4 bytes, changed", 0, 0x02),
	FORGED("number of 3 bytes, changed", 0, 0x03),
	FORGED("number of 1 byte, changed", 0, 0x01),
	FORGED("highest bit of the number changed", PN_AT, 0x80),
	FORGED("lowest bit of the number changed", PN_AT + 1, 0x01),
	FORGED("payload changed at the start", BENCH_HDR_LEN + 2, 0x01),
	FORGED("payload changed at the end", WIRE - BENCH_TAG_LEN - 1, 0x80),
	FORGED("tag changed at the start", WIRE - BENCH_TAG_LEN, 0x01),
	FORGED("tag changed at the end", WIRE - 1, 0x80),
};

static const char *const statuses[] = {
	[QUIC_RX_DECRYPTED]	= "DECRYPTED",
	[QUIC_RX_NO_KEY]	= "NO_KEY",
	[QUIC_RX_BAD_TAG]	= "BAD_TAG",
};

/* What it takes to copy a packet again, from this byte on */
static double copied_again(unsigned int from)
{
	struct kbench_loop loop = {
		.op = KBENCH_SKB_COPY,
		.loops = LOOPS,
		.wire = WIRE,
		.stride = WIRE,
		.train = 1,
		.ring = 1,
		.hdr_len = from,
	};

	if (kernel_run(&loop))
		err(1, "copying");
	return (double)loop.ns / loop.loops;
}

static double variant_run(const struct setting *setting, const struct variant *v)
{
	struct receiver *r;
	double ns;

	sealed_fill_as(setting->cipher, WIRE, PACKETS, FIRST_USUAL, bench_key);
	r = receiver_new(RX_KERNEL_OFFLOAD, setting, 1);
	if (!r)
		return -1;
	receiver_expect(r, v->status);
	if (v->has_next)
		receiver_add_key(r, 1, bench_next_key);
	r->ring = PACKETS;
	r->packet = 0;

	sealed_fill_as(setting->cipher, WIRE, PACKETS, v->first,
		       v->next_key ? bench_next_key : bench_key);
	sealed_flip(WIRE, PACKETS, v->at, v->bits);

	ns = receiver_run(r, LOOPS);
	receiver_free(r);
	return ns;
}

static void timing_cipher(const struct setting *setting, unsigned int rounds)
{
	unsigned int i, round;

	for (i = 0; i < ARRAY_SIZE(variants); i++) {
		const struct variant *v = &variants[i];
		double ns, copied, least = 1e18, least_copied = 0;
		const bool no_key = v->status == QUIC_RX_NO_KEY;

		for (round = 0; round < rounds; round++) {
			ns = variant_run(setting, v);
			if (ns < 0)
				return;
			least = ns < least ? ns : least;
		}
		for (round = 0; round < rounds; round++) {
			if (v->status == QUIC_RX_DECRYPTED)
				break;
			copied = copied_again(no_key ? BENCH_HDR_LEN : 0);
			if (!round || copied < least_copied)
				least_copied = copied;
		}
		printf("timing\t%s\t%s\t%s\t%.1f\t%.1f\n", setting->cipher->name,
		       v->name, statuses[v->status], least, least_copied);
	}
	fflush(stdout);
}

void timing_run(const struct target *target, unsigned int rounds)
{
	struct setting setting = { .target = target, .wire = WIRE };

	for (setting.cipher = ciphers; setting.cipher->name; setting.cipher++)
		if (ssl30 || ssl35)
			timing_cipher(&setting, rounds);
}
