/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_preload.so: a connection, its keys, and its packets that wait */
#ifndef QUIC_PRELOAD_CONN_H
#define QUIC_PRELOAD_CONN_H

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_ngtcp2_rx.h"

/* What a connection or a key is found by */
enum preload_kind {
	PRELOAD_NUMBER,		/* of a connection, in tickets */
	PRELOAD_NGTCP2,		/* of a connection */
	PRELOAD_TAG,		/* of a connection: a packet that it protected */
	PRELOAD_HANDLE,		/* of a generation: of ngtcp2's context */
};

struct preload_name {
	enum preload_kind kind;
	uint64_t value;
	void *object;
	struct preload_name *next;
};

struct preload_generation {
	struct preload_name handle;
	struct preload_conn *conn;
	struct quic_offload_keys keys;
	ngtcp2_crypto_aead_ctx aead_ctx;
	bool have_aead_ctx;
};

/*
 * The one in use, the next that ngtcp2 derives in advance, and the one before
 * of packets that wait; a power of two, for generations are modulo 256.
 */
#define PRELOAD_GENERATIONS	4

/**
 * struct preload_conn - a connection
 * @number: in tickets
 * @ngtcp2: ngtcp2's object
 * @tag: what the last bytes are of a packet that ngtcp2 itself has protected
 * @tag_age: packets that were made since
 * @seen: that, or a later one, left by a function that we stand in for, on a
 *	socket where the kernel protects packets
 * @stopped: none of its packets is deferred any more
 * @store: of deferred packets, NULL before the first
 * @hp_ctx: ngtcp2's
 * @rx: the receiving side
 */
struct preload_conn {
	struct preload_name number;
	struct preload_name ngtcp2;
	struct preload_name tag;
	unsigned int tag_age;
	bool seen;
	bool stopped;
	struct preload_store *store;
	struct quic_offload_conn *offload;
	ngtcp2_crypto_ctx crypto;
	ngtcp2_crypto_cipher_ctx hp_ctx;
	struct preload_generation generations[PRELOAD_GENERATIONS];
	uint8_t newest;
	struct quic_ngtcp2_rx rx;
};

/* All of these inside the lock */
void *preload_find(enum preload_kind kind, uint64_t value);
void preload_add_name(struct preload_name *name, enum preload_kind kind,
		      uint64_t value, void *object);
void preload_drop_name(struct preload_name *name);
struct preload_generation *preload_generation(struct preload_conn *conn,
					      uint8_t number);
struct preload_generation *
preload_find_generation(const ngtcp2_crypto_aead_ctx *aead_ctx);

/* quic_offload_protect: for packets that the kernel does not take */
int preload_conn_protect(void *arg, const struct quic_offload_keys *keys,
			 uint8_t *packet, size_t header_len, size_t len,
			 uint64_t number);

/* Free what is kept of its packets. */
void preload_drop_store(struct preload_conn *conn);

#endif /* QUIC_PRELOAD_CONN_H */
