// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What quic_preload.so knows of connections and their keys.
 */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "quic_ngtcp2_crypto.h"
#include "quic_preload.h"
#include "quic_preload_conn.h"
#include "quic_preload_keys.h"

/* Programs that know nothing of ngtcp2 are to start as well. */
#pragma weak ngtcp2_conn_get_crypto_ctx
#pragma weak ngtcp2_crypto_aead_ctx_encrypt_init
#pragma weak ngtcp2_crypto_aead_ctx_free
#pragma weak ngtcp2_crypto_aead_keylen

#define BUCKETS		4096

static struct preload_name *names[BUCKETS];
static uint32_t last_number;
static struct preload_stats freed_stats;

/* Names */

/* Where the name is, or would be */
static struct preload_name **find_name(enum preload_kind kind, uint64_t value)
{
	size_t bucket = (value ^ value >> 4 ^ value >> 16) % BUCKETS;
	struct preload_name **p = &names[bucket];

	while (*p && ((*p)->kind != kind || (*p)->value != value))
		p = &(*p)->next;
	return p;
}

void *preload_find(enum preload_kind kind, uint64_t value)
{
	struct preload_name *name = *find_name(kind, value);

	return name ? name->object : NULL;
}

/*
 * Nobody tells when ngtcp2 frees a context: a name that is there already is
 * that of an object which was at the same address.
 */
void preload_add_name(struct preload_name *name, enum preload_kind kind,
		      uint64_t value, void *object)
{
	struct preload_name **p = find_name(kind, value);

	name->kind = kind;
	name->value = value;
	name->object = object;
	name->next = *p ? (*p)->next : NULL;
	*p = name;
}

void preload_drop_name(struct preload_name *name)
{
	struct preload_name **p = find_name(name->kind, name->value);

	if (*p == name)
		*p = name->next;
}

/* Connections and their keys */

struct preload_generation *preload_generation(struct preload_conn *conn,
					      uint8_t number)
{
	return &conn->generations[number % PRELOAD_GENERATIONS];
}

static void drop_generation(struct preload_generation *gen)
{
	preload_drop_name(&gen->handle);
	if (gen->have_aead_ctx)
		ngtcp2_crypto_aead_ctx_free(&gen->aead_ctx);
	explicit_bzero(gen, sizeof(*gen));
}

static uintptr_t handle(const ngtcp2_crypto_aead_ctx *aead_ctx)
{
	return (uintptr_t)aead_ctx->native_handle;
}

struct preload_generation *
preload_find_generation(const ngtcp2_crypto_aead_ctx *aead_ctx)
{
	return preload_find(PRELOAD_HANDLE, handle(aead_ctx));
}

static void add_generation(struct preload_conn *conn,
			   const ngtcp2_crypto_aead_ctx *aead_ctx,
			   const struct quic_offload_keys *keys)
{
	struct preload_generation *gen;

	gen = preload_generation(conn, keys->generation);
	drop_generation(gen);
	gen->conn = conn;
	gen->keys = *keys;
	preload_add_name(&gen->handle, PRELOAD_HANDLE, handle(aead_ctx), gen);
	conn->newest = keys->generation;
	quic_offload_conn_set_keys(conn->offload, keys);
}

int preload_conn_protect(void *arg, const struct quic_offload_keys *keys,
			 uint8_t *packet, size_t header_len, size_t len,
			 uint64_t number)
{
	struct preload_generation *gen;
	struct preload_conn *conn = arg;

	gen = preload_generation(conn, keys->generation);
	if (!gen->have_aead_ctx) {
		if (ngtcp2_crypto_aead_ctx_encrypt_init(&gen->aead_ctx,
							&conn->crypto.aead,
							keys->payload_key,
							QUIC_OFFLOAD_IV_SIZE))
			return -1;
		gen->have_aead_ctx = true;
	}
	return quic_ngtcp2_protect(&conn->crypto, &gen->aead_ctx, &conn->hp_ctx,
				   keys->payload_iv, packet, header_len, len,
				   number);
}

static struct preload_conn *new_conn(ngtcp2_conn *ngtcp2)
{
	const char *shortest = getenv("QUIC_OFFLOAD_SHORTEST");
	struct preload_conn *conn;

	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return NULL;
	conn->offload = quic_offload_conn_new(preload_conn_protect, conn);
	if (!conn->offload) {
		free(conn);
		return NULL;
	}
	if (shortest)
		quic_offload_conn_set_shortest(conn->offload, atoi(shortest));
	conn->rx.offload = conn->offload;
	conn->crypto = *ngtcp2_conn_get_crypto_ctx(ngtcp2);
	preload_add_name(&conn->number, PRELOAD_NUMBER, ++last_number, conn);
	preload_add_name(&conn->ngtcp2, PRELOAD_NGTCP2, (uintptr_t)ngtcp2,
			 conn);
	preload_connections++;
	return conn;
}

/* Keys of either direction may come first. */
static struct preload_conn *find_or_new_conn(ngtcp2_conn *ngtcp2)
{
	return preload_find(PRELOAD_NGTCP2, (uintptr_t)ngtcp2) ?:
	       new_conn(ngtcp2);
}

void preload_add_conn(ngtcp2_conn *ngtcp2,
		      const ngtcp2_crypto_aead_ctx *aead_ctx,
		      const ngtcp2_crypto_cipher_ctx *hp_ctx,
		      const struct quic_offload_keys *keys)
{
	struct preload_conn *conn;

	preload_lock();
	conn = find_or_new_conn(ngtcp2);
	if (conn) {
		conn->hp_ctx = *hp_ctx;
		add_generation(conn, aead_ctx, keys);
	}
	preload_unlock();
}

void preload_add_rx_keys(ngtcp2_conn *ngtcp2, struct quic_offload_keys *keys)
{
	struct preload_conn *conn;

	preload_lock();
	conn = find_or_new_conn(ngtcp2);
	if (conn)
		quic_ngtcp2_rx_add_keys(&conn->rx, keys);
	preload_unlock();
}

static void next_rx_generation(struct preload_conn *conn, const uint8_t *key,
			       const uint8_t *iv)
{
	struct quic_offload_keys keys = quic_ngtcp2_rx_next_keys(&conn->rx);

	memcpy(keys.payload_key, key,
	       ngtcp2_crypto_aead_keylen(&conn->crypto.aead));
	memcpy(keys.payload_iv, iv, sizeof(keys.payload_iv));
	quic_ngtcp2_rx_add_keys(&conn->rx, &keys);
}

static void next_generation(struct preload_conn *conn,
			    const ngtcp2_crypto_aead_ctx *aead_ctx,
			    const uint8_t *key, const uint8_t *iv)
{
	struct quic_offload_keys keys;

	keys = preload_generation(conn, conn->newest)->keys;
	keys.generation++;
	memcpy(keys.payload_key, key,
	       ngtcp2_crypto_aead_keylen(&conn->crypto.aead));
	memcpy(keys.payload_iv, iv, sizeof(keys.payload_iv));
	add_generation(conn, aead_ctx, &keys);
	explicit_bzero(&keys, sizeof(keys));
}

void preload_update_keys(ngtcp2_conn *ngtcp2,
			 const ngtcp2_crypto_aead_ctx *aead_ctx,
			 const uint8_t *key, const uint8_t *iv,
			 const uint8_t *rx_key, const uint8_t *rx_iv)
{
	struct preload_conn *conn;

	preload_lock();
	conn = preload_find(PRELOAD_NGTCP2, (uintptr_t)ngtcp2);
	if (conn) {
		next_generation(conn, aead_ctx, key, iv);
		if (conn->rx.generations)
			next_rx_generation(conn, rx_key, rx_iv);
	}
	preload_unlock();
}

static void add_stats(struct preload_stats *sum,
		      const struct preload_conn *conn)
{
	const struct quic_offload_rx_stats *rx;
	const struct quic_offload_stats *tx;

	tx = quic_offload_conn_stats(conn->offload);
	sum->tx.kernel += tx->kernel;
	sum->tx.user += tx->user;
	sum->tx.ready += tx->ready;
	sum->tx.messages += tx->messages;
	rx = quic_offload_conn_rx_stats(conn->offload);
	sum->rx.kernel += rx->kernel;
	sum->rx.user += rx->user;
	sum->rx.failed += rx->failed;
	sum->rx.disagreed += rx->disagreed;
}

static void free_conn(struct preload_conn *conn)
{
	int i;

	add_stats(&freed_stats, conn);
	for (i = 0; i < PRELOAD_GENERATIONS; i++)
		drop_generation(&conn->generations[i]);
	preload_drop_name(&conn->ngtcp2);
	preload_drop_name(&conn->number);
	preload_drop_name(&conn->tag);
	preload_drop_store(conn);
	quic_offload_conn_free(conn->offload);
	explicit_bzero(conn->rx.keys, sizeof(conn->rx.keys));
	free(conn);
}

void preload_del_conn(ngtcp2_conn *ngtcp2)
{
	struct preload_conn *conn;

	preload_lock();
	conn = preload_find(PRELOAD_NGTCP2, (uintptr_t)ngtcp2);
	if (conn)
		free_conn(conn);
	preload_unlock();
}

struct preload_stats preload_stats(void)
{
	struct preload_stats sum;
	struct preload_name *name;
	int i;

	preload_lock();
	sum = freed_stats;
	for (i = 0; i < BUCKETS; i++)
		for (name = names[i]; name; name = name->next)
			if (name->kind == PRELOAD_NUMBER)
				add_stats(&sum, name->object);
	preload_unlock();
	return sum;
}

