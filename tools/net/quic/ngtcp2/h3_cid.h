/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The connection IDs that we gave out: how packets find their connection */
#ifndef H3_CID_H
#define H3_CID_H

#include <stddef.h>
#include <stdint.h>

#include <ngtcp2/ngtcp2.h>

#define H3_CID_LEN	16
#define H3_CID_BUCKETS	1024

struct h3_cid;
struct h3_conn;

struct h3_cids {
	struct h3_cid *buckets[H3_CID_BUCKETS];
};

void h3_cid_add(struct h3_cids *cids, const ngtcp2_cid *cid,
		struct h3_conn *conn);
void h3_cid_remove(struct h3_cids *cids, const ngtcp2_cid *cid);
/* All of a connection */
void h3_cid_forget(struct h3_cids *cids, const struct h3_conn *conn);
/* NULL if it is not ours */
struct h3_conn *h3_cid_conn(struct h3_cids *cids, const uint8_t *data,
			    size_t len);

#endif /* H3_CID_H */
