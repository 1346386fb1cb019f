// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a connection sends in one go */
#include "h3_burst.h"
#include "h3_http.h"

/* What to send next.  Returns 0 or an error. */
static int ask(struct h3_conn *c)
{
	struct h3_burst *burst = &c->burst;
	nghttp3_ssize n;

	n = nghttp3_conn_writev_stream(c->http, &burst->stream_id, &burst->fin,
				       burst->vec, H3_BURST_VECS);
	if (n < 0)
		return h3_http_error(c, n);
	burst->first = burst->vec;
	burst->count = n;
	burst->written = -1;
	return 0;
}

void h3_burst_end(struct h3_conn *c)
{
	struct h3_burst *burst = &c->burst;

	/* To write nothing at all may be what ends a stream. */
	if (burst->stream_id >= 0 && burst->written >= 0)
		nghttp3_conn_add_write_offset(c->http, burst->stream_id,
					      burst->written);
	burst->stream_id = -1;
}

static void took(struct h3_conn *c, size_t len)
{
	struct h3_burst *burst = &c->burst;

	c->sent += len;
	burst->written = len + (burst->written < 0 ? 0 : burst->written);
	while (burst->count && len >= burst->first->len) {
		len -= burst->first->len;
		burst->first++;
		burst->count--;
	}
	if (burst->count) {
		burst->first->base += len;
		burst->first->len -= len;
	} else {
		h3_burst_end(c);
	}
}

static ngtcp2_ssize write_packet(struct h3_conn *c, bool data,
				 ngtcp2_ssize *taken, ngtcp2_tstamp now)
{
	uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
	const struct h3_burst *burst = &c->burst;

	if (!data)
		return quic_ngtcp2_writev_stream(c->packets, taken, flags, -1,
						 NULL, 0, now);
	if (burst->fin)
		flags |= NGTCP2_WRITE_STREAM_FLAG_FIN;
	return quic_ngtcp2_writev_stream(c->packets, taken, flags,
					 burst->stream_id,
					 (ngtcp2_vec *)burst->first,
					 burst->count, now);
}

ngtcp2_ssize h3_burst_write(struct h3_conn *c, ngtcp2_tstamp now)
{
	ngtcp2_ssize len, taken;
	int64_t stream_id;
	bool open;
	int err;

	do {
		open = c->http && ngtcp2_conn_get_max_data_left(c->quic);
		if (open && c->burst.stream_id < 0) {
			err = ask(c);
			if (err)
				return err;
		}
		stream_id = c->burst.stream_id;
		len = write_packet(c, open && stream_id >= 0, &taken, now);
		if (len == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
			h3_burst_end(c);
			nghttp3_conn_block_stream(c->http, stream_id);
		} else if (len == NGTCP2_ERR_STREAM_SHUT_WR) {
			h3_burst_end(c);
			nghttp3_conn_shutdown_stream_write(c->http, stream_id);
		} else if (taken >= 0) {
			took(c, taken);
		}
	} while (len == NGTCP2_ERR_STREAM_DATA_BLOCKED ||
		 len == NGTCP2_ERR_STREAM_SHUT_WR ||
		 len == NGTCP2_ERR_WRITE_MORE);
	return len;
}
