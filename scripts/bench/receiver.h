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

/**
 * struct receiver - a socket, and what is done with what it gets
 * @way: what
 * @setting: as for senders; cold: much is sent before the first of it is read
 * @train: packets of a message
 * @ring: packets of the source that are sent, one train after the other
 * @packet: the next one of them
 * @messages: of a batch, which are sent, and then received
 * @flows: each message is of any of these, unless 0
 * @tags_at: where in the source their tags are
 * @status: what becomes of all packets: QUIC_RX_*
 * @renews: the flow does not know the numbers in the source
 * @fd: the socket
 * @send_fd: what is sent here it receives
 * @control_len: room for control messages
 * @key: for libcrypto
 */
struct receiver {
	enum rx_way way;
	const struct setting *setting;
	unsigned int train;
	unsigned int ring;
	unsigned int packet;
	unsigned int messages;
	unsigned int flows;
	unsigned int tags_at;
	unsigned char status;
	bool renews;
	int fd, send_fd;
	size_t control_len;
	struct ssl_key *key;
};

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

/* Send it @messages; read all that have been sent, and how many those were. */
void receiver_fill(struct receiver *r, unsigned int messages);
unsigned int receiver_drain(struct receiver *r);

/* Have the memory that is received into where this process has it. */
void receiver_touch(void);

/* The bytes of the last message, if they came here */
const unsigned char *receiver_bytes(void);

/* receiver_flows.c */

/* Attach what the way takes, with flow 0. */
void receiver_set_up(struct receiver *r);

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

/* Forget which numbers flow 0 has seen. */
void receiver_renew(struct receiver *r);

/* The control message must tell of all packets, whose first @count are there. */
void receiver_check_entries(const struct receiver *r, const void *first,
			    unsigned int count);

/* receive_all.c */

/* What the project has targets for */
void receive_targets(const struct target *target, unsigned int rounds);

/* The same without system calls */
void receive_kernel(const struct target *target, unsigned int rounds);

/* For kernels without the series, too */
void receive_plain(const struct target *target, unsigned int rounds);

/* All tables: over a path that lets trains through as they are, and over one
 * where GRO makes them again
 */
void receive_all(const struct target *whole, const struct target *joined);

/* The rest: one file each */
void receive_check(void);
void receive_rows(const struct setting *setting, const unsigned int *trains,
		  const enum rx_way *ways, unsigned int rounds);
void receive_flows_run(const struct target *target, unsigned int rounds);
void receive_parallel_run(const struct target *target);
void timing_run(const struct target *target, unsigned int rounds);
void gro_on(const char *device);
void tso_off(const char *device);

#endif /* RECEIVER_H */
