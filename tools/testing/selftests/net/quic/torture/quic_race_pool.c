// SPDX-License-Identifier: GPL-2.0
/* Messages that were sealed before the race, and what they must come to. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "quic_race_pool.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO	55
#endif

/* Bytes that may wait in a socket */
#define QUEUE_MAX	(1 << 20)

static const struct shape {
	unsigned int count;
	size_t len;
} shapes[QUIC_POOL_KINDS] = {
	[QUIC_POOL_SINGLE]	= { 1, 300 },
	[QUIC_POOL_LARGE]	= { 1, 20000 },
	[QUIC_POOL_TRAIN]	= { 5, 1184 },
	[QUIC_POOL_LONG_TRAIN]	= { 13, 1184 },
	[QUIC_POOL_MIXED]	= { 8, 200 },
};

#define SPOILT	3	/* the one in a mixed message that is */

struct quic_pool_sign *quic_pool_find_sign(struct quic_pool *pool,
					   const uint8_t *datagram)
{
	const uint8_t *bytes = datagram + QUIC_POOL_HEADER;
	struct quic_pool_sign *sign;
	uint16_t hash;

	memcpy(&hash, bytes, sizeof(hash));
	for (;; hash++) {
		sign = &pool->signs[hash % QUIC_POOL_SIGNS];
		if (!sign->message || !memcmp(sign->bytes, bytes, QUIC_POOL_SIGN_LEN))
			return sign;
	}
}

static void add_datagram(struct quic_pool *pool, struct quic_pool_message *message,
			 struct quic_oracle *oracle, unsigned int flow,
			 uint8_t generation, uint64_t pn, size_t len)
{
	struct quic_sealed *sealed = &message->sealed;
	unsigned int i = sealed->count;
	struct quic_packet packet = {
		.pn = pn,
		.pn_len = QUIC_POOL_PN_LEN,
		.len = len,
		.flags = QUIC_FIXED_BIT | (generation & 1) * QUIC_KEY_PHASE,
		.dcid = pool->race->flows[flow].dcid,
	};
	struct quic_pool_sign *sign;

	quic_sealed_add(sealed, oracle, generation, &packet);
	memcpy(message->header[i], sealed->want + sealed->at[i], QUIC_POOL_HEADER);
	sign = quic_pool_find_sign(pool, sealed->wire + sealed->at[i]);
	memcpy(sign->bytes, sealed->wire + sealed->at[i] + QUIC_POOL_HEADER, QUIC_POOL_SIGN_LEN);
	sign->message = message;
	sign->index = i;
}

static struct quic_pool_message *message_of(struct quic_pool *pool, unsigned int flow,
				  uint8_t generation, unsigned int kind)
{
	return &pool->messages[(generation * QUIC_POOL_FLOWS + flow) *
			       QUIC_POOL_KINDS + kind];
}

static void build(struct quic_pool *pool, struct quic_oracle *const *oracle,
		  unsigned int flow, uint8_t generation, unsigned int kind)
{
	struct quic_pool_message *message = message_of(pool, flow, generation, kind);
	const struct shape *shape = &shapes[kind];
	unsigned int i, of;
	uint64_t pn;

	pn = QUIC_POOL_NEXT + (message - pool->messages) * QUIC_POOL_DATAGRAMS;
	quic_sealed_start(&message->sealed);
	for (i = 0; i < shape->count; i++) {
		of = flow;
		if (kind == QUIC_POOL_MIXED)
			of = (flow + i % 2) % QUIC_POOL_FLOWS;
		add_datagram(pool, message, oracle[of], of, generation, pn + i,
			     shape->len);
	}
	/* In the tag, so that all the rest of it is right. */
	if (kind == QUIC_POOL_MIXED)
		quic_sealed_flip(&message->sealed, SPOILT,
				 (shape->len + QUIC_TAG_SIZE) * 8 - 1);
}

struct quic_pool *quic_pool_new(const struct quic_race *race)
{
	struct quic_pool *pool = quic_race_alloc(sizeof(*pool));
	struct quic_oracle *oracle[QUIC_POOL_FLOWS];
	unsigned int generation, flow, kind;
	struct quic_keys keys;

	pool->race = race;
	for (generation = 0; generation < QUIC_POOL_GENERATIONS; generation++) {
		for (flow = 0; flow < QUIC_POOL_FLOWS; flow++) {
			quic_audit_keys(&keys, race->flows[flow].dcid.id,
					generation);
			oracle[flow] = quic_oracle_new(&keys);
		}
		for (flow = 0; flow < QUIC_POOL_FLOWS; flow++)
			for (kind = 0; kind < QUIC_POOL_KINDS; kind++)
				build(pool, oracle, flow, generation, kind);
		for (flow = 0; flow < QUIC_POOL_FLOWS; flow++)
			quic_oracle_free(oracle[flow]);
	}
	return pool;
}

void quic_pool_free(struct quic_pool *pool)
{
	munmap(pool, sizeof(*pool));
}

const struct quic_pool_tally *quic_pool_tally(const struct quic_pool *pool)
{
	return &pool->tally;
}

static struct quic_connection_info info_of(const struct quic_pool *pool,
					   unsigned int flow,
					   uint8_t generation,
					   const struct quic_addr *from)
{
	const struct quic_dcid *dcid = &pool->race->flows[flow].dcid;
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_audit_keys(&keys, dcid->id, generation);
	quic_flow_info(&info, &keys, dcid, from);
	return info;
}

int quic_pool_add(const struct quic_pool *pool, int fd, unsigned int flow,
		  uint8_t generation)
{
	struct quic_connection_info info = info_of(pool, flow, generation, NULL);

	return quic_rx_flow_add(fd, &info, QUIC_POOL_NEXT) ? errno : 0;
}

int quic_pool_add_from(const struct quic_pool *pool, int fd, unsigned int flow,
		       const struct quic_addr *from)
{
	struct quic_connection_info info = info_of(pool, flow, 0, from);

	return quic_rx_flow_add(fd, &info, QUIC_POOL_NEXT) ? errno : 0;
}

int quic_pool_del(const struct quic_pool *pool, int fd, unsigned int flow)
{
	struct quic_connection_info info = info_of(pool, flow, 0, NULL);

	return quic_rx_flow_del(fd, &info) ? errno : 0;
}

int quic_pool_add_all(const struct quic_pool *pool, int fd)
{
	unsigned int flow;
	int err = 0;

	for (flow = 0; flow < QUIC_POOL_FLOWS && !err; flow++)
		err = quic_pool_add(pool, fd, flow, 0);
	return err;
}

int quic_pool_send_kind(struct quic_pool *pool, int fd,
			const struct quic_addr *to, unsigned int flow,
			uint8_t generation, enum quic_pool_kind kind)
{
	struct quic_pool_message *message;

	message = message_of(pool, flow, generation % QUIC_POOL_GENERATIONS,
			     kind);
	if (quic_sealed_send(fd, to, &message->sealed) < 0)
		return errno;
	__atomic_add_fetch(&message->sent, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&pool->tally.sent, message->sealed.count,
			   __ATOMIC_RELAXED);
	return 0;
}

int quic_pool_send(struct quic_pool *pool, int fd, const struct quic_addr *to,
		   unsigned int flow, uint8_t generation, unsigned int *seed)
{
	return quic_pool_send_kind(pool, fd, to, flow, generation,
				   rand_r(seed) % QUIC_POOL_KINDS);
}

int quic_pool_receiver(const struct quic_race *race, struct quic_addr *addr)
{
	struct timeval waits = { .tv_usec = 20000 };
	int on = 1, fd;

	fd = quic_env_receiver(&race->env, addr);
	if (fd < 0)
		return -1;
	if (!setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) &&
	    !setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &waits, sizeof(waits)))
		return fd;
	close(fd);
	return -1;
}

bool quic_pool_room(int fd)
{
	unsigned int memory[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(memory);

	return !getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len) &&
	       memory[SK_MEMINFO_RMEM_ALLOC] < QUEUE_MAX;
}

int quic_pool_offer(struct quic_pool *pool, int rx, const struct quic_addr *to,
		    unsigned int *seed)
{
	if (!quic_pool_room(rx)) {
		usleep(1000);
		return EAGAIN;
	}
	return quic_pool_send(pool, pool->race->env.tx, to,
			      rand_r(seed) % QUIC_POOL_FLOWS, 0, seed);
}
