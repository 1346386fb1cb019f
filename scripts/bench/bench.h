/* SPDX-License-Identifier: GPL-2.0 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stddef.h>

#include "kbench.h"
#include "ssl.h"

#ifndef SOL_UDP
#define SOL_UDP		17
#endif

#define BENCH_PORT	4433
#define BENCH_TAG_LEN	16
#define BENCH_MAX_TRAIN	64
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof(*(a)))

/* cipher.c */

/**
 * struct cipher - a cipher of QUIC and its names
 * @name: here, and in libcrypto
 * @kernel: in the crypto API
 * @header: what libcrypto makes header protection with
 * @type: TLS_CIPHER_*
 * @key_len: bytes in its keys
 * @chacha: header protection is not by AES
 * @ccm: libcrypto wants to know lengths in advance
 */
struct cipher {
	const char *name;
	const char *kernel;
	const char *header;
	unsigned short type;
	unsigned int key_len;
	bool chacha;
	bool ccm;
};

extern const struct cipher ciphers[];	/* the last one has no name */
extern const unsigned char bench_key[32];
extern const unsigned char bench_next_key[32];
extern const unsigned char bench_header_key[32];
extern const unsigned char bench_iv[12];

/* source.c */

extern unsigned char source[KBENCH_SOURCE];

/* Fill the source with packets of @wire bytes on the wire, here and in the
 * module.
 */
void source_fill(unsigned int wire);

/* Give @count of them another connection ID. */
void source_set_flow(unsigned int base, unsigned int wire, unsigned int count,
		     unsigned int flow);

/* Copy a part of the source to the module. */
void source_write(unsigned int at, unsigned int len);

/* Run a loop of the module; -1 if that fails or there is no module. */
int kernel_run(struct kbench_loop *loop);
int kernel_receive(struct kbench_receive *receive);
int kernel_setsockopt(struct kbench_setsockopt *option);
void kernel_open(void);

/* sender.c */

/* How packets get out, or what is left out of that */
enum way {
	WAY_PLAIN,		/* UDP GSO, no protection */
	WAY_SSL30,		/* libcrypto, UDP GSO */
	WAY_SSL35,
	WAY_SSL35_ZEROCOPY,	/* the same with MSG_ZEROCOPY */
	WAY_OFFLOAD,
	WAY_SSL30_ONLY,		/* the library's part, nothing is sent */
	WAY_SSL35_ONLY,
	WAY_KERNEL_MEMCPY,	/* from here on inside the kernel */
	WAY_KERNEL_AEAD,
	WAY_KERNEL_BARE,
	WAY_KERNEL_LIBRARY,
	WAY_KERNEL_PLAIN,
	WAY_KERNEL_OFFLOAD,
	WAY_NUM,
};

extern const char *const way_names[WAY_NUM];

/* Addresses, the name of the path there, the network namespace, or NULL, and whether
 * the device there protects packets
 */
struct target {
	const char *name;
	const char *ipv4;
	const char *ipv6;
	const char *netns;
	bool protects;
};

/**
 * struct setting - what the ways that are compared have in common
 * @target: where packets go
 * @cipher: for those that protect
 * @wire: bytes of a packet, with tag
 * @ipv6: else IPv4
 * @connected: socket
 * @cold: packets come from 32 MB of memory one after the other, else always
 *	the same ones are sent
 */
struct setting {
	const struct target *target;
	const struct cipher *cipher;
	unsigned int wire;
	bool ipv6;
	bool connected;
	bool cold;
};

struct sender;

/* NULL if that way does not exist here. */
struct sender *sender_new(enum way way, const struct setting *setting,
			  unsigned int train);
void sender_free(struct sender *s);

/* Send @loops messages, after one that does not count; nanoseconds per packet,
 * negative if it cannot be done.
 */
double sender_run(struct sender *s, unsigned int loops);

/* The same socket, to be used in another way */
void sender_set_way(struct sender *s, enum way way);

/* Add or delete flows 0 to @flows - 1; nanoseconds per flow. */
double sender_add_flows(struct sender *s, unsigned int flows);
double sender_del_flows(struct sender *s, unsigned int flows);

/* For who does that otherwise */
struct quic_connection_info;
void sender_flow_info(const struct sender *s, unsigned int flow,
		      struct quic_connection_info *info);
int sender_socket(const struct sender *s);

/* Use any of @flows flows from train to train if @random, else flow 0. */
void sender_use_flows(struct sender *s, unsigned int flows, bool random);

/* Use this flow, and memory that no other flow uses. */
void sender_use_flow(struct sender *s, unsigned int flow);

double now_ns(void);

/* rounds.c */

#define MAX_ROUNDS	200

struct receiver;

/**
 * struct cell - one thing to be timed
 * @receiver: what receives, instead of a sender; it knows the rest, unless it
 *	has flows
 * @rx_way: enum rx_way, then
 * @tags_at: as for receiver_use_flows()
 * @sender: what sends; several cells may share it
 * @way: how
 * @train: packets of a message
 * @flows: as for sender_use_flows(), unless 0
 * @random: likewise
 * @loops: messages in a slice of time
 * @ns: what was found
 */
struct cell {
	struct receiver *receiver;
	int rx_way;
	unsigned int tags_at;
	struct sender *sender;
	enum way way;
	unsigned int train;
	unsigned int flows;
	bool random;
	unsigned int loops;
	double ns[MAX_ROUNDS];
};

void times_sort(double *ns, unsigned int count);

/* Time cells in turns, @rounds times; sorts what was found. */
void cells_time(struct cell *cells, unsigned int count, unsigned int rounds);

/* Time and print ways, which end with WAY_NUM, and trains, which end with 0. */
void rounds_run(const struct setting *setting, const unsigned int *trains,
		const enum way *ways, unsigned int rounds);

/* The rest: one file each */

/* All ways must put the same bytes on the wire, or we compare nothing. */
void check_ways(void);

void flows_run(const struct target *target);
void many_run(const struct target *target, unsigned int rounds);
void parallel_run(const struct target *target);
void ktls_run(void);
void sink_run(void);

#endif /* BENCH_H */
