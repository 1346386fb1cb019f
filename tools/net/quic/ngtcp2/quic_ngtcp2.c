// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Let ngtcp2 send and receive its 1-RTT packets through the kernel's packet
 * protection.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_ngtcp2.h"
#include "quic_ngtcp2_conn.h"
#include "quic_ngtcp2_crypto.h"

/* The callbacks of ngtcp2 that protect and open packets are not told the
 * connection.
 */
static _Thread_local struct quic_ngtcp2 *writer;
static _Thread_local struct quic_ngtcp2_reading *reading;

/*
 * Only a packet that starts its datagram is left to the kernel: it is alone
 * there, since a short header packet is always the last.
 */
static int encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
		   const ngtcp2_crypto_aead_ctx *aead_ctx,
		   const uint8_t *plaintext, size_t len,
		   const uint8_t *nonce, size_t noncelen,
		   const uint8_t *header, size_t header_len)
{
	unsigned int phase = !!(header[0] & 0x04);
	struct quic_offload_packet *packet;
	struct quic_ngtcp2 *q = writer;

	if (!q || header[0] & 0x80)
		goto user;
	quic_ngtcp2_limit_count(&q->limit, phase);
	packet = &q->batch.packets[q->batch.count];
	if (header != packet->data || !q->enabled || q->spared ||
	    phase >= q->generations)
		goto user;

	packet->ready = false;
	packet->len = header_len + len;
	packet->dcid_len = header_len - (header[0] & 0x03) - 2;
	packet->number = quic_ngtcp2_number(nonce, q->keys[phase].payload_iv);
	q->zero_mask = true;
	if (dest != plaintext)
		memmove(dest, plaintext, len);
	return 0;
user:
	return ngtcp2_crypto_encrypt_cb(dest, aead, aead_ctx, plaintext, len,
					nonce, noncelen, header, header_len);
}

static int hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp,
		   const ngtcp2_crypto_cipher_ctx *hp_ctx,
		   const uint8_t *sample)
{
	if (reading && quic_ngtcp2_rx_unmasked(reading, sample)) {
		memset(dest, 0, NGTCP2_HP_MASKLEN);
		return 0;
	}
	/* ngtcp2 may open buffered packets while it writes, with this too */
	if (!writer || !writer->zero_mask)
		return ngtcp2_crypto_hp_mask_cb(dest, hp, hp_ctx, sample);

	writer->zero_mask = false;
	writer->hp_ctx = *hp_ctx;
	memset(dest, 0, NGTCP2_HP_MASKLEN);
	return 0;
}

static int decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
		   const ngtcp2_crypto_aead_ctx *aead_ctx,
		   const uint8_t *ciphertext, size_t len,
		   const uint8_t *nonce, size_t noncelen,
		   const uint8_t *header, size_t header_len)
{
	int err;

	if (!reading)
		return ngtcp2_crypto_decrypt_cb(dest, aead, aead_ctx,
						ciphertext, len, nonce,
						noncelen, header, header_len);
	err = quic_ngtcp2_rx_open(reading, ngtcp2_crypto_decrypt_cb, dest, aead,
				  aead_ctx, ciphertext, len, nonce, noncelen,
				  header, header_len);
	return err ? NGTCP2_ERR_DECRYPT : 0;
}

void quic_ngtcp2_set_callbacks(ngtcp2_callbacks *callbacks)
{
	callbacks->encrypt = encrypt;
	callbacks->decrypt = decrypt;
	callbacks->hp_mask = hp_mask;
}

struct quic_ngtcp2 *quic_ngtcp2_new(ngtcp2_conn *conn)
{
	struct quic_ngtcp2 *q;

	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->offload = quic_offload_conn_new(quic_ngtcp2_conn_protect, q);
	if (!q->offload) {
		free(q);
		return NULL;
	}
	q->conn = conn;
	q->rx.offload = q->offload;
	q->enabled = true;
	q->limit.limit = UINT64_MAX;
	quic_ngtcp2_batch_init(&q->batch, conn, q->offload);
	return q;
}

void quic_ngtcp2_free(struct quic_ngtcp2 *q)
{
	if (!q)
		return;
	quic_offload_conn_free(q->offload);
	ngtcp2_crypto_aead_ctx_free(&q->aead[0]);
	ngtcp2_crypto_aead_ctx_free(&q->aead[1]);
	explicit_bzero(q->keys, sizeof(q->keys));
	explicit_bzero(q->rx.keys, sizeof(q->rx.keys));
	free(q);
}

void quic_ngtcp2_set_offload(struct quic_ngtcp2 *q, bool enable)
{
	q->enabled = enable;
}

void quic_ngtcp2_set_tclass(struct quic_ngtcp2 *q, uint8_t tclass)
{
	q->batch.tclass = tclass & ~NGTCP2_ECN_MASK;
}

void quic_ngtcp2_set_interface(struct quic_ngtcp2 *q, unsigned int ifindex)
{
	q->batch.ifindex = ifindex;
}

int quic_ngtcp2_read_pkt(struct quic_ngtcp2 *q, const ngtcp2_path *path,
			 const ngtcp2_pkt_info *info,
			 const struct quic_offload_datagram *datagram,
			 ngtcp2_tstamp ts)
{
	struct quic_ngtcp2_reading now = {
		.rx = &q->rx,
		.sock = path->user_data,
		.datagram = *datagram,
	};
	int err;

	reading = &now;
	err = ngtcp2_conn_read_pkt(q->conn, path, info, datagram->data,
				   datagram->len, ts);
	reading = NULL;
	return now.limit ? NGTCP2_ERR_AEAD_LIMIT_REACHED : err;
}

int quic_ngtcp2_send(struct quic_ngtcp2 *q)
{
	int err = quic_ngtcp2_batch_send(&q->batch);

	if (err == -EAGAIN)
		return err;
	if (err == -EKEYEXPIRED)
		err = quic_ngtcp2_limit_reached(&q->limit, q->conn,
						q->batch.expired,
						q->batch.now);
	err = q->err ?: err;
	q->err = 0;
	return err;
}

ngtcp2_tstamp quic_ngtcp2_expiry(struct quic_ngtcp2 *q)
{
	ngtcp2_tstamp expiry = ngtcp2_conn_get_expiry(q->conn);

	if (q->limit.held && q->limit.until < expiry)
		return q->limit.until;
	return expiry;
}

/* Packets that leave alone are protected at once. */
static bool spares(struct quic_ngtcp2 *q)
{
	const ngtcp2_path *path = ngtcp2_conn_get_path(q->conn);
	const struct msghdr to = {
		.msg_name = path->remote.addr,
		.msg_namelen = path->remote.addrlen,
	};

	return quic_offload_spares(path->user_data, q->offload, &to,
				   q->batch.max);
}

/* Where the next packet may be written, or NULL if nothing can be sent */
static uint8_t *begin_packet(struct quic_ngtcp2 *q, ngtcp2_tstamp ts)
{
	struct quic_ngtcp2_batch *batch = &q->batch;
	struct quic_offload_packet *packet;

	quic_ngtcp2_batch_begin(batch, ts);
	if (!q->begun && quic_ngtcp2_batch_full(batch)) {
		int err = quic_ngtcp2_send(q);

		if (err == -EAGAIN)
			return NULL;
		q->err = err;
		/* The path may take less than that now. */
		quic_ngtcp2_batch_begin(batch, ts);
	}

	if (!q->begun && !batch->count)
		q->spared = q->enabled && spares(q);
	packet = &batch->packets[batch->count];
	packet->data = batch->buf + batch->used;
	packet->ready = true;
	writer = q;
	return batch->buf + batch->used;
}

static ngtcp2_ssize end_packet(struct quic_ngtcp2 *q, ngtcp2_ssize len)
{
	struct quic_ngtcp2_batch *batch = &q->batch;
	struct quic_offload_packet *packet = &batch->packets[batch->count];

	writer = NULL;
	if (len <= 0)
		return len;
	if (packet->ready)
		packet->len = len;
	batch->used += packet->len;
	batch->count++;
	return len;
}

ngtcp2_ssize quic_ngtcp2_writev_stream(struct quic_ngtcp2 *q,
				       ngtcp2_ssize *pdatalen, uint32_t flags,
				       int64_t stream_id,
				       const ngtcp2_vec *datav, size_t datavcnt,
				       ngtcp2_tstamp ts)
{
	struct quic_ngtcp2_batch *batch = &q->batch;
	uint8_t *dest = begin_packet(q, ts);
	struct quic_ngtcp2_route *route = &batch->routes[batch->count];

	ngtcp2_ssize len;

	if (!dest) {
		*pdatalen = -1;
		return NGTCP2_ERR_NOBUF;
	}
	if (q->enabled && !q->begun &&
	    !quic_ngtcp2_limit_allows(&q->limit, q->conn, ts)) {
		flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
		stream_id = -1;
		datavcnt = 0;
	}
	len = ngtcp2_conn_writev_stream(q->conn, &route->path.path,
					&route->info, dest,
					batch->max, pdatalen,
					flags, stream_id, datav, datavcnt, ts);
	/* A stream that has nothing to add does not end it. */
	if (len >= 0)
		q->begun = false;
	else if (len == NGTCP2_ERR_WRITE_MORE)
		q->begun = true;
	return end_packet(q, len);
}

ngtcp2_ssize quic_ngtcp2_write_close(struct quic_ngtcp2 *q,
				     const quic_ngtcp2_error *error,
				     ngtcp2_tstamp ts)
{
	struct quic_ngtcp2_batch *batch = &q->batch;
	uint8_t *dest = begin_packet(q, ts);
	struct quic_ngtcp2_route *route = &batch->routes[batch->count];
	bool enabled = q->enabled;
	ngtcp2_ssize len;

	if (!dest)
		return NGTCP2_ERR_NOBUF;
	/* One packet above what the administrator allows a key */
	if (quic_ngtcp2_limit_spent(&q->limit))
		q->enabled = false;
	len = ngtcp2_conn_write_connection_close(q->conn, &route->path.path,
						 &route->info, dest,
						 batch->max,
						 error, ts);
	q->enabled = enabled;
	return end_packet(q, len);
}

struct quic_offload_conn *quic_ngtcp2_offload(struct quic_ngtcp2 *q)
{
	return q->offload;
}
