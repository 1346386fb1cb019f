/* SPDX-License-Identifier: GPL-2.0 */
/* Receiving: sealed packets, and sockets that get them. */
#ifndef RECEIVER_H
#define RECEIVER_H

#include "bench.h"

/* sealed.c: what the source holds when packets are received */

/* The first byte of a short header */
#define FIRST_FIXED	0x40
#define FIRST_SPIN	0x20
#define FIRST_RESERVED	0x18
#define FIRST_PHASE	0x04

#define FIRST_USUAL	(FIRST_FIXED | (BENCH_PN_LEN - 1))

/* Fill the source with packets of flow 0, numbered from 0 on; how many, or 0 if
 * there is no libcrypto to seal them.
 */
unsigned int sealed_fill(const struct cipher *cipher, unsigned int wire);

/* The same with @count packets that have this first byte, sealed with @key */
void sealed_fill_as(const struct cipher *cipher, unsigned int wire,
		    unsigned int count, unsigned char first,
		    const unsigned char *key);

/* Flip bits of the byte @at of the first @count packets. */
void sealed_flip(unsigned int wire, unsigned int count, unsigned int at,
		 unsigned char bits);

/* Put the tags that the first @train packets have in each of @flows flows into
 * the source; where they are.
 */
unsigned int sealed_tags(const struct cipher *cipher, unsigned int wire,
			 unsigned int train, unsigned int flows);

/* As it was before it was sealed, but for its number: the @i-th packet */
void sealed_plain(unsigned char *packet, unsigned int wire, unsigned int i,
		  unsigned char first);

/* receiver.c */

/* What happens to packets that are received, or what is left out of that */
enum rx_way {
	RX_PLAIN,		/* UDP GRO, nothing is opened */
	RX_SSL30,		/* libcrypto opens them in place */
	RX_SSL35,
	RX_OFFLOAD,
	RX_SSL30_ONLY,		/* the library's part, nothing is received */
	RX_SSL35_ONLY,
	RX_KERNEL_AEAD,		/* from here on inside the kernel */
	RX_KERNEL_LIBRARY,
	RX_KERNEL_PLAIN,
	RX_KERNEL_ULP,		/* the same with the ULP, but no flow */
	RX_KERNEL_OFFLOAD,
	RX_NUM,
};

extern const char *const rx_way_names[RX_NUM];

struct receiver;

/* Once, before all others */
void receiver_init(void);

/* NULL if that way does not exist here.  The source must be filled. */
struct receiver *receiver_new(enum rx_way way, const struct setting *setting,
			      unsigned int train);
void receiver_free(struct receiver *r);

/* Receive @loops messages and some more, after some that do not count;
 * nanoseconds per packet, negative if it cannot be done.
 */
double receiver_run(struct receiver *r, unsigned int loops);

/* Add flows 0 to @flows - 1; nanoseconds per flow. */
double receiver_add_flows(struct receiver *r, unsigned int flows);

/* Add another key generation to flow 0. */
void receiver_add_key(struct receiver *r, unsigned int generation,
		      const unsigned char *key);

/* Each message is of any of @flows flows, whose tags are there. */
void receiver_use_flows(struct receiver *r, unsigned int flows,
			unsigned int tags_at);

/* What becomes of the packets, if they are not opened: QUIC_RX_* */
void receiver_expect(struct receiver *r, unsigned char status);

/* Send it @messages; read all that have been sent, and how many those were. */
void receiver_fill(struct receiver *r, unsigned int messages);
unsigned int receiver_drain(struct receiver *r);

/* The bytes of the last message, if they came here */
const unsigned char *receiver_bytes(void);

/* The rest: one file each */
void receive_check(void);
void receive_rows(const struct setting *setting, const unsigned int *trains,
		  const enum rx_way *ways, unsigned int rounds);
void receive_flows_run(const struct target *target, unsigned int rounds);
void receive_parallel_run(const struct target *target);
void timing_run(const struct target *target);

#endif /* RECEIVER_H */
