// SPDX-License-Identifier: GPL-2.0
/* The model of recvmsg(): what the documentation says that a read must give */

#include <errno.h>
#include <string.h>

#include "fuzz_rx_control.h"
#include "fuzz_rx_count.h"
#include "fuzz_rx_model.h"
#include "fuzz_rx_open.h"
#include "fuzz_rx_queue.h"

#define ENTRIES_MAX	QUIC_MAX_SEGMENTS

struct fuzz_rx_met fuzz_rx_met;

/* What peeking must leave as it was */
struct state {
	uint64_t next_pkt_num;
	uint64_t packets, bytes;
	uint64_t failed[2];
};

static void save(const struct fuzz_rx_sock *rx, struct state *state)
{
	unsigned int i;

	for (i = 0; i < rx->sock.flows; i++, state++) {
		const struct fuzz_flow *flow = rx->sock.flow[i];

		state->next_pkt_num = flow->next_pkt_num;
		state->packets = flow->packets;
		state->bytes = flow->bytes;
		state->failed[0] = flow->key[0].failed;
		state->failed[1] = flow->key[1].failed;
	}
}

static void restore(const struct fuzz_rx_sock *rx, const struct state *state)
{
	unsigned int i;

	for (i = 0; i < rx->sock.flows; i++, state++) {
		struct fuzz_flow *flow = rx->sock.flow[i];

		flow->next_pkt_num = state->next_pkt_num;
		flow->packets = state->packets;
		flow->bytes = state->bytes;
		flow->key[0].failed = state->failed[0];
		flow->key[1].failed = state->failed[1];
	}
}

/* How far datagrams of a message are apart */
static size_t stride_of(const struct fuzz_rx_message *m)
{
	return m->stride ? m->stride : m->len;
}

static size_t datagram_len(const struct fuzz_rx_message *m, size_t at)
{
	size_t stride = stride_of(m);

	return m->len - at < stride ? m->len - at : stride;
}

/* UDP_QUIC_RX_DROP: all of its datagrams have short headers and no flow. */
static bool is_noise(const struct fuzz_rx_sock *rx,
		     const struct fuzz_rx_message *m)
{
	size_t at;

	for (at = 0; at < m->len; at += stride_of(m))
		if (!fuzz_rx_open_unknown(rx, &m->from, m->wire + at,
					  datagram_len(m, at)))
			return false;
	return m->len;
}

static void drop(struct fuzz_rx_sock *rx, unsigned int i, bool peek)
{
	const struct fuzz_rx_message *m = rx->queue[i];

	fuzz_rx_counters.dropped += (m->len + stride_of(m) - 1) / stride_of(m);
	rx->drops++;
	if (!peek)
		fuzz_rx_queue_advance(rx, false, m->len);
	fuzz_rx_queue_del(rx, i);
}

/* A flow matches one of the datagrams that are delivered, as far as they are. */
static bool is_matched(const struct fuzz_rx_sock *rx,
		       const struct fuzz_rx_message *m, size_t len)
{
	size_t at, here;

	for (at = 0; at < len; at += stride_of(m)) {
		here = datagram_len(m, at);
		if (here > len - at)
			here = len - at;
		if (fuzz_rx_open_flow(rx, &m->from, m->wire + at, here))
			return true;
	}
	return false;
}

/* Datagrams that were delivered in full */
static void count(const struct fuzz_rx_sock *rx,
		  const struct fuzz_rx_message *m, size_t len,
		  const struct quic_rx_ancillary_data *entry)
{
	size_t at, here;
	unsigned int i;

	for (at = 0, i = 0; at < len; at += here, i++) {
		here = datagram_len(m, at);
		if (here > len - at || !rx->sock.flows)
			break;
		if (fuzz_rx_open_unknown(rx, &m->from, m->wire + at, here) ||
		    (entry && entry[i].status != QUIC_RX_NOT_OFFLOADED))
			fuzz_rx_counters.status[entry ? entry[i].status :
						QUIC_RX_NOT_OFFLOADED]++;
		if (entry && entry[i].status == QUIC_RX_DECRYPTED)
			fuzz_rx_counters.bytes += here;
	}
}

/* Opens what is delivered; returns the number of entries. */
static unsigned int open_message(const struct fuzz_rx_sock *rx,
				 const struct fuzz_rx_message *m,
				 struct fuzz_rx_want *want,
				 struct quic_rx_ancillary_data *entry)
{
	struct fuzz_flow *flow;
	size_t at, here;
	unsigned int n = 0;

	for (at = 0; at < want->len; at += stride_of(m), n++) {
		here = datagram_len(m, at);
		memset(&entry[n], 0, sizeof(*entry));
		if (here > want->len - at)
			continue;
		flow = fuzz_rx_open_flow(rx, &m->from, m->wire + at, here);
		if (flow)
			fuzz_rx_open(flow, m->wire + at, here, want->bytes + at,
				     &entry[n]);
	}
	return n;
}

static size_t entries_size(const struct fuzz_rx_message *m, size_t len)
{
	return (len + stride_of(m) - 1) / stride_of(m) *
	       sizeof(struct quic_rx_ancillary_data);
}

static bool has_room(const struct fuzz_rx_read *read,
		     const struct fuzz_rx_message *m, size_t len)
{
	return read->nowhere != FUZZ_RX_NULL &&
	       read->control_len >= CMSG_LEN(entries_size(m, len));
}

/*
 * Packets are opened before it turns out that they, or the control message,
 * can't be delivered.  Of more than one nobody knows how many.
 */
static void open_in_vain(const struct fuzz_rx_read *read,
			 const struct fuzz_rx_message *m,
			 struct fuzz_rx_want *want)
{
	struct quic_rx_ancillary_data entry[ENTRIES_MAX];

	if (read->flags & MSG_PEEK)
		return;
	fuzz_rx_met.in_vain++;
	want->blurred = want->len > stride_of(m);
	open_message(read->rx, m, want, entry);
	memcpy(want->bytes, m->wire, want->len);
}

/* What the ULP adds to UDP */
static void deliver(const struct fuzz_rx_read *read,
		    const struct fuzz_rx_message *m, struct fuzz_rx_want *want)
{
	struct quic_rx_ancillary_data entry[ENTRIES_MAX];
	struct state state[FUZZ_MAX_FLOWS];
	const struct fuzz_rx_sock *rx = read->rx;
	bool peek = read->flags & MSG_PEEK;

	if (!is_matched(rx, m, want->len)) {
		if (!peek)
			count(rx, m, want->len, NULL);
		return;
	}
	if (!has_room(read, m, want->len)) {
		fuzz_rx_met.no_room++;
		want->flags |= MSG_CTRUNC;
		return;
	}
	if (read->nowhere == FUZZ_RX_UNMAPPED) {
		want->flags |= MSG_CTRUNC;
		open_in_vain(read, m, want);
		return;
	}

	save(rx, state);
	open_message(rx, m, want, entry);
	fuzz_rx_met.entries++;
	fuzz_rx_control_put(want, SOL_UDP, UDP_QUIC_DECRYPT, entry,
			    entries_size(m, want->len));
	if (peek)
		restore(rx, state);
	else
		count(rx, m, want->len, entry);
}

static void put_name(const struct fuzz_rx_read *read,
		     const struct fuzz_rx_message *m, struct fuzz_rx_want *want)
{
	struct sockaddr_in6 *sin6 = &want->name;
	struct sockaddr_in *sin = (void *)sin6;

	memset(sin6, 0, sizeof(*sin6));
	if (read->rx->sock.family == AF_INET) {
		sin->sin_family = AF_INET;
		sin->sin_port = m->from.port;
		memcpy(&sin->sin_addr, &m->from.addr.s6_addr[12], 4);
		want->name_len = sizeof(*sin);
		return;
	}
	sin6->sin6_family = AF_INET6;
	sin6->sin6_port = m->from.port;
	sin6->sin6_addr = m->from.addr;
	sin6->sin6_scope_id = m->from.scope_id;
	want->name_len = sizeof(*sin6);
}

/* Memory for the bytes ends before they do: UDP loses the message then. */
static void fault(const struct fuzz_rx_read *read, unsigned int i,
		  struct fuzz_rx_want *want)
{
	struct fuzz_rx_sock *rx = read->rx;
	const struct fuzz_rx_message *m = rx->queue[i];

	fuzz_rx_met.faults++;
	want->ret = -EFAULT;
	if (read->flags & MSG_PEEK)
		return;
	if (has_room(read, m, want->len) && is_matched(rx, m, want->len))
		open_in_vain(read, m, want);
	rx->drops++;
	fuzz_rx_queue_del(rx, i);
}

void fuzz_rx_model_read(const struct fuzz_rx_read *read,
			struct fuzz_rx_want *want)
{
	bool peek = read->flags & MSG_PEEK;
	struct fuzz_rx_sock *rx = read->rx;
	const struct fuzz_rx_message *m;
	size_t off;
	int i;

	want->ret = 0;
	want->wire_len = 0;
	want->len = 0;
	want->name_len = 0;
	want->flags = read->flags & MSG_CMSG_CLOEXEC;
	want->blurred = false;
	fuzz_rx_control_start(want, read);
	if (read->call == FUZZ_RX_READ && !read->room)
		return;

	want->ret = -EAGAIN;
	if (read->flags & MSG_ERRQUEUE)
		return;
	while ((i = fuzz_rx_queue_next(rx, peek, &off)) >= 0 &&
	       rx->drop && !off && is_noise(rx, rx->queue[i]))
		drop(rx, i, peek);
	if (i < 0)
		return;

	m = rx->queue[i];
	want->stride = m->stride;
	want->off = off;
	want->wire_len = m->len;
	memcpy(want->wire, m->wire, m->len);
	want->len = m->len - off;
	if (want->len >= read->room) {
		want->len = read->room;
		if (want->len < m->len)
			want->flags |= MSG_TRUNC;
	}
	memcpy(want->bytes, m->wire + off, want->len);
	if (want->len > read->writable) {
		fault(read, i, want);
		return;
	}
	want->ret = read->flags & MSG_TRUNC ? m->len : want->len;
	fuzz_rx_met.peeks += peek;
	fuzz_rx_met.trains += !!m->stride;
	fuzz_rx_met.cut += want->len < m->len;
	if (!off && m->len)
		deliver(read, m, want);
	fuzz_rx_control_udp(want, rx, m);
	put_name(read, m, want);
	fuzz_rx_queue_advance(rx, peek, want->ret);
	if (!peek)
		fuzz_rx_queue_del(rx, i);
}
