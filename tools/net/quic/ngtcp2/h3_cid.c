// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Connection IDs: random, so any byte will do for the hash */
#include <stdlib.h>
#include <string.h>

#include "h3_cid.h"

struct h3_cid {
	struct h3_cid *next;
	struct h3_conn *conn;
	ngtcp2_cid cid;
};

static struct h3_cid **find_cid(struct h3_cids *cids, const uint8_t *data,
				size_t len)
{
	struct h3_cid **pos;
	uint16_t hash = 0;

	memcpy(&hash, data, len < sizeof(hash) ? len : sizeof(hash));
	for (pos = &cids->buckets[hash % H3_CID_BUCKETS]; *pos;
	     pos = &(*pos)->next)
		if ((*pos)->cid.datalen == len &&
		    !memcmp((*pos)->cid.data, data, len))
			break;
	return pos;
}

static void delete_cid(struct h3_cid **pos)
{
	struct h3_cid *cid = *pos;

	*pos = cid->next;
	free(cid);
}

void h3_cid_add(struct h3_cids *cids, const ngtcp2_cid *cid,
		struct h3_conn *conn)
{
	struct h3_cid **pos = find_cid(cids, cid->data, cid->datalen);
	struct h3_cid *new;

	if (*pos)
		return;
	new = calloc(1, sizeof(*new));
	if (!new)
		abort();
	new->conn = conn;
	new->cid = *cid;
	*pos = new;
}

void h3_cid_remove(struct h3_cids *cids, const ngtcp2_cid *cid)
{
	struct h3_cid **pos = find_cid(cids, cid->data, cid->datalen);

	if (*pos)
		delete_cid(pos);
}

void h3_cid_forget(struct h3_cids *cids, const struct h3_conn *conn)
{
	struct h3_cid **pos;
	int i;

	for (i = 0; i < H3_CID_BUCKETS; i++)
		for (pos = &cids->buckets[i]; *pos;)
			if ((*pos)->conn == conn)
				delete_cid(pos);
			else
				pos = &(*pos)->next;
}

struct h3_conn *h3_cid_conn(struct h3_cids *cids, const uint8_t *data,
			    size_t len)
{
	const struct h3_cid *cid = *find_cid(cids, data, len);

	return cid ? cid->conn : NULL;
}
