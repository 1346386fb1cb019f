// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The middle of quic_preload.so: knows connections and their keys, and writes
 * a ticket where the tag of a packet would be.
 *
 * Whoever sends the datagram has the bytes and nothing else, and those may have
 * been copied meanwhile, or wait until the socket has room.  A ticket therefore
 * says all that is needed to protect the packet, and nothing has to be
 * remembered for each of them.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "quic_ngtcp2_crypto.h"
#include "quic_preload.h"
#include "quic_preload_keys.h"

/* Programs that know nothing of ngtcp2 are to start as well. */
#pragma weak ngtcp2_conn_get_crypto_ctx
#pragma weak ngtcp2_crypto_aead_ctx_encrypt_init
#pragma weak ngtcp2_crypto_aead_ctx_free
#pragma weak ngtcp2_crypto_aead_keylen

#define MAX_CID		20
#define MAX_NUMBER	((1ULL << 62) - 1)
#define MIN_SAMPLED	4	/* bytes of packet number and payload */

/*
 * The one in use, the next that ngtcp2 derives in advance, and the one before
 * of packets that wait; a power of two, for generations are modulo 256.
 */
#define GENERATIONS	4

#define BUCKETS		4096

/**
 * struct ticket - stands where a tag will be
 * @magic: random, and known to nobody outside since no ticket leaves
 * @conn: number of the connection
 * @number: low bits of the packet number
 * @len: of the packet, from its flags to its payload
 * @dcid_len: of its connection ID
 * @generation: of the key
 */
struct ticket {
	uint32_t magic;
	uint32_t conn;
	uint32_t number;
	uint16_t len;
	uint8_t dcid_len;
	uint8_t generation;
};

_Static_assert(sizeof(struct ticket) == QUIC_OFFLOAD_TAG_SIZE,
	       "a ticket takes the place of a tag");

/* What a connection or a key is found by */
enum kind {
	NUMBER,		/* of a struct conn, in tickets */
	NGTCP2_CONN,	/* of a struct conn */
	AEAD_HANDLE,	/* of a struct generation: of ngtcp2's context */
};

struct name {
	enum kind kind;
	uintptr_t value;
	void *object;
	struct name *next;
};

struct generation {
	struct name handle;
	struct conn *conn;
	struct quic_offload_keys keys;
	ngtcp2_crypto_aead_ctx aead_ctx;
	bool have_aead_ctx;
};

struct conn {
	struct name number;
	struct name ngtcp2;
	struct quic_offload_conn *offload;
	ngtcp2_crypto_ctx crypto;
	ngtcp2_crypto_cipher_ctx hp_ctx;	/* ngtcp2's */
	struct generation generations[GENERATIONS];
	uint8_t newest;
	uint64_t highest;	/* packet number so far */
};

_Atomic(enum preload_state) preload_state;
_Thread_local bool preload_inside;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct name *names[BUCKETS];
static uint32_t magic, last_number;
static struct quic_offload_stats freed_stats;

void preload_lock(void)
{
	pthread_mutex_lock(&mutex);
	preload_inside = true;
}

void preload_unlock(void)
{
	preload_inside = false;
	pthread_mutex_unlock(&mutex);
}

/* Names */

/* Where the name is, or would be */
static struct name **find_name(enum kind kind, uintptr_t value)
{
	size_t bucket = (value ^ value >> 4 ^ value >> 16) % BUCKETS;
	struct name **p = &names[bucket];

	while (*p && ((*p)->kind != kind || (*p)->value != value))
		p = &(*p)->next;
	return p;
}

static void *find(enum kind kind, uintptr_t value)
{
	struct name *name = *find_name(kind, value);

	return name ? name->object : NULL;
}

/*
 * Nobody tells when ngtcp2 frees a context: a name that is there already is
 * that of an object which was at the same address.
 */
static void add_name(struct name *name, enum kind kind, uintptr_t value,
		     void *object)
{
	struct name **p = find_name(kind, value);

	name->kind = kind;
	name->value = value;
	name->object = object;
	name->next = *p ? (*p)->next : NULL;
	*p = name;
}

static void drop_name(struct name *name)
{
	struct name **p = find_name(name->kind, name->value);

	if (*p == name)
		*p = name->next;
}

/* Connections and their keys */

static struct generation *generation(struct conn *conn, uint8_t number)
{
	return &conn->generations[number % GENERATIONS];
}

static void drop_generation(struct generation *gen)
{
	drop_name(&gen->handle);
	if (gen->have_aead_ctx)
		ngtcp2_crypto_aead_ctx_free(&gen->aead_ctx);
	explicit_bzero(gen, sizeof(*gen));
}

static uintptr_t handle(const ngtcp2_crypto_aead_ctx *aead_ctx)
{
	return (uintptr_t)aead_ctx->native_handle;
}

static void add_generation(struct conn *conn,
			   const ngtcp2_crypto_aead_ctx *aead_ctx,
			   const struct quic_offload_keys *keys)
{
	struct generation *gen = generation(conn, keys->generation);

	drop_generation(gen);
	gen->conn = conn;
	gen->keys = *keys;
	add_name(&gen->handle, AEAD_HANDLE, handle(aead_ctx), gen);
	conn->newest = keys->generation;
	quic_offload_conn_set_keys(conn->offload, keys);
}

/* quic_offload_protect: for packets that the kernel does not take */
static int protect(void *arg, const struct quic_offload_keys *keys,
		   uint8_t *packet, size_t header_len, size_t len,
		   uint64_t number)
{
	struct conn *conn = arg;
	struct generation *gen = generation(conn, keys->generation);

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

static struct conn *new_conn(ngtcp2_conn *ngtcp2)
{
	struct conn *conn;

	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return NULL;
	conn->offload = quic_offload_conn_new(protect, conn);
	if (!conn->offload) {
		free(conn);
		return NULL;
	}
	conn->crypto = *ngtcp2_conn_get_crypto_ctx(ngtcp2);
	add_name(&conn->number, NUMBER, ++last_number, conn);
	add_name(&conn->ngtcp2, NGTCP2_CONN, (uintptr_t)ngtcp2, conn);
	return conn;
}

void preload_add_conn(ngtcp2_conn *ngtcp2,
		      const ngtcp2_crypto_aead_ctx *aead_ctx,
		      const ngtcp2_crypto_cipher_ctx *hp_ctx,
		      const struct quic_offload_keys *keys)
{
	struct conn *conn;

	preload_lock();
	conn = new_conn(ngtcp2);
	if (conn) {
		conn->hp_ctx = *hp_ctx;
		add_generation(conn, aead_ctx, keys);
	}
	preload_unlock();
}

static void next_generation(struct conn *conn,
			    const ngtcp2_crypto_aead_ctx *aead_ctx,
			    const uint8_t *key, const uint8_t *iv)
{
	struct quic_offload_keys keys;

	keys = generation(conn, conn->newest)->keys;
	keys.generation++;
	memcpy(keys.payload_key, key,
	       ngtcp2_crypto_aead_keylen(&conn->crypto.aead));
	memcpy(keys.payload_iv, iv, sizeof(keys.payload_iv));
	add_generation(conn, aead_ctx, &keys);
	explicit_bzero(&keys, sizeof(keys));
}

void preload_update_keys(ngtcp2_conn *ngtcp2,
			 const ngtcp2_crypto_aead_ctx *aead_ctx,
			 const uint8_t *key, const uint8_t *iv)
{
	struct conn *conn;

	preload_lock();
	conn = find(NGTCP2_CONN, (uintptr_t)ngtcp2);
	if (conn)
		next_generation(conn, aead_ctx, key, iv);
	preload_unlock();
}

static void add_stats(struct quic_offload_stats *sum, const struct conn *conn)
{
	const struct quic_offload_stats *stats;

	stats = quic_offload_conn_stats(conn->offload);
	sum->kernel += stats->kernel;
	sum->user += stats->user;
	sum->ready += stats->ready;
	sum->messages += stats->messages;
}

static void free_conn(struct conn *conn)
{
	int i;

	add_stats(&freed_stats, conn);
	for (i = 0; i < GENERATIONS; i++)
		drop_generation(&conn->generations[i]);
	drop_name(&conn->ngtcp2);
	drop_name(&conn->number);
	quic_offload_conn_free(conn->offload);
	free(conn);
}

void preload_del_conn(ngtcp2_conn *ngtcp2)
{
	struct conn *conn;

	preload_lock();
	conn = find(NGTCP2_CONN, (uintptr_t)ngtcp2);
	if (conn)
		free_conn(conn);
	preload_unlock();
}

struct quic_offload_stats preload_stats(void)
{
	struct quic_offload_stats sum;
	struct name *name;
	int i;

	preload_lock();
	sum = freed_stats;
	for (i = 0; i < BUCKETS; i++)
		for (name = names[i]; name; name = name->next)
			if (name->kind == NUMBER)
				add_stats(&sum, name->object);
	preload_unlock();
	return sum;
}

/* Tickets */

static unsigned int pn_length(const uint8_t *header)
{
	return (header[0] & 0x03) + 1;
}

/* Whether this is the short header of a packet with that key and number */
static bool fits(const struct generation *gen, uint64_t number,
		 const uint8_t *header, size_t header_len)
{
	unsigned int phase = !!(header[0] & 0x04);
	unsigned int i, pn_len = pn_length(header);

	if (header[0] & 0x80 || phase != (gen->keys.generation & 1) ||
	    number > MAX_NUMBER)
		return false;
	for (i = 1; i <= pn_len; i++, number >>= 8)
		if (header[header_len - i] != (uint8_t)number)
			return false;
	return true;
}

static bool write_ticket(uint8_t *payload, size_t len,
			 const ngtcp2_crypto_aead_ctx *aead_ctx,
			 const uint8_t *nonce,
			 const uint8_t *header, size_t header_len)
{
	struct ticket ticket = {
		.magic = magic,
		.len = header_len + len,
		.dcid_len = header_len - pn_length(header) - 1,
	};
	struct generation *gen = find(AEAD_HANDLE, handle(aead_ctx));
	uint64_t number;

	if (!gen)
		return false;
	number = quic_ngtcp2_number(nonce, gen->keys.payload_iv);
	if (!fits(gen, number, header, header_len))
		return false;

	if (number > gen->conn->highest)
		gen->conn->highest = number;
	ticket.conn = gen->conn->number.value;
	ticket.number = number;
	ticket.generation = gen->keys.generation;
	memcpy(payload + len, &ticket, sizeof(ticket));
	return true;
}

bool preload_defer(uint8_t *payload, size_t len,
		   const ngtcp2_crypto_aead_ctx *aead_ctx,
		   const uint8_t *nonce, size_t nonce_len,
		   const uint8_t *header, size_t header_len)
{
	bool written;

	/* A whole packet, where it is going to be sent */
	if (nonce_len != QUIC_OFFLOAD_IV_SIZE ||
	    header + header_len != payload ||
	    header_len < 1 + pn_length(header) ||
	    header_len > 1 + MAX_CID + pn_length(header) ||
	    pn_length(header) + len < MIN_SAMPLED ||
	    header_len + len > UINT16_MAX)
		return false;

	/*
	 * CONNECTION_CLOSE: the last packet is kept, and repeated when the
	 * connection is gone.
	 */
	if (len && (payload[0] & ~1) == 0x1c)
		return false;

	preload_lock();
	written = write_ticket(payload, len, aead_ctx, nonce, header,
			       header_len);
	preload_unlock();
	return written;
}

static bool read_ticket(struct ticket *ticket, const uint8_t *datagram,
			size_t len)
{
	if (len <= sizeof(*ticket))
		return false;
	memcpy(ticket, datagram + len - sizeof(*ticket), sizeof(*ticket));
	return ticket->magic == magic;
}

bool preload_has_ticket(const uint8_t *datagram, size_t len)
{
	struct ticket ticket;

	return read_ticket(&ticket, datagram, len);
}

static size_t header_length(const struct quic_offload_packet *packet)
{
	return 1 + packet->dcid_len + pn_length(packet->data);
}

static struct generation *redeem(const uint8_t *datagram, size_t len,
				 struct quic_offload_packet *packet)
{
	struct generation *gen;
	struct ticket ticket;
	struct conn *conn;

	if (!read_ticket(&ticket, datagram, len) ||
	    ticket.len > len - sizeof(ticket))
		return NULL;
	conn = find(NUMBER, ticket.conn);
	if (!conn)
		return NULL;
	gen = generation(conn, ticket.generation);
	packet->data = datagram + len - sizeof(ticket) - ticket.len;
	packet->len = ticket.len;
	packet->number = conn->highest -
			 (uint32_t)((uint32_t)conn->highest - ticket.number);
	packet->dcid_len = ticket.dcid_len;
	packet->ready = (uint8_t)(conn->newest - ticket.generation) > 1;

	/* What does not fit together is not ours, or was changed. */
	if (!gen->conn || gen->keys.generation != ticket.generation ||
	    packet->dcid_len > MAX_CID ||
	    packet->len < 1u + packet->dcid_len + MIN_SAMPLED ||
	    !fits(gen, packet->number, packet->data, header_length(packet)))
		return NULL;
	return gen;
}

struct quic_offload_conn *preload_redeem(const uint8_t *datagram, size_t len,
					 struct quic_offload_packet *packet)
{
	struct generation *gen = redeem(datagram, len, packet);

	return gen ? gen->conn->offload : NULL;
}

int preload_protect(uint8_t *to, const uint8_t *datagram, size_t len)
{
	struct quic_offload_packet packet;
	struct generation *gen;

	gen = redeem(datagram, len, &packet);
	if (!gen)
		return -1;
	memcpy(to, datagram, len);
	return protect(gen->conn, &gen->keys,
		       to + (packet.data - datagram),
		       header_length(&packet), packet.len, packet.number);
}

__attribute__((constructor)) static void make_magic(void)
{
	if (getrandom(&magic, sizeof(magic), 0) != sizeof(magic))
		abort();
}
