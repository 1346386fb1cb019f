// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The half of quic_preload.so that faces ngtcp2: learns the keys, and instead
 * of protecting a 1-RTT packet writes a ticket where its tag would be.
 *
 * Whoever sends the datagram has the bytes and nothing else, and those may have
 * been copied meanwhile, or wait until the socket has room.  A ticket therefore
 * says all that is needed to protect the packet, and nothing has to be
 * remembered for each of them.
 *
 * Of ngtcp2 only that is used which is the same in 0.12 and 1.22.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_ngtcp2_crypto.h"
#include "quic_preload.h"

/* Programs that know nothing of ngtcp2 are to start as well. */
#pragma weak ngtcp2_conn_get_crypto_ctx
#pragma weak ngtcp2_crypto_aead_ctx_encrypt_init
#pragma weak ngtcp2_crypto_aead_ctx_free
#pragma weak ngtcp2_crypto_aead_keylen

#if NGTCP2_VERSION_NUM < 0x010000
typedef ngtcp2_crypto_level encryption_level;
#define LEVEL_1RTT	NGTCP2_CRYPTO_LEVEL_APPLICATION
#else
typedef ngtcp2_encryption_level encryption_level;
#define LEVEL_1RTT	NGTCP2_ENCRYPTION_LEVEL_1RTT
#endif

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

/* What ngtcp2_conn_install_tx_key() is given inside of derive_and_... */
static _Thread_local struct installed {
	uintptr_t handle;
	ngtcp2_crypto_cipher_ctx hp_ctx;
} *installed;

/* Payload of the packet that hp_mask() is about to be called for */
static _Thread_local const uint8_t *deferred;

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

static void add_generation(struct conn *conn, uintptr_t handle,
			   const struct quic_offload_keys *keys)
{
	struct generation *gen = generation(conn, keys->generation);

	drop_generation(gen);
	gen->conn = conn;
	gen->keys = *keys;
	add_name(&gen->handle, AEAD_HANDLE, handle, gen);
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

static void new_conn(ngtcp2_conn *ngtcp2, const ngtcp2_crypto_ctx *crypto,
		     const struct installed *from,
		     const struct quic_offload_keys *keys)
{
	struct conn *conn;

	conn = calloc(1, sizeof(*conn));
	if (!conn)
		return;
	conn->offload = quic_offload_conn_new(protect, conn);
	if (!conn->offload) {
		free(conn);
		return;
	}
	conn->crypto = *crypto;
	conn->hp_ctx = from->hp_ctx;
	add_name(&conn->number, NUMBER, ++last_number, conn);
	add_name(&conn->ngtcp2, NGTCP2_CONN, (uintptr_t)ngtcp2, conn);
	add_generation(conn, from->handle, keys);
}

static void next_generation(ngtcp2_conn *ngtcp2, uintptr_t handle,
			    const uint8_t *key, const uint8_t *iv)
{
	struct conn *conn = find(NGTCP2_CONN, (uintptr_t)ngtcp2);
	struct quic_offload_keys keys;

	if (!conn)
		return;
	keys = generation(conn, conn->newest)->keys;
	keys.generation++;
	memcpy(keys.payload_key, key,
	       ngtcp2_crypto_aead_keylen(&conn->crypto.aead));
	memcpy(keys.payload_iv, iv, sizeof(keys.payload_iv));
	add_generation(conn, handle, &keys);
	explicit_bzero(&keys, sizeof(keys));
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

static bool write_ticket(uint8_t *payload, size_t len, uintptr_t handle,
			 const uint8_t *nonce, const uint8_t *header,
			 size_t header_len)
{
	struct ticket ticket = {
		.magic = magic,
		.len = header_len + len,
		.dcid_len = header_len - pn_length(header) - 1,
	};
	struct generation *gen = find(AEAD_HANDLE, handle);
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

/* Leave a packet to the kernel, if it is one of those. */
static bool defer(uint8_t *payload, uintptr_t handle, size_t len,
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
	written = write_ticket(payload, len, handle, nonce, header, header_len);
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

/* What ngtcp2 and its users call */

EXPORT int ngtcp2_crypto_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
				 const ngtcp2_crypto_aead_ctx *aead_ctx,
				 const uint8_t *plaintext, size_t plaintextlen,
				 const uint8_t *nonce, size_t noncelen,
				 const uint8_t *aad, size_t aadlen)
{
	if (preload_state == PRELOAD_ON && !preload_inside &&
	    dest == plaintext &&
	    defer(dest, (uintptr_t)aead_ctx->native_handle, plaintextlen,
		  nonce, noncelen, aad, aadlen)) {
		deferred = dest;
		return 0;
	}
	deferred = NULL;
	return NEXT(ngtcp2_crypto_encrypt)(dest, aead, aead_ctx, plaintext,
					   plaintextlen, nonce, noncelen,
					   aad, aadlen);
}

EXPORT int ngtcp2_crypto_hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp,
				 const ngtcp2_crypto_cipher_ctx *hp_ctx,
				 const uint8_t *sample)
{
	/* The sample begins 4 bytes after the packet number does. */
	if (deferred && sample >= deferred && sample < deferred + 4) {
		deferred = NULL;
		memset(dest, 0, NGTCP2_HP_MASKLEN);
		return 0;
	}
	return NEXT(ngtcp2_crypto_hp_mask)(dest, hp, hp_ctx, sample);
}

EXPORT int ngtcp2_conn_install_tx_key(ngtcp2_conn *conn, const uint8_t *secret,
				      size_t secretlen,
				      const ngtcp2_crypto_aead_ctx *aead_ctx,
				      const uint8_t *iv, size_t ivlen,
				      const ngtcp2_crypto_cipher_ctx *hp_ctx)
{
	if (installed) {
		installed->handle = (uintptr_t)aead_ctx->native_handle;
		installed->hp_ctx = *hp_ctx;
	}
	return NEXT(ngtcp2_conn_install_tx_key)(conn, secret, secretlen,
						aead_ctx, iv, ivlen, hp_ctx);
}

/* The caller may want the keys as well, or not. */
static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (to)
		memcpy(to, from, len);
}

EXPORT int ngtcp2_crypto_derive_and_install_tx_key(ngtcp2_conn *conn,
						   uint8_t *key, uint8_t *iv,
						   uint8_t *hp,
						   encryption_level level,
						   const uint8_t *secret,
						   size_t secretlen)
{
	struct quic_offload_keys keys = { 0 };
	const ngtcp2_crypto_ctx *crypto;
	struct installed from = { 0 };
	size_t key_len;
	int err;

	if (level != LEVEL_1RTT || preload_state == PRELOAD_OFF)
		return NEXT(ngtcp2_crypto_derive_and_install_tx_key)(conn, key,
				iv, hp, level, secret, secretlen);

	installed = &from;
	err = NEXT(ngtcp2_crypto_derive_and_install_tx_key)(conn,
			keys.payload_key, keys.payload_iv, keys.header_key,
			level, secret, secretlen);
	installed = NULL;
	if (err)
		goto out;

	crypto = ngtcp2_conn_get_crypto_ctx(conn);
	key_len = ngtcp2_crypto_aead_keylen(&crypto->aead);
	copy(key, keys.payload_key, key_len);
	copy(iv, keys.payload_iv, sizeof(keys.payload_iv));
	copy(hp, keys.header_key, key_len);

	keys.cipher = quic_ngtcp2_cipher(crypto, key_len);
	if (keys.cipher && from.handle) {
		preload_lock();
		new_conn(conn, crypto, &from, &keys);
		preload_unlock();
	}
out:
	explicit_bzero(&keys, sizeof(keys));
	return err;
}

EXPORT int ngtcp2_crypto_update_key(ngtcp2_conn *conn, uint8_t *rx_secret,
				    uint8_t *tx_secret,
				    ngtcp2_crypto_aead_ctx *rx_aead_ctx,
				    uint8_t *rx_key, uint8_t *rx_iv,
				    ngtcp2_crypto_aead_ctx *tx_aead_ctx,
				    uint8_t *tx_key, uint8_t *tx_iv,
				    const uint8_t *current_rx_secret,
				    const uint8_t *current_tx_secret,
				    size_t secretlen)
{
	int err;

	err = NEXT(ngtcp2_crypto_update_key)(conn, rx_secret, tx_secret,
					     rx_aead_ctx, rx_key, rx_iv,
					     tx_aead_ctx, tx_key, tx_iv,
					     current_rx_secret,
					     current_tx_secret, secretlen);
	if (!err) {
		preload_lock();
		next_generation(conn, (uintptr_t)tx_aead_ctx->native_handle,
				tx_key, tx_iv);
		preload_unlock();
	}
	return err;
}

EXPORT void ngtcp2_conn_del(ngtcp2_conn *conn)
{
	struct conn *known;

	preload_lock();
	known = find(NGTCP2_CONN, (uintptr_t)conn);
	if (known)
		free_conn(known);
	preload_unlock();
	NEXT(ngtcp2_conn_del)(conn);
}

__attribute__((constructor)) static void make_magic(void)
{
	if (getrandom(&magic, sizeof(magic), 0) != sizeof(magic))
		abort();
}
