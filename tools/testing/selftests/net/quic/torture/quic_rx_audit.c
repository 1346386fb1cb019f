// SPDX-License-Identifier: GPL-2.0
/* An auditor of what readers are given. */

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quic_audit.h"
#include "quic_rx_audit.h"

#define DCID_LEN	QUIC_AUDIT_DCID_LEN
#define PN_MAX		4
/* There must be a sample. */
#define SHORTEST	(1 + DCID_LEN + PN_MAX + QUIC_TAG_SIZE)
#define COMPLAINTS	10
#define UNTOUCHED	0xa5	/* see quic_received_msghdr() */

struct flow {
	uint8_t dcid[DCID_LEN];
	struct quic_oracle *oracle[QUIC_RX_AUDIT_GENERATIONS];
};

struct quic_rx_audit {
	struct quic_rx_audit_count count;
	void *flows;		/* a tree by DCID */
};

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, DCID_LEN);
}

struct quic_rx_audit *quic_rx_audit_new(void)
{
	struct quic_rx_audit *audit = calloc(1, sizeof(*audit));

	if (!audit)
		abort();
	return audit;
}

static void free_flow(void *node)
{
	struct flow *flow = node;
	unsigned int i;

	for (i = 0; i < QUIC_RX_AUDIT_GENERATIONS; i++)
		quic_oracle_free(flow->oracle[i]);
	free(flow);
}

void quic_rx_audit_free(struct quic_rx_audit *audit)
{
	tdestroy(audit->flows, free_flow);
	free(audit);
}

const struct quic_rx_audit_count *
quic_rx_audit_count(const struct quic_rx_audit *audit)
{
	return &audit->count;
}

static struct flow *find_flow(struct quic_rx_audit *audit, const uint8_t *dcid)
{
	struct flow **found = tfind(dcid, &audit->flows, compare);
	struct quic_keys keys;
	struct flow *flow;
	unsigned int i;

	if (found)
		return *found;
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		abort();
	memcpy(flow->dcid, dcid, DCID_LEN);
	for (i = 0; i < QUIC_RX_AUDIT_GENERATIONS; i++) {
		quic_audit_keys(&keys, dcid, i);
		flow->oracle[i] = quic_oracle_new(&keys);
	}
	if (!tsearch(flow, &audit->flows, compare))
		abort();
	return flow;
}

/*
 * What the datagram at @wire is in plain text, with zeros for the tag, if it is
 * authentic in @generation and has the number @pn, or one near to it.
 */
static bool open_packet(struct quic_rx_audit *audit, const uint8_t *wire,
			size_t len, unsigned int generation, uint64_t *pn,
			uint8_t *plain)
{
	struct flow *flow;

	if (len < SHORTEST || generation >= QUIC_RX_AUDIT_GENERATIONS)
		return false;
	flow = find_flow(audit, wire + 1);
	if (!quic_oracle_open(flow->oracle[generation], pn, DCID_LEN, wire, len,
			      plain))
		return false;
	memset(plain + len - QUIC_TAG_SIZE, 0, QUIC_TAG_SIZE);
	return !!(plain[0] & QUIC_KEY_PHASE) == (generation & 1);
}

static void complain(struct quic_rx_audit *audit, unsigned long *counter,
		     const char *what, size_t len,
		     const struct quic_rx_ancillary_data *entry)
{
	if (++*counter > COMPLAINTS)
		return;
	fprintf(stderr, "# rx audit: %s: %zu bytes, status %u, number %llu, generation %u\n",
		what, len, entry->status, (unsigned long long)entry->pkt_num,
		entry->key_gen);
}

/* NULL, or what is wrong */
static const char *judge_opened(struct quic_rx_audit *audit,
				const uint8_t *wire, const uint8_t *given,
				size_t len,
				const struct quic_rx_ancillary_data *entry)
{
	static uint8_t plain[1 << 16];
	uint64_t pn = entry->pkt_num;

	if (!open_packet(audit, wire, len, entry->key_gen, &pn, plain))
		return "opened, and not authentic";
	if (pn != entry->pkt_num)
		return "number";
	return memcmp(plain, given, len) ? "not what was sealed" : NULL;
}

/* As far as @len: the header without protection, the rest as it came */
static bool is_no_key(struct quic_rx_audit *audit, const uint8_t *wire,
		      size_t whole, const uint8_t *given, size_t len,
		      uint64_t *pn)
{
	static uint8_t plain[1 << 16];
	size_t header;

	if (whole < SHORTEST)
		return false;
	/* Authentic or not, the header is there. */
	open_packet(audit, wire, whole, 0, pn, plain);
	header = 1 + DCID_LEN + (plain[0] & 3) + 1;
	if (header > len)
		header = len;
	return !memcmp(plain, given, header) &&
	       !memcmp(wire + header, given + header, len - header);
}

static const char *judge_no_key(struct quic_rx_audit *audit,
				const uint8_t *wire, const uint8_t *given,
				size_t len,
				const struct quic_rx_ancillary_data *entry)
{
	uint64_t pn = entry->pkt_num;

	if (!is_no_key(audit, wire, len, given, len, &pn))
		return "not the header, or not the payload as it came";
	return pn != entry->pkt_num || entry->key_gen ?
	       "number or generation" : NULL;
}

static void judge(struct quic_rx_audit *audit, const uint8_t *wire,
		  const uint8_t *given, size_t len,
		  const struct quic_rx_ancillary_data *entry)
{
	static const uint8_t zero[sizeof(entry->__reserved)];
	const char *wrong = NULL;
	bool flow;

	switch (entry->status) {
	case QUIC_RX_DECRYPTED:
		wrong = judge_opened(audit, wire, given, len, entry);
		break;
	case QUIC_RX_NO_KEY:
		wrong = judge_no_key(audit, wire, given, len, entry);
		break;
	case QUIC_RX_NOT_OFFLOADED:
	case QUIC_RX_BAD_TAG:
	case QUIC_RX_LIMIT:
		if (memcmp(wire, given, len))
			wrong = "not as it came";
		else if (entry->pkt_num || entry->key_gen)
			wrong = "number or generation";
		break;
	default:
		wrong = "status";
	}
	flow = entry->status != QUIC_RX_NOT_OFFLOADED;
	if (!wrong && (entry->conn_id_length != (flow ? DCID_LEN : 0) ||
		       memcmp(entry->__reserved, zero, sizeof(zero))))
		wrong = "entry";
	if (wrong)
		complain(audit, &audit->count.forged, wrong, len, entry);
	else
		audit->count.status[entry->status]++;
}

static bool untouched(const uint8_t *buf, size_t len)
{
	while (len--)
		if (*buf++ != UNTOUCHED)
			return false;
	return true;
}

void quic_rx_audit_message(struct quic_rx_audit *audit,
			   const struct quic_rx_frame *frame,
			   const struct quic_received *received)
{
	size_t at, len, whole, stride = received->gro ?: frame->len;
	static const struct quic_rx_ancillary_data none;
	const struct quic_rx_ancillary_data *entry = &none;
	size_t end = received->ret;
	unsigned int i;

	if (end > frame->len ||
	    (received->count && received->count != (end + stride - 1) / stride) ||
	    !untouched(received->buf + end, sizeof(received->buf) - end)) {
		complain(audit, &audit->count.forged, "message", end, entry);
		return;
	}
	for (at = 0, i = 0; at < end; at += len, i++) {
		whole = stride < frame->len - at ? stride : frame->len - at;
		len = whole < end - at ? whole : end - at;
		if (received->count)
			entry = &received->entry[i];
		if (len == whole) {
			judge(audit, frame->bytes + at, received->buf + at,
			      len, entry);
			continue;
		}
		audit->count.cut++;
		if (entry->status != QUIC_RX_NOT_OFFLOADED ||
		    memcmp(frame->bytes + at, received->buf + at, len))
			complain(audit, &audit->count.forged, "cut", len, entry);
	}
}

/* Nobody says what has become of it: as it came, or authentic and opened. */
static bool harmless(struct quic_rx_audit *audit, const uint8_t *wire,
		     size_t whole, const uint8_t *given, size_t len)
{
	static uint8_t plain[1 << 16];
	unsigned int generation;
	uint64_t pn = 0;

	while (len && given[len - 1] == UNTOUCHED)
		len--;
	if (!memcmp(wire, given, len))
		return true;
	/* Numbers start where all that are in use decode alike. */
	for (generation = 0; generation < QUIC_RX_AUDIT_GENERATIONS;
	     generation++, pn = 0)
		if (open_packet(audit, wire, whole, generation, &pn, plain) &&
		    !memcmp(plain, given, len))
			return true;
	return is_no_key(audit, wire, whole, given, len, &pn);
}

void quic_rx_audit_fault(struct quic_rx_audit *audit,
			 const struct quic_rx_frame *frame, const uint8_t *buf,
			 size_t len, size_t stride)
{
	static const struct quic_rx_ancillary_data none;
	size_t at, whole, here;

	audit->count.faults++;
	for (at = 0; at < len && at < frame->len; at += whole) {
		whole = stride < frame->len - at ? stride : frame->len - at;
		here = whole < len - at ? whole : len - at;
		if (!harmless(audit, frame->bytes + at, whole, buf + at, here))
			complain(audit, &audit->count.forged,
				 "before a fault", here, &none);
	}
}

void quic_rx_audit_frames(struct quic_rx_audit *audit,
			  const struct quic_rx_frame *before,
			  const struct quic_rx_frame *after)
{
	static const struct quic_rx_ancillary_data none;

	if (before->len != after->len ||
	    memcmp(before->bytes, after->bytes, before->len))
		complain(audit, &audit->count.changed, "a frame has changed",
			 before->len, &none);
}
