// SPDX-License-Identifier: GPL-2.0
/* The model of opening: what becomes of a datagram */

#include <string.h>

#include "fuzz_match.h"
#include "fuzz_rx_open.h"

#define SAMPLE_END(dcid_len)	(1 + (dcid_len) + 4 + 16U)

uint64_t fuzz_rx_max_failures;

struct fuzz_flow *fuzz_rx_open_flow(const struct fuzz_rx_sock *rx,
				    const struct fuzz_dest *from,
				    const uint8_t *datagram, size_t len)
{
	struct quic_dcid dcid = {};
	struct fuzz_flow *flow;
	int dcid_len;

	if (!len || datagram[0] & QUIC_LONG_HEADER)
		return NULL;
	for (dcid_len = QUIC_MAX_CONNECTION_ID_SIZE; dcid_len >= 0; dcid_len--) {
		if (1U + dcid_len > len)
			continue;
		dcid.len = dcid_len;
		memcpy(dcid.id, datagram + 1, dcid_len);
		flow = fuzz_match_find(&rx->sock, from, &dcid);
		if (flow)
			return flow;
	}
	return NULL;
}

bool fuzz_rx_open_unknown(const struct fuzz_rx_sock *rx,
			  const struct fuzz_dest *from,
			  const uint8_t *datagram, size_t len)
{
	return len && !(datagram[0] & QUIC_LONG_HEADER) &&
	       !fuzz_rx_open_flow(rx, from, datagram, len);
}

/*
 * With the key of that phase; returns the phase of the packet, for which it was
 * the wrong one then, or not.  @opened: length of the plaintext, or 0.
 */
static unsigned int try_key(const struct fuzz_flow *flow, unsigned int phase,
			    const uint8_t *wire, size_t len, uint8_t *plain,
			    uint64_t *pn, size_t *opened)
{
	*pn = flow->next_pkt_num;
	*opened = quic_oracle_open(flow->key[phase].oracle, pn, flow->dcid.len,
				   wire, len, plain);
	return !!(plain[0] & QUIC_KEY_PHASE);
}

void fuzz_rx_open(struct fuzz_flow *flow, const uint8_t *wire, size_t len,
		  uint8_t *bytes, struct quic_rx_ancillary_data *entry)
{
	static uint8_t plain[FUZZ_RX_MESSAGE];
	unsigned int phase = flow->keys.generation & 1, header;
	struct fuzz_key *key;
	size_t opened;
	uint64_t pn;

	memset(entry, 0, sizeof(*entry));
	if (len < SAMPLE_END(flow->dcid.len))
		return;

	entry->conn_id_length = flow->dcid.len;
	if (try_key(flow, phase, wire, len, plain, &pn, &opened) != phase) {
		phase ^= 1;
		if (flow->key[phase].oracle)
			try_key(flow, phase, wire, len, plain, &pn, &opened);
	}
	key = &flow->key[phase];
	if (!key->oracle) {
		header = 1 + flow->dcid.len + (plain[0] & 3) + 1;
		memcpy(bytes, plain, header);
		entry->status = QUIC_RX_NO_KEY;
		entry->pkt_num = pn;
	} else if (key->failed >= fuzz_rx_max_failures) {
		entry->status = QUIC_RX_LIMIT;
	} else if (!opened) {
		entry->status = QUIC_RX_BAD_TAG;
		key->failed++;
	} else {
		memcpy(bytes, plain, opened);
		memset(bytes + opened, 0, QUIC_TAG_SIZE);
		entry->status = QUIC_RX_DECRYPTED;
		entry->pkt_num = pn;
		entry->key_gen = key->generation;
		flow->packets++;
		flow->bytes += len;
		if (flow->next_pkt_num <= pn)
			flow->next_pkt_num = pn + 1;
	}
}

void fuzz_rx_open_info(const struct fuzz_flow *flow, struct quic_flow_info *info)
{
	const struct fuzz_key *newest = &flow->key[flow->keys.generation & 1];
	uint64_t limit = flow->keys.cipher->max_failures;

	if (fuzz_rx_max_failures < limit)
		limit = fuzz_rx_max_failures;
	info->next_pkt_num = flow->next_pkt_num;
	info->packets_left = limit - newest->failed;
}
