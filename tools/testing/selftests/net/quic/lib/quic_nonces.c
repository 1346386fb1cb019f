// SPDX-License-Identifier: GPL-2.0
/* Nonces that have been seen, and what each was used for: a hash table. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quic_nonces.h"

#define FIRST_SIZE	(1 << 16)
#define TAG_AT_END	8	/* bytes of the tag that are remembered */

struct use {
	uint64_t key;		/* 0: a free slot */
	uint64_t pn;
	uint8_t tag[TAG_AT_END];
};

struct quic_nonces {
	struct use *uses;	/* at most half full */
	size_t size;		/* a power of two */
	size_t count;
};

static void *must_alloc(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p) {
		fprintf(stderr, "nonces: out of memory\n");
		exit(1);
	}
	return p;
}

struct quic_nonces *quic_nonces_new(void)
{
	struct quic_nonces *nonces = must_alloc(1, sizeof(*nonces));

	nonces->size = FIRST_SIZE;
	nonces->uses = must_alloc(nonces->size, sizeof(*nonces->uses));
	return nonces;
}

void quic_nonces_free(struct quic_nonces *nonces)
{
	free(nonces->uses);
	free(nonces);
}

void quic_nonces_forget(struct quic_nonces *nonces)
{
	memset(nonces->uses, 0, nonces->size * sizeof(*nonces->uses));
	nonces->count = 0;
}

size_t quic_nonces_count(const struct quic_nonces *nonces)
{
	return nonces->count;
}

static struct use *find_use(struct use *uses, size_t size,
			    const struct use *use)
{
	/* The upper bits of a product depend on all bits of the factor. */
	uint64_t key = use->key * 0x9e3779b97f4a7c15ULL;
	size_t i = ((key ^ use->pn) * 0x9e3779b97f4a7c15ULL) >> 32;

	for (; ; i++) {
		struct use *slot = &uses[i & (size - 1)];

		if (!slot->key ||
		    (slot->key == use->key && slot->pn == use->pn))
			return slot;
	}
}

static void grow(struct quic_nonces *nonces)
{
	struct use *uses = must_alloc(nonces->size * 2, sizeof(*uses));
	size_t i;

	for (i = 0; i < nonces->size; i++)
		if (nonces->uses[i].key)
			*find_use(uses, nonces->size * 2, &nonces->uses[i]) =
				nonces->uses[i];
	free(nonces->uses);
	nonces->uses = uses;
	nonces->size *= 2;
}

bool quic_nonces_reused(struct quic_nonces *nonces, uint64_t key, uint64_t pn,
			const uint8_t *packet, size_t len)
{
	struct use use = { .key = key, .pn = pn }, *slot;

	memcpy(use.tag, packet + len - TAG_AT_END, TAG_AT_END);
	slot = find_use(nonces->uses, nonces->size, &use);
	if (slot->key)
		return memcmp(slot->tag, use.tag, TAG_AT_END);

	*slot = use;
	if (++nonces->count > nonces->size / 2)
		grow(nonces);
	return false;
}
