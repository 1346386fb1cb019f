/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages that were sealed before the race: parties send them, any of them any
 * number of times, and whoever receives one knows what it must be.
 */
#ifndef QUIC_RACE_POOL_H
#define QUIC_RACE_POOL_H

#include "quic_race.h"
#include "quic_sealed.h"

#define QUIC_POOL_FLOWS		4	/* all ciphers */
#define QUIC_POOL_GENERATIONS	8	/* from 0 */
/* The first packet number: not to be decoded by who does not know about it */
#define QUIC_POOL_NEXT		(1ULL << 40)

/* What messages are made of */
enum quic_pool_kind {
	QUIC_POOL_SINGLE,
	QUIC_POOL_LARGE,	/* a datagram larger than others are together */
	QUIC_POOL_TRAIN,	/* opened at once */
	QUIC_POOL_LONG_TRAIN,	/* and not */
	QUIC_POOL_MIXED,	/* with two flows, and a datagram that is spoilt */
	QUIC_POOL_KINDS,
};

/* Datagrams that readers were given, and how */
struct quic_pool_tally {
	unsigned long sent;
	unsigned long opened, bad_tag, no_key;
	unsigned long not_offloaded;	/* with room for entries */
	unsigned long no_room;		/* and without */
};

#define QUIC_POOL_DATAGRAMS	16
#define QUIC_POOL_MESSAGES	(QUIC_POOL_FLOWS * QUIC_POOL_GENERATIONS * \
				 QUIC_POOL_KINDS)
#define QUIC_POOL_PN_LEN	4
#define QUIC_POOL_HEADER	(1 + QUIC_AUDIT_DCID_LEN + QUIC_POOL_PN_LEN)
/* What a datagram is known by while it is sealed: some of its payload */
#define QUIC_POOL_SIGN_LEN	8
#define QUIC_POOL_SIGNS		8192

struct quic_pool_message {
	struct quic_sealed sealed;
	uint8_t header[QUIC_POOL_DATAGRAMS][QUIC_POOL_HEADER];	/* unprotected */
	unsigned long sent;
	unsigned long got[QUIC_POOL_DATAGRAMS];
};

struct quic_pool_sign {
	uint8_t bytes[QUIC_POOL_SIGN_LEN];
	struct quic_pool_message *message;
	unsigned int index;
};

struct quic_pool {
	const struct quic_race *race;
	struct quic_pool_tally tally;
	unsigned int complaints;
	struct quic_pool_sign signs[QUIC_POOL_SIGNS];
	struct quic_pool_message messages[QUIC_POOL_MESSAGES];
};

/* Flows are the first of @race. */
struct quic_pool *quic_pool_new(const struct quic_race *race);
void quic_pool_free(struct quic_pool *pool);
const struct quic_pool_tally *quic_pool_tally(const struct quic_pool *pool);

/*
 * Flows of a socket for receiving, for any peer; @flow less than
 * QUIC_POOL_FLOWS.  0 or the errno.
 */
int quic_pool_add(const struct quic_pool *pool, int fd, unsigned int flow,
		  uint8_t generation);
/* Generation 0 of one, for the peer @from */
int quic_pool_add_from(const struct quic_pool *pool, int fd, unsigned int flow,
		       const struct quic_addr *from);
int quic_pool_del(const struct quic_pool *pool, int fd, unsigned int flow);
/* Generation 0 of all of them */
int quic_pool_add_all(const struct quic_pool *pool, int fd);

/* A message of that flow and generation, of one kind or some: 0 or the errno */
int quic_pool_send_kind(struct quic_pool *pool, int fd,
			const struct quic_addr *to, unsigned int flow,
			uint8_t generation, enum quic_pool_kind kind);
int quic_pool_send(struct quic_pool *pool, int fd, const struct quic_addr *to,
		   unsigned int flow, uint8_t generation, unsigned int *seed);
/*
 * A socket that receives, trains whole, at @addr; readers do not wait for long,
 * so that they come to an end.  -1 with errno if there is none.
 */
int quic_pool_receiver(const struct quic_race *race, struct quic_addr *addr);
/* Whether the receiver has room for more: else UDP would lose them. */
bool quic_pool_room(int fd);
/* A message of any flow to @rx, which is at @to, or EAGAIN if it has no room */
int quic_pool_offer(struct quic_pool *pool, int rx, const struct quic_addr *to,
		    unsigned int *seed);
/* Where the datagram stands that these sealed bytes are, or would stand */
struct quic_pool_sign *quic_pool_find_sign(struct quic_pool *pool,
					   const uint8_t *datagram);

/* A status that datagrams may come to which are not spoilt */
#define QUIC_POOL_MAY(status)	(1u << (status))
#define QUIC_POOL_OPENED	QUIC_POOL_MAY(QUIC_RX_DECRYPTED)
#define QUIC_POOL_ANY		(QUIC_POOL_OPENED | \
				 QUIC_POOL_MAY(QUIC_RX_NOT_OFFLOADED) | \
				 QUIC_POOL_MAY(QUIC_RX_NO_KEY) | \
				 QUIC_POOL_MAY(QUIC_RX_BAD_TAG))

/*
 * Receive a message, and compare it with what was sent: 0, the errno, or EPROTO
 * if it is something else.  A message is counted unless it is only peeked at.
 * Without room for entries there is still some for the stride.
 */
int quic_pool_receive(struct quic_pool *pool, int fd, unsigned int may,
		      bool has_room, int flags);
/* The same of one that was received in another way */
int quic_pool_judge(struct quic_pool *pool,
		    const struct quic_received *received, unsigned int may,
		    bool has_room, bool peeked);

/*
 * After a race: the flows are added anew, and a message of each kind is opened.
 * Nothing else may come to @rx.
 */
bool quic_pool_works(struct quic_pool *pool, int tx, int rx,
		     const struct quic_addr *to);
/*
 * At the end: everything that was sent was received as often, but @dropped
 * datagrams.  With @dropped less than 0 any may be lost.  Says what is wrong.
 */
bool quic_pool_adds_up(const struct quic_pool *pool, long dropped);
/* Of the counters that were @before, what is exact whatever flows there were */
bool quic_pool_counters(const struct quic_pool *pool,
			const struct quic_rx_counters *before);

/*
 * The socket in QUIC_RACE_SLOT, whoever puts it there: parties send to it and read
 * from it.  At the beginning of what @race->own points to.
 */
struct quic_pool_slot {
	struct quic_pool *pool;
	struct quic_addr to;	/* its address */
};

/* There is a flow with the right key, or none. */
#define QUIC_POOL_SLOT_MAY	(QUIC_POOL_OPENED | \
				 QUIC_POOL_MAY(QUIC_RX_NOT_OFFLOADED))

int quic_pool_slot_send(struct quic_race *race, unsigned int *seed);
int quic_pool_slot_read(struct quic_race *race, unsigned int *seed);
/* After a race: a new socket works, and all adds up.  What is in a socket when it
 * is closed is lost.
 */
bool quic_pool_slot_ends(const struct quic_race *race,
			 const struct quic_rx_counters *before);

#endif /* QUIC_RACE_POOL_H */
