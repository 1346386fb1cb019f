// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening datagrams: which flow, which key, which number, and what becomes of
 * those that can't be opened.
 *
 * Whether a packet has the bits that header protection hides right must not
 * show in the time it takes (RFC 9001 section 9.5): one without a key, and one
 * that is not authentic, take as long as one that is opened, but for being
 * copied again.
 */

#include <linux/bitops.h>
#include <linux/bits.h>
#include <linux/string.h>
#include <trace/events/udp_quic.h>

#include "rx.h"

/**
 * quic_finder_find - find the flow of a datagram
 * @finder: for the message that it is in
 * @packet: datagram with a short header, or its start
 * @len: bytes in @packet
 *
 * A short header does not tell how long its connection ID is: each length in
 * use is tried, the longest first.
 *
 * Context: RCU read side.
 * Return: the flow, or NULL.
 */
struct quic_flow *quic_finder_find(struct quic_finder *finder, const u8 *packet,
				   unsigned int len)
{
	u32 lengths = READ_ONCE(finder->qs->flows[QUIC_RX].lengths);
	unsigned int longest, dcid_len;
	struct quic_flow *flow = NULL;

	if (len <= QUIC_MAX_CONNECTION_ID_SIZE)
		lengths &= GENMASK(len - 1, 0);
	if (!lengths)
		return NULL;

	/* The same bytes once more?  They mostly are. */
	longest = __fls(lengths);
	if (finder->valid && longest == finder->dcid_len &&
	    !memcmp(finder->dcid, packet + 1, longest))
		return finder->flow;

	for (; lengths && !flow; lengths &= ~BIT(dcid_len)) {
		dcid_len = __fls(lengths);
		flow = quic_flow_lookup(finder->qs, QUIC_RX, &finder->source,
					packet + 1, dcid_len);
	}

	memcpy(finder->dcid, packet + 1, longest);
	finder->dcid_len = longest;
	finder->flow = flow;
	finder->valid = true;

	return flow;
}

/* The flow learns how far it has come, unless that was only looked at. */
static void quic_rx_leave_flow(struct quic_rx *rx)
{
	struct quic_progress *at = rx->at;

	if (rx->peek || !at->flow)
		return;

	if (at->packets) {
		quic_flow_received(at->flow, at->next_pkt_num);
		quic_counts_add(at->flow->counts, at->packets, at->bytes);
	}
	at->flow = NULL;
}

/* Flows may take turns in a message.  What is only looked at leaves nothing in
 * them, so it is kept here for when they come again.
 */
static void quic_rx_enter_flow(struct quic_rx *rx, struct quic_flow *flow)
{
	struct quic_progress *at = rx->at;
	const struct quic_key *even, *odd;

	if (at->flow == flow)
		return;

	/* With many flows little of them is in the cache.  Which of its keys
	 * is, and whether it has both, must not tell anybody a key phase.
	 */
	even = rcu_dereference(flow->keys[0]);
	odd = rcu_dereference(flow->keys[1]);
	quic_key_prefetch(even ?: odd);
	quic_key_prefetch(odd ?: even);

	quic_rx_leave_flow(rx);
	if (rx->peek)
		for (at = rx->progress; at->flow && at->flow != flow; at++)
			;
	rx->at = at;
	if (at->flow)
		return;

	at->flow = flow;
	at->next_pkt_num = atomic64_read(&flow->next_pkt_num);
	at->packets = 0;
	at->bytes = 0;
}

static bool quic_rx_limit_reached(const struct quic_rx *rx,
				  const struct quic_key *key)
{
	return atomic64_read(&key->opening.failed) +
	       rx->at->failed[key->generation & 1] >=
	       quic_cipher_integrity_limit(key->cipher);
}

static void quic_rx_failed(struct quic_rx *rx, struct quic_key *key)
{
	if (rx->peek)
		rx->at->failed[key->generation & 1]++;
	else
		atomic64_inc(&key->opening.failed);
}

/* Bytes that opening has spoiled come from the skb again: whatever they are by
 * now, they are not authentic.  They could be read before, and if not now, are
 * not what opening has made of them.
 */
static void quic_rx_restore(const struct quic_rx *rx, unsigned int pos,
			    u8 *to, unsigned int len)
{
	if (skb_copy_bits(rx->skb, pos, to, len))
		memset(to, 0, len);
}

/* Opens the packet of @len bytes at @pos of the message; returns its status. */
static u8 quic_rx_packet(struct quic_rx *rx, const struct quic_flow *flow,
			 u8 *packet, unsigned int len, unsigned int pos,
			 struct quic_rx_ancillary_data *entry)
{
	unsigned int dcid_len = flow->key.conn.conn_id_length;
	struct quic_key *keys[2], *key, *with;
	unsigned int pn_len, hdr_len, phase;
	u8 mask[AES_BLOCK_SIZE], first;
	u64 pn;
	int err;

	/* Both have the flow's header protection key, one is always there. */
	keys[0] = rcu_dereference(flow->keys[0]);
	keys[1] = rcu_dereference(flow->keys[1]);
	quic_key_mask(keys[0] ?: keys[1], packet + quic_packet_sample(dcid_len),
		      mask);

	first = packet[0] ^ (mask[0] & QUIC_HDR_PROTECTED);
	phase = quic_packet_phase(first);
	pn_len = quic_packet_pn_len(first);
	hdr_len = 1 + dcid_len + pn_len;
	key = keys[phase];
	with = key ?: keys[!phase];

	/* A key newer than the request, with more demands than all before */
	if (with->reqsize > rx->reqsize)
		return QUIC_RX_NOT_OFFLOADED;
	if (key && quic_rx_limit_reached(rx, key))
		return QUIC_RX_LIMIT;

	quic_packet_mask_header(packet, dcid_len, pn_len, mask);
	pn = quic_packet_decode_number(packet, dcid_len, rx->at->next_pkt_num);
	err = quic_key_open(with, rx->req, packet, len, dcid_len, pn);

	if (key && !err) {
		memset(packet + len - QUIC_TAG_SIZE, 0, QUIC_TAG_SIZE);
		rx->at->next_pkt_num = max(rx->at->next_pkt_num, pn + 1);
		rx->at->packets++;
		rx->at->bytes += len;
		entry->pkt_num = pn;
		entry->key_gen = key->generation;
		return QUIC_RX_DECRYPTED;
	}

	if (!key) {
		quic_rx_restore(rx, pos + hdr_len, packet + hdr_len,
				len - hdr_len);
		entry->pkt_num = pn;
		return QUIC_RX_NO_KEY;
	}

	quic_rx_restore(rx, pos, packet, len);
	if (err != -EBADMSG)
		return QUIC_RX_NOT_OFFLOADED;
	quic_rx_failed(rx, key);
	return QUIC_RX_BAD_TAG;
}

static void quic_rx_trace_not_opened(const struct quic_rx *rx, u8 status,
				     const u8 *dcid, unsigned int dcid_len)
{
	struct quic_connection_info_key conn;

	if (rx->peek || !trace_udp_quic_not_opened_enabled())
		return;

	quic_match_describe(&conn, &rx->finder.source, dcid, dcid_len);
	trace_udp_quic_not_opened(&conn, status);
}

/* Opens the datagram @packet if that can be done, and describes it; if it is
 * @cut short its flow is as far as that goes.
 */
static void quic_rx_datagram(struct quic_rx *rx, u8 *packet, unsigned int len,
			     bool cut, unsigned int pos,
			     struct quic_rx_ancillary_data *entry)
{
	unsigned int dcid_len;
	struct quic_flow *flow;

	if (packet[0] & QUIC_HDR_FORM)
		return;

	flow = quic_finder_find(&rx->finder, packet, len);
	if (!flow) {
		rx->count[QUIC_RX_NOT_OFFLOADED] += !cut;
		quic_rx_trace_not_opened(rx, QUIC_RX_NOT_OFFLOADED, packet + 1,
					 min(rx->finder.dcid_len, len - 1));
		return;
	}
	rx->matched = true;

	dcid_len = flow->key.conn.conn_id_length;
	if (cut || len < quic_packet_sample(dcid_len) + QUIC_SAMPLE_SIZE)
		return;

	quic_rx_enter_flow(rx, flow);
	entry->status = quic_rx_packet(rx, flow, packet, len, pos, entry);
	if (entry->status == QUIC_RX_NOT_OFFLOADED)
		return;
	entry->conn_id_length = dcid_len;
	rx->count[entry->status]++;
	if (entry->status == QUIC_RX_DECRYPTED)
		rx->bytes += len;
	else
		quic_rx_trace_not_opened(rx, entry->status, packet + 1,
					 dcid_len);
}

/**
 * quic_rx_open - open datagrams
 * @rx: message, with the datagrams in its buffer
 * @pos: where in the message they are
 * @len: bytes in them
 *
 * What can't be opened is left as it came.  A datagram that the caller has not
 * room for in full is left alone, too.
 *
 * Context: process context, does not sleep.
 */
void quic_rx_open(struct quic_rx *rx, unsigned int pos, unsigned int len)
{
	struct quic_rx_ancillary_data *entry = &rx->entries[pos / rx->stride];
	u8 *packet = rx->buf, *end = packet + len;

	rcu_read_lock();
	rx->finder.valid = false;

	for (; packet < end; packet += rx->stride, pos += rx->stride, entry++) {
		unsigned int whole = min(rx->skb->len - pos, rx->stride);
		unsigned int here = min_t(size_t, whole, end - packet);

		quic_rx_datagram(rx, packet, here, here < whole, pos, entry);
	}

	quic_rx_leave_flow(rx);
	rcu_read_unlock();
}
