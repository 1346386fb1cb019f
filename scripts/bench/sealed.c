// SPDX-License-Identifier: GPL-2.0
/* The protected packets that are received, here and in the module. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "receiver.h"

#define CHUNK	16

void sealed_plain(unsigned char *packet, unsigned int wire, unsigned int i,
		  unsigned char first)
{
	unsigned int j, pn_len = (first & 3) + 1;

	memset(packet, 0, wire - BENCH_TAG_LEN);
	packet[0] = first;
	for (j = 0; j < pn_len; j++)
		packet[1 + BENCH_DCID_LEN + j] = i >> 8 * (pn_len - 1 - j);
}

/* Seal @count packets of a flow into @to, the first one with the number @pn. */
static void seal(struct ssl_key *key, unsigned char *to, unsigned int wire,
		 unsigned int pn, unsigned int count, unsigned char first,
		 unsigned int flow)
{
	unsigned char plain[CHUNK * wire];
	__u32 dcid = htonl(flow);
	unsigned int i;

	for (i = 0; i < count; i++) {
		unsigned char *packet = plain + i * (wire - BENCH_TAG_LEN);

		sealed_plain(packet, wire, pn + i, first);
		memcpy(packet + 1, &dcid, sizeof(dcid));
	}
	ssl_protect(key, to, plain, count, wire, pn);
}

void sealed_fill_as(const struct cipher *cipher, unsigned int wire,
		    unsigned int count, unsigned char first,
		    const unsigned char *payload_key)
{
	struct ssl_key *key = ssl_key_new(ssl35 ?: ssl30, cipher, payload_key);
	unsigned int i, n;

	for (i = 0; i < count; i += n) {
		n = count - i < CHUNK ? count - i : CHUNK;
		seal(key, source + i * wire, wire, i, n, first, 0);
	}
	ssl_key_free(key);
	source_write(0, count * wire);
}

unsigned int sealed_fill(const struct cipher *cipher, unsigned int wire)
{
	unsigned int count = sizeof(source) / wire;

	if (!ssl35 && !ssl30)
		return 0;
	sealed_fill_as(cipher, wire, count, FIRST_USUAL, bench_key);
	return count;
}

void sealed_flip(unsigned int wire, unsigned int count, unsigned int at,
		 unsigned char bits)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		source[i * wire + at] ^= bits;
	source_write(0, count * wire);
}

unsigned int sealed_tags(const struct cipher *cipher, unsigned int wire,
			 unsigned int train, unsigned int flows)
{
	struct ssl_key *key = ssl_key_new(ssl35 ?: ssl30, cipher, bench_key);
	unsigned int flow, i, tags_at = train * wire;
	unsigned char sealed[train * wire];
	unsigned char *tag = source + tags_at;

	for (flow = 0; flow < flows; flow++) {
		seal(key, sealed, wire, 0, train, FIRST_USUAL, flow);
		for (i = 0; i < train; i++, tag += BENCH_TAG_LEN)
			memcpy(tag, sealed + (i + 1) * wire - BENCH_TAG_LEN,
			       BENCH_TAG_LEN);
	}
	ssl_key_free(key);
	source_write(tags_at, flows * train * BENCH_TAG_LEN);
	return tags_at;
}
