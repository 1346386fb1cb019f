// SPDX-License-Identifier: GPL-2.0
/* What messages of a pool come to, whoever receives them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "quic_race_pool.h"

/* Which of those that were sealed is it? */
static struct quic_pool_message *identify(struct quic_pool *pool, const uint8_t *datagram,
				const struct quic_rx_ancillary_data *entry,
				unsigned int *index)
{
	struct quic_pool_sign *sign;
	uint64_t n;

	if (entry->status == QUIC_RX_DECRYPTED ||
	    entry->status == QUIC_RX_NO_KEY) {
		n = entry->pkt_num - QUIC_POOL_NEXT;
		*index = n % QUIC_POOL_DATAGRAMS;
		n /= QUIC_POOL_DATAGRAMS;
		return n < QUIC_POOL_MESSAGES ? &pool->messages[n] : NULL;
	}
	sign = quic_pool_find_sign(pool, datagram);
	*index = sign->index;
	return sign->message;
}

/* One datagram: NULL, or what is wrong with it */
static const char *judge(struct quic_pool *pool, const uint8_t *datagram,
			 size_t len, const struct quic_rx_ancillary_data *entry,
			 unsigned int may, bool peeked)
{
	const struct quic_sealed *sealed;
	struct quic_rx_ancillary_data want = {};
	const uint8_t *wire, *bytes;
	struct quic_pool_message *message;
	size_t clear = 0;
	unsigned int i;

	if (len < QUIC_POOL_HEADER + QUIC_POOL_SIGN_LEN)
		return "length";
	message = identify(pool, datagram, entry, &i);
	if (!message || i >= message->sealed.count)
		return "nothing that was sealed";
	sealed = &message->sealed;
	wire = sealed->wire + sealed->at[i];
	bytes = wire;
	if (len != sealed->at[i + 1] - sealed->at[i])
		return "length";

	if (sealed->entry[i].status == QUIC_RX_BAD_TAG)
		may = QUIC_POOL_ANY & ~QUIC_POOL_OPENED;
	if (!(may & QUIC_POOL_MAY(entry->status)))
		return "status";

	switch (entry->status) {
	case QUIC_RX_DECRYPTED:
		want = sealed->entry[i];
		bytes = sealed->want + sealed->at[i];
		break;
	case QUIC_RX_NO_KEY:
		want.pkt_num = entry->pkt_num;
		clear = QUIC_POOL_HEADER;
		break;
	}
	want.status = entry->status;
	if (want.status != QUIC_RX_NOT_OFFLOADED)
		want.conn_id_length = QUIC_AUDIT_DCID_LEN;
	if (memcmp(&want, entry, sizeof(want)))
		return "entry";
	if (memcmp(datagram, message->header[i], clear) ||
	    memcmp(datagram + clear, bytes + clear, len - clear))
		return "bytes";

	if (!peeked)
		__atomic_add_fetch(&message->got[i], 1, __ATOMIC_RELAXED);
	return NULL;
}

static void count(struct quic_pool *pool, unsigned int status, bool has_room)
{
	struct quic_pool_tally *tally = &pool->tally;
	unsigned long *counter = &tally->not_offloaded;

	if (!has_room)
		counter = &tally->no_room;
	else if (status == QUIC_RX_DECRYPTED)
		counter = &tally->opened;
	else if (status == QUIC_RX_BAD_TAG)
		counter = &tally->bad_tag;
	else if (status == QUIC_RX_NO_KEY)
		counter = &tally->no_key;
	__atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static int complain(struct quic_pool *pool, const char *what, unsigned int i,
		    const struct quic_received *received)
{
	if (__atomic_add_fetch(&pool->complaints, 1, __ATOMIC_RELAXED) <= 10)
		printf("# %s: datagram %u, %zd bytes by %d, %u entries, status %u, flags %#x\n",
		       what, i, received->ret, received->gro, received->count,
		       received->count ? received->entry[i].status : 0,
		       received->flags);
	fflush(stdout);
	return EPROTO;
}

int quic_pool_judge(struct quic_pool *pool,
		    const struct quic_received *received, unsigned int may,
		    bool has_room, bool peeked)
{
	static const struct quic_rx_ancillary_data none;
	const struct quic_rx_ancillary_data *entry = &none;
	size_t at, len, end = received->ret, stride = received->gro ?: end;
	const char *wrong;
	unsigned int i;

	if (!has_room)
		may = QUIC_POOL_MAY(QUIC_RX_NOT_OFFLOADED);
	if (received->count && received->count != (end + stride - 1) / stride)
		return complain(pool, "number of entries", 0, received);
	if (received->count && (!has_room || !received->entries_come_first))
		return complain(pool, "control messages", 0, received);
	if (received->flags & MSG_TRUNC ||
	    (has_room && received->flags & MSG_CTRUNC))
		return complain(pool, "flags", 0, received);

	for (at = 0, i = 0; at < end; at += len, i++) {
		len = stride < end - at ? stride : end - at;
		if (received->count)
			entry = &received->entry[i];
		wrong = judge(pool, received->buf + at, len, entry, may,
			      peeked);
		if (wrong)
			return complain(pool, wrong, i, received);
		if (!peeked)
			count(pool, entry->status, has_room);
	}
	/* Nothing behind them, however it has got there */
	if (received->buf[end] != 0xa5)
		return complain(pool, "too many bytes", i, received);
	return 0;
}

int quic_pool_receive(struct quic_pool *pool, int fd, unsigned int may,
		      bool has_room, int flags)
{
	static __thread struct quic_received received;
	size_t room;

	room = has_room ? sizeof(received.control) : CMSG_SPACE(sizeof(int));
	if (quic_received_get(&received, fd, sizeof(received.buf), room,
			      flags) < 0)
		return errno;
	/* It was shut down. */
	if (!received.ret)
		return ENODATA;
	return quic_pool_judge(pool, &received, may, has_room,
			       flags & MSG_PEEK);
}

bool quic_pool_works(struct quic_pool *pool, int tx, int rx,
		     const struct quic_addr *to)
{
	unsigned long opened = pool->tally.opened;
	unsigned int flow, kind;
	int err;

	if (setsockopt(rx, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, NULL, 0))
		printf("# pool: can't delete all flows: %s\n", strerror(errno));
	err = quic_pool_add_all(pool, rx);
	for (flow = 0; flow < QUIC_POOL_FLOWS && !err; flow++) {
		for (kind = 0; kind < QUIC_POOL_KINDS && !err; kind++)
			err = quic_pool_send_kind(pool, tx, to, flow, 0, kind);
		while (!err)
			err = quic_pool_receive(pool, rx, QUIC_POOL_OPENED,
						true, MSG_DONTWAIT);
		if (err == EAGAIN)
			err = 0;
	}
	if (err)
		printf("# pool: after the race: %s\n", strerror(err));
	return !err && pool->tally.opened > opened;
}

bool quic_pool_adds_up(const struct quic_pool *pool, long dropped)
{
	const struct quic_pool_tally *tally = &pool->tally;
	const struct quic_pool_message *message;
	unsigned long lost = 0;
	unsigned int i;

	for (message = pool->messages; message < pool->messages + QUIC_POOL_MESSAGES;
	     message++) {
		for (i = 0; i < message->sealed.count; i++) {
			lost += message->sent - message->got[i];
			if (message->got[i] <= message->sent &&
			    (dropped || message->got[i] == message->sent))
				continue;
			printf("# pool: message %zu, datagram %u: sent %lu, received %lu\n",
			       message - pool->messages, i, message->sent,
			       message->got[i]);
			return false;
		}
	}
	printf("# pool: %lu datagrams: %lu opened, %lu bad tag, %lu no key\n",
	       tally->sent, tally->opened, tally->bad_tag, tally->no_key);
	printf("# pool: %lu not offloaded, %lu without room, %lu not received\n",
	       tally->not_offloaded, tally->no_room, lost);
	fflush(stdout);
	if (dropped < 0 || lost == (unsigned long)dropped)
		return true;
	printf("# pool: %ld were dropped\n", dropped);
	return false;
}

static bool is(const char *name, long before, long now, unsigned long expected)
{
	if (now - before == (long)expected)
		return true;
	printf("# pool: counter %s: %ld, not %lu\n", name, now - before,
	       expected);
	return false;
}

bool quic_pool_counters(const struct quic_pool *pool,
			const struct quic_rx_counters *before)
{
	const struct quic_pool_tally *tally = &pool->tally;
	struct quic_rx_counters now = quic_rx_counters();
	bool good;

	good = is("packets", before->packets, now.packets, tally->opened);
	good &= is("bad tag", before->bad_tag, now.bad_tag, tally->bad_tag);
	good &= is("no key", before->no_key, now.no_key, tally->no_key);
	good &= is("limit", before->limit, now.limit, 0);
	if (now.no_flow - before->no_flow <=
	    (long)(tally->not_offloaded + tally->no_room))
		return good;
	printf("# pool: counter no flow: %ld, %lu datagrams were not offloaded\n",
	       now.no_flow - before->no_flow,
	       tally->not_offloaded + tally->no_room);
	return false;
}
