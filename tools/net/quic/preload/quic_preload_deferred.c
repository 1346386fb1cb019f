// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred packets.  Where ngtcp2 wants a packet to be protected, it is kept
 * here; the program gets zeros in its place, and a ticket where the tag would
 * be.  Whoever sends the datagram has these bytes and nothing else, and they
 * may have been copied meanwhile, or wait until the socket has room.
 *
 * By a way out that is not seen zeros leave, which the peer drops.  To lose few
 * packets like that none is deferred before the connection was seen to send
 * (quic_preload_seen.c), nor while one waits that nobody has tried to send
 * though a timer of the connection has expired, nor when there is no room.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "quic_ngtcp2_crypto.h"
#include "quic_preload.h"
#include "quic_preload_conn.h"
#include "quic_preload_keys.h"

#define MAX_CID		20
#define MAX_NUMBER	((1ULL << 62) - 1)
#define MIN_SAMPLED	4	/* bytes of packet number and payload */

#define MAX_WAITING	256	/* packets of a connection */
#define STORE_SIZE	(1 << 18)

/* Bits of the first byte that header protection hides */
#define HIDDEN		0x1f

/**
 * struct ticket - stands where a tag will be
 * @magic: random
 * @conn: number of the connection
 * @serial: of the packet, the connection's deferred ones are counted
 */
struct ticket {
	uint64_t magic;
	uint32_t conn;
	uint32_t serial;
};

_Static_assert(sizeof(struct ticket) == QUIC_OFFLOAD_TAG_SIZE,
	       "a ticket takes the place of a tag");

struct entry {
	enum { UNSEEN, TRIED, LEFT } state;
	uint32_t at;		/* in the store's bytes */
	uint16_t len;		/* of the packet, without its tag */
	uint8_t header_len;
	uint8_t generation;
	uint64_t number;
};

/**
 * struct preload_store - deferred packets of a connection
 * @first: serial of the first entry
 * @count: entries; all are forgotten when every packet has left, or when there
 *	is no room and the program has tried to send each: it drops some
 * @used: bytes
 * @waiting: entries that have not LEFT
 * @unseen: those of them that are UNSEEN
 * @late: there are such, from before a timer expired
 */
struct preload_store {
	uint32_t first;
	unsigned int count;
	size_t used;
	unsigned int waiting;
	unsigned int unseen;
	bool late;
	struct entry entries[MAX_WAITING];
	uint8_t bytes[STORE_SIZE];
};

static uint64_t magic;

static size_t pn_length(const uint8_t *header)
{
	return (header[0] & 0x03) + 1;
}

/* When there are too many */

static void say_why(void)
{
	preload_say("packets of a connection wait, or left unseen: "
		    "others are protected in userspace");
}

void preload_expired(ngtcp2_conn *ngtcp2)
{
	struct preload_conn *conn;

	preload_lock();
	conn = preload_find(PRELOAD_NGTCP2, (uintptr_t)ngtcp2);
	if (conn && conn->store && conn->store->unseen) {
		conn->store->late = true;
		say_why();
	}
	preload_unlock();
}

static void set_state(struct preload_store *store, struct entry *entry,
		      int state)
{
	if (state <= (int)entry->state)
		return;
	if (entry->state == UNSEEN)
		store->unseen--;
	if (state == LEFT)
		store->waiting--;
	if (!store->unseen)
		store->late = false;
	entry->state = state;
}

void preload_drop_store(struct preload_conn *conn)
{
	free(conn->store);
	conn->store = NULL;
}

/* Keeping packets */

static void forget_all(struct preload_store *store)
{
	store->first += store->count;
	store->count = 0;
	store->used = 0;
	store->waiting = 0;
}

static bool is_full(const struct preload_store *store, size_t len)
{
	return store->count == MAX_WAITING || len > STORE_SIZE - store->used;
}

static struct preload_store *get_store(struct preload_conn *conn)
{
	struct preload_store *store = conn->store;

	if (!store) {
		store = malloc(sizeof(*store));
		if (!store)
			return NULL;
		/* Memory that is not needed is not touched. */
		memset(store, 0, offsetof(struct preload_store, entries));
		conn->store = store;
	}
	if (!store->waiting)
		forget_all(store);
	return store;
}

static struct entry *new_entry(struct preload_store *store, size_t len)
{
	struct entry *entry;

	if (!store->unseen && is_full(store, len))
		forget_all(store);
	if (store->late || is_full(store, len)) {
		say_why();
		return NULL;
	}
	entry = &store->entries[store->count];
	*entry = (struct entry) { .at = store->used, .len = len };
	store->used += len;
	store->count++;
	store->waiting++;
	store->unseen++;
	return entry;
}

/* Whether this is the short header of a packet with that key and number */
static bool fits(const struct preload_generation *gen, uint64_t number,
		 const uint8_t *header, size_t header_len)
{
	size_t i, pn_len = pn_length(header);
	unsigned int phase = !!(header[0] & 0x04);

	if (header[0] & 0x80 || phase != (gen->keys.generation & 1) ||
	    number > MAX_NUMBER)
		return false;
	for (i = 1; i <= pn_len; i++, number >>= 8)
		if (header[header_len - i] != (uint8_t)number)
			return false;
	return true;
}

static bool defer(uint8_t *payload, size_t len,
		  const ngtcp2_crypto_aead_ctx *aead_ctx, const uint8_t *nonce,
		  const uint8_t *header, size_t header_len)
{
	struct preload_generation *gen = preload_find_generation(aead_ctx);
	struct ticket ticket = { .magic = magic };
	struct preload_store *store;
	struct entry *entry;
	uint64_t number;

	if (!gen || !gen->conn->seen)
		return false;
	number = quic_ngtcp2_number(nonce, gen->keys.payload_iv);
	if (!fits(gen, number, header, header_len))
		return false;
	store = get_store(gen->conn);
	entry = store ? new_entry(store, header_len + len) : NULL;
	if (!entry)
		return false;

	entry->header_len = header_len;
	entry->generation = gen->keys.generation;
	entry->number = number;
	memcpy(store->bytes + entry->at, header, header_len + len);

	ticket.conn = gen->conn->number.value;
	ticket.serial = store->first + (entry - store->entries);
	memset(payload, 0, len);
	memcpy(payload + len, &ticket, sizeof(ticket));
	return true;
}

bool preload_defer(uint8_t *payload, size_t len,
		   const ngtcp2_crypto_aead_ctx *aead_ctx,
		   const uint8_t *nonce, size_t nonce_len,
		   const uint8_t *header, size_t header_len)
{
	bool deferred;

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
	deferred = defer(payload, len, aead_ctx, nonce, header, header_len);
	preload_unlock();
	return deferred;
}

/* The header hides itself: zeros are left of what may not be seen. */
void preload_hide_header(uint8_t *mask, const uint8_t *header,
			 const uint8_t *pn)
{
	memset(mask, 0, NGTCP2_HP_MASKLEN);
	mask[0] = header[0] & HIDDEN;
	memcpy(mask + 1, pn, pn_length(header));
}

/* Finding them again */

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

/* What a program was given in place of a packet; its payload is not looked at. */
static bool is_stand_in(const uint8_t *seen, const uint8_t *packet,
			size_t header_len)
{
	static const uint8_t zeros[4];
	size_t pn_len = pn_length(packet);

	return seen[0] == (packet[0] & ~HIDDEN) &&
	       !memcmp(seen + 1, packet + 1, header_len - 1 - pn_len) &&
	       !memcmp(seen + header_len - pn_len, zeros, pn_len);
}

static struct entry *find_entry(struct preload_conn **conn,
				const uint8_t *datagram, size_t len)
{
	struct preload_store *store;
	struct ticket ticket;
	struct entry *entry;

	if (!read_ticket(&ticket, datagram, len))
		return NULL;
	*conn = preload_find(PRELOAD_NUMBER, ticket.conn);
	store = *conn ? (*conn)->store : NULL;
	if (!store || ticket.serial - store->first >= store->count)
		return NULL;
	entry = &store->entries[ticket.serial - store->first];
	if (entry->len > len - sizeof(ticket) ||
	    !is_stand_in(datagram + len - sizeof(ticket) - entry->len,
			 store->bytes + entry->at, entry->header_len))
		return NULL;
	return entry;
}

/* NULL if its key is gone */
static struct preload_generation *entry_key(struct preload_conn *conn,
					    const struct entry *entry)
{
	struct preload_generation *gen;

	gen = preload_generation(conn, entry->generation);
	return gen->conn && gen->keys.generation == entry->generation ? gen :
	       NULL;
}

struct quic_offload_conn *preload_redeem(const uint8_t *datagram, size_t len,
					 struct quic_offload_packet *packet)
{
	struct preload_conn *conn;
	struct entry *entry;

	entry = find_entry(&conn, datagram, len);
	if (!entry || !entry_key(conn, entry))
		return NULL;
	set_state(conn->store, entry, TRIED);

	packet->data = conn->store->bytes + entry->at;
	packet->len = entry->len;
	packet->number = entry->number;
	packet->dcid_len = entry->header_len - 1 - pn_length(packet->data);
	/* The kernel takes no packet that is behind another one. */
	packet->ready = (uint8_t)(conn->newest - entry->generation) > 1 ||
			len != entry->len + sizeof(struct ticket);
	return conn->offload;
}

int preload_protect(uint8_t *to, const uint8_t *datagram, size_t len)
{
	struct preload_generation *gen;
	struct preload_conn *conn;
	struct entry *entry;
	size_t before;

	entry = find_entry(&conn, datagram, len);
	gen = entry ? entry_key(conn, entry) : NULL;
	if (!gen)
		return -1;
	before = len - sizeof(struct ticket) - entry->len;
	memcpy(to, datagram, before);
	memcpy(to + before, conn->store->bytes + entry->at, entry->len);
	return preload_conn_protect(conn, &gen->keys, to + before,
				    entry->header_len, entry->len,
				    entry->number);
}

void preload_left(const uint8_t *datagram, size_t len, bool kernel)
{
	struct preload_conn *conn;
	struct entry *entry;

	entry = find_entry(&conn, datagram, len);
	if (!entry)
		return;
	set_state(conn->store, entry, LEFT);
	if (!kernel)
		conn->seen = false;
}

void preload_stop(const uint8_t *datagram, size_t len)
{
	struct preload_conn *conn;
	struct entry *entry;

	entry = find_entry(&conn, datagram, len);
	if (!entry)
		return;
	set_state(conn->store, entry, TRIED);
	preload_drop_name(&conn->tag);
	conn->seen = false;
	conn->stopped = true;
}

__attribute__((constructor)) static void make_magic(void)
{
	/* A sandbox may not allow it. */
	if (getrandom(&magic, sizeof(magic), 0) != sizeof(magic))
		preload_off = true;
}
