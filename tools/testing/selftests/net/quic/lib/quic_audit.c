// SPDX-License-Identifier: GPL-2.0
/*
 * An auditor of packets on the wire: no plain text, every packet can be opened,
 * and no nonce is used for two of them.
 */

#include <arpa/inet.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "quic_audit.h"
#include "quic_nonces.h"

#define CACHED		4096	/* keys that are ready for use */
#define COMPLAINTS	10	/* are printed, the rest counts */

struct flow {
	uint8_t dcid[QUIC_AUDIT_DCID_LEN];
	uint32_t index;
	uint8_t generation;	/* of the last packet */
	uint64_t next;		/* after the highest number */
};

struct cached {
	uint8_t dcid[QUIC_AUDIT_DCID_LEN];
	uint8_t generation;
	struct quic_oracle *oracle;
};

struct quic_audit {
	struct quic_audit_count count;
	uint8_t kinds[1 << 16];	/* enum quic_audit_kind, by port */
	unsigned int complaints;
	void *flows;		/* a tree by DCID */
	uint32_t num_flows;
	struct quic_nonces *nonces;
	struct cached cache[CACHED];
};

static void *must_alloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p) {
		fprintf(stderr, "audit: out of memory\n");
		exit(1);
	}
	return p;
}

/* SHA-256 over a label, the DCID and, unless negative, the generation */
static void derive(uint8_t *out, size_t len, const char *label,
		   const uint8_t *dcid, int generation)
{
	uint8_t digest[EVP_MAX_MD_SIZE], text[32];
	size_t n = strlen(label);

	memcpy(text, label, n);
	memcpy(text + n, dcid, QUIC_AUDIT_DCID_LEN);
	n += QUIC_AUDIT_DCID_LEN;
	if (generation >= 0)
		text[n++] = generation;
	if (!EVP_Digest(text, n, digest, NULL, EVP_sha256(), NULL))
		abort();
	memcpy(out, digest, len);
}

void quic_audit_keys(struct quic_keys *keys, const uint8_t *dcid,
		     uint8_t generation)
{
	keys->cipher = &quic_ciphers[dcid[0] % QUIC_NUM_CIPHERS];
	keys->generation = generation;
	derive(keys->key, sizeof(keys->key), "key", dcid, generation);
	derive(keys->iv, sizeof(keys->iv), "iv", dcid, generation);
	derive(keys->hp, sizeof(keys->hp), "hp", dcid, -1);
}

struct quic_audit *quic_audit_new(void)
{
	struct quic_audit *audit = must_alloc(1, sizeof(*audit));

	audit->nonces = quic_nonces_new();
	return audit;
}

void quic_audit_free(struct quic_audit *audit)
{
	unsigned int i;

	for (i = 0; i < CACHED; i++)
		if (audit->cache[i].oracle)
			quic_oracle_free(audit->cache[i].oracle);
	tdestroy(audit->flows, free);
	quic_nonces_free(audit->nonces);
	free(audit);
}

void quic_audit_all_ports(struct quic_audit *audit, enum quic_audit_kind kind)
{
	memset(audit->kinds, kind, sizeof(audit->kinds));
}

void quic_audit_port(struct quic_audit *audit, in_port_t port,
		     enum quic_audit_kind kind)
{
	audit->kinds[ntohs(port)] = kind;
}

struct quic_audit_count *quic_audit_count(struct quic_audit *audit)
{
	return &audit->count;
}

/* Count something that must not be, and say where it was. */
static void complain(struct quic_audit *audit, uint64_t *counter,
		     const char *what, const uint8_t *data, size_t len)
{
	size_t i;

	++*counter;
	if (++audit->complaints > COMPLAINTS)
		return;
	fprintf(stderr, "# audit: %s, %zu bytes:", what, len);
	for (i = 0; i < len && i < 48; i++)
		fprintf(stderr, " %02x", data[i]);
	fprintf(stderr, "\n");
}

static int compare_flows(const void *a, const void *b)
{
	return memcmp(a, b, QUIC_AUDIT_DCID_LEN);
}

static struct flow *find_flow(struct quic_audit *audit, const uint8_t *dcid)
{
	struct flow **found = tfind(dcid, &audit->flows, compare_flows);
	struct flow *flow;

	if (found)
		return *found;

	flow = must_alloc(1, sizeof(*flow));
	memcpy(flow->dcid, dcid, sizeof(flow->dcid));
	flow->index = ++audit->num_flows;
	if (!tsearch(flow, &audit->flows, compare_flows))
		abort();
	return flow;
}

static struct quic_oracle *oracle_of(struct quic_audit *audit,
				     const struct flow *flow, uint8_t generation)
{
	struct cached *cached;
	struct quic_keys keys;

	cached = &audit->cache[(flow->index * 2 + generation) % CACHED];
	if (cached->oracle && cached->generation == generation &&
	    !memcmp(cached->dcid, flow->dcid, sizeof(flow->dcid)))
		return cached->oracle;

	if (cached->oracle)
		quic_oracle_free(cached->oracle);
	quic_audit_keys(&keys, flow->dcid, generation);
	memcpy(cached->dcid, flow->dcid, sizeof(flow->dcid));
	cached->generation = generation;
	cached->oracle = quic_oracle_new(&keys);
	return cached->oracle;
}

static bool open_generation(struct quic_audit *audit, const struct flow *flow,
			    uint8_t generation, const uint8_t *data,
			    size_t len, uint8_t *plain, uint64_t *pn)
{
	*pn = flow->next;
	return quic_oracle_open(oracle_of(audit, flow, generation), pn,
				QUIC_AUDIT_DCID_LEN, data, len, plain) &&
	       !!(plain[0] & QUIC_KEY_PHASE) == (generation & 1);
}

/* The flow may have come to any generation while nobody looked. */
static bool open_packet(struct quic_audit *audit, struct flow *flow,
			const uint8_t *data, size_t len, uint8_t *generation,
			uint64_t *pn)
{
	uint8_t plain[1 << 16];
	unsigned int away;

	if (len > sizeof(plain))
		return false;
	for (away = 0; away <= 128; away++) {
		*generation = flow->generation + away;
		if (open_generation(audit, flow, *generation, data, len, plain,
				    pn))
			return true;
		*generation = flow->generation - away;
		if (away && open_generation(audit, flow, *generation, data, len,
					    plain, pn))
			return true;
	}
	return false;
}

static void audit_packet(struct quic_audit *audit, const uint8_t *data,
			 size_t len)
{
	uint8_t generation;
	struct flow *flow;
	uint64_t pn;

	audit->count.datagrams++;
	if (len < 1 + QUIC_AUDIT_DCID_LEN + 4 + QUIC_TAG_SIZE) {
		complain(audit, &audit->count.not_opened, "not a packet", data,
			 len);
		return;
	}

	flow = find_flow(audit, data + 1);
	if (!open_packet(audit, flow, data, len, &generation, &pn)) {
		complain(audit, &audit->count.not_opened, "can't be opened",
			 data, len);
		return;
	}
	flow->generation = generation;
	if (pn >= flow->next)
		flow->next = pn + 1;

	if (quic_nonces_reused(audit->nonces,
			       (uint64_t)flow->index << 8 | generation, pn,
			       data, len))
		complain(audit, &audit->count.reused, "nonce used before", data,
			 len);
	audit->count.nonces = quic_nonces_count(audit->nonces);
}

static bool has_marker(struct quic_audit *audit, const uint8_t *data,
		       size_t len)
{
	uint8_t *marker = memmem(data, len, QUIC_MARKER, QUIC_MARKER_SIZE);

	audit->count.searched++;
	if (marker)
		complain(audit, &audit->count.leaked, "plain text", data, len);
	return marker;
}

void quic_audit_datagram(struct quic_audit *audit, in_port_t port,
			 const uint8_t *data, size_t len, size_t segment)
{
	enum quic_audit_kind kind = audit->kinds[ntohs(port)];
	size_t at, piece;

	if (kind == QUIC_AUDIT_PLAIN || has_marker(audit, data, len) ||
	    kind == QUIC_AUDIT_BYTES)
		return;

	for (at = 0; at < len; at += piece) {
		piece = segment && segment < len - at ? segment : len - at;
		audit_packet(audit, data + at, piece);
	}
}

void quic_audit_fragment(struct quic_audit *audit, const uint8_t *data,
			 size_t len)
{
	audit->count.fragments++;
	has_marker(audit, data, len);
}

bool quic_audit_saw_most(const struct quic_audit_count *count)
{
	return count->lost <= count->searched / 10;
}

bool quic_audit_verdict(const struct quic_audit_count *count)
{
	printf("# audit: %llu packets, %llu nonces, %llu fragments, %llu frames lost\n",
	       (unsigned long long)count->datagrams,
	       (unsigned long long)count->nonces,
	       (unsigned long long)count->fragments,
	       (unsigned long long)count->lost);
	printf("# audit: %llu searched, %llu in plain text, %llu not opened, %llu nonces reused\n",
	       (unsigned long long)count->searched,
	       (unsigned long long)count->leaked,
	       (unsigned long long)count->not_opened,
	       (unsigned long long)count->reused);
	fflush(stdout);
	return !count->leaked && !count->not_opened && !count->reused &&
	       quic_audit_saw_most(count);
}
