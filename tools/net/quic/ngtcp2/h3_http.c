// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What ngtcp2 and nghttp3 tell each other of a connection */
#include "h3_http.h"
#include "h3_util.h"

int h3_http_error(struct h3_conn *c, int err)
{
	ngtcp2_connection_close_error_set_application_error(&c->error,
		nghttp3_err_infer_quic_app_error_code(err), NULL, 0);
	return NGTCP2_ERR_CALLBACK_FAILURE;
}

/* From ngtcp2 to nghttp3 */

static int recv_stream_data(ngtcp2_conn *quic, uint32_t flags,
			    int64_t stream_id, uint64_t offset,
			    const uint8_t *data, size_t len,
			    void *user_data, void *stream_user_data)
{
	struct h3_conn *c = user_data;
	nghttp3_ssize n;

	n = nghttp3_conn_read_stream(c->http, stream_id, data, len,
				     flags & NGTCP2_STREAM_DATA_FLAG_FIN);
	if (n < 0)
		return h3_http_error(c, n);
	h3_http_consumed(c, stream_id, n);
	c->received += len;
	return 0;
}

static int acked_stream_data(ngtcp2_conn *quic, int64_t stream_id,
			     uint64_t offset, uint64_t len,
			     void *user_data, void *stream_user_data)
{
	struct h3_conn *c = user_data;
	int err;

	err = nghttp3_conn_add_ack_offset(c->http, stream_id, len);
	return err ? h3_http_error(c, err) : 0;
}

static int stream_close(ngtcp2_conn *quic, uint32_t flags, int64_t stream_id,
			uint64_t app_error_code, void *user_data,
			void *stream_user_data)
{
	struct h3_conn *c = user_data;
	int err;

	if (!(flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET))
		app_error_code = NGHTTP3_H3_NO_ERROR;
	if (ngtcp2_is_bidi_stream(stream_id) &&
	    !ngtcp2_conn_is_local_stream(quic, stream_id))
		ngtcp2_conn_extend_max_streams_bidi(quic, 1);
	/* Its data goes with it. */
	if (c->burst.stream_id == stream_id)
		c->burst.stream_id = -1;
	err = nghttp3_conn_close_stream(c->http, stream_id, app_error_code);
	if (err && err != NGHTTP3_ERR_STREAM_NOT_FOUND)
		return h3_http_error(c, err);
	return 0;
}

static int stream_reset(ngtcp2_conn *quic, int64_t stream_id,
			uint64_t final_size, uint64_t app_error_code,
			void *user_data, void *stream_user_data)
{
	struct h3_conn *c = user_data;
	int err;

	err = nghttp3_conn_shutdown_stream_read(c->http, stream_id);
	return err ? h3_http_error(c, err) : 0;
}

static int stream_stop_sending(ngtcp2_conn *quic, int64_t stream_id,
			       uint64_t app_error_code, void *user_data,
			       void *stream_user_data)
{
	return stream_reset(quic, stream_id, 0, app_error_code, user_data,
			    stream_user_data);
}

static int extend_max_stream_data(ngtcp2_conn *quic, int64_t stream_id,
				  uint64_t max_data, void *user_data,
				  void *stream_user_data)
{
	struct h3_conn *c = user_data;
	int err;

	err = nghttp3_conn_unblock_stream(c->http, stream_id);
	return err ? h3_http_error(c, err) : 0;
}

static int extend_max_remote_streams(ngtcp2_conn *quic, uint64_t max,
				     void *user_data)
{
	struct h3_conn *c = user_data;

	if (c->http)
		nghttp3_conn_set_max_client_streams_bidi(c->http, max);
	return 0;
}

static int extend_max_local_streams(ngtcp2_conn *quic, uint64_t max,
				    void *user_data)
{
	struct h3_conn *c = user_data;

	if (!c->http || !c->endpoint->side->more_streams)
		return 0;
	return c->endpoint->side->more_streams(c);
}

/* From nghttp3 to ngtcp2 */

void h3_http_consumed(struct h3_conn *c, int64_t stream_id, size_t len)
{
	ngtcp2_conn_extend_max_stream_offset(c->quic, stream_id, len);
	ngtcp2_conn_extend_max_offset(c->quic, len);
}

static int deferred_consume(nghttp3_conn *http, int64_t stream_id, size_t len,
			    void *user_data, void *stream_user_data)
{
	h3_http_consumed(user_data, stream_id, len);
	return 0;
}

static int stop_sending(nghttp3_conn *http, int64_t stream_id,
			uint64_t app_error_code, void *user_data,
			void *stream_user_data)
{
	struct h3_conn *c = user_data;

	return ngtcp2_conn_shutdown_stream_read(c->quic, stream_id,
						app_error_code) ?
	       NGHTTP3_ERR_CALLBACK_FAILURE : 0;
}

static int reset_stream(nghttp3_conn *http, int64_t stream_id,
			uint64_t app_error_code, void *user_data,
			void *stream_user_data)
{
	struct h3_conn *c = user_data;

	return ngtcp2_conn_shutdown_stream_write(c->quic, stream_id,
						 app_error_code) ?
	       NGHTTP3_ERR_CALLBACK_FAILURE : 0;
}

static int start_http(struct h3_conn *c)
{
	nghttp3_callbacks callbacks = *c->endpoint->side->http;
	int64_t control, encoder, decoder;
	nghttp3_settings settings;
	int err;

	callbacks.deferred_consume = deferred_consume;
	callbacks.stop_sending = stop_sending;
	callbacks.reset_stream = reset_stream;
	nghttp3_settings_default(&settings);
	if (ngtcp2_conn_is_server(c->quic)) {
		err = nghttp3_conn_server_new(&c->http, &callbacks, &settings,
					      NULL, c);
		if (!err)
			nghttp3_conn_set_max_client_streams_bidi(c->http,
								 H3_STREAMS);
	} else {
		err = nghttp3_conn_client_new(&c->http, &callbacks, &settings,
					      NULL, c);
	}
	if (err)
		return -1;
	if (ngtcp2_conn_open_uni_stream(c->quic, &control, NULL) ||
	    ngtcp2_conn_open_uni_stream(c->quic, &encoder, NULL) ||
	    ngtcp2_conn_open_uni_stream(c->quic, &decoder, NULL) ||
	    nghttp3_conn_bind_control_stream(c->http, control) ||
	    nghttp3_conn_bind_qpack_streams(c->http, encoder, decoder))
		return -1;
	return 0;
}

/* Other callbacks of ngtcp2 */

static int handshake_completed(ngtcp2_conn *quic, void *user_data)
{
	struct h3_conn *c = user_data;

	if (start_http(c))
		return NGTCP2_ERR_CALLBACK_FAILURE;
	if (c->endpoint->options->key_update)
		c->key_update = h3_now() + c->endpoint->options->key_update;
	return c->endpoint->side->ready ? c->endpoint->side->ready(c) : 0;
}

static int update_key(ngtcp2_conn *quic, uint8_t *rx_secret, uint8_t *tx_secret,
		      ngtcp2_crypto_aead_ctx *rx_aead_ctx, uint8_t *rx_iv,
		      ngtcp2_crypto_aead_ctx *tx_aead_ctx, uint8_t *tx_iv,
		      const uint8_t *current_rx_secret,
		      const uint8_t *current_tx_secret, size_t secretlen,
		      void *user_data)
{
	struct h3_conn *c = user_data;

	return quic_ngtcp2_update_key(c->packets, rx_secret, tx_secret,
				      rx_aead_ctx, rx_iv, tx_aead_ctx, tx_iv,
				      current_rx_secret, current_tx_secret,
				      secretlen);
}

static int dcid_status(ngtcp2_conn *quic, int type, uint64_t seq,
		       const ngtcp2_cid *cid, const uint8_t *token,
		       void *user_data)
{
	struct h3_conn *c = user_data;

	if (type == NGTCP2_CONNECTION_ID_STATUS_TYPE_DEACTIVATE)
		quic_offload_conn_retire(quic_ngtcp2_offload(c->packets),
					 cid->data, cid->datalen);
	return 0;
}

static int get_new_connection_id(ngtcp2_conn *quic, ngtcp2_cid *cid,
				 uint8_t *token, size_t cidlen, void *user_data)
{
	struct h3_conn *c = user_data;

	h3_random(cid->data, cidlen);
	cid->datalen = cidlen;
	h3_random(token, NGTCP2_STATELESS_RESET_TOKENLEN);
	h3_cid_add(&c->endpoint->cids, cid, c);
	return 0;
}

static int remove_connection_id(ngtcp2_conn *quic, const ngtcp2_cid *cid,
				void *user_data)
{
	struct h3_conn *c = user_data;

	h3_cid_remove(&c->endpoint->cids, cid);
	quic_offload_conn_retire_rx(quic_ngtcp2_offload(c->packets), cid->data,
				    cid->datalen);
	return 0;
}

static void random_bytes(uint8_t *dest, size_t len,
			 const ngtcp2_rand_ctx *rand_ctx)
{
	h3_random(dest, len);
}

void h3_http_set_callbacks(ngtcp2_callbacks *callbacks)
{
	*callbacks = (ngtcp2_callbacks) {
		.client_initial = ngtcp2_crypto_client_initial_cb,
		.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
		.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
		.handshake_completed = handshake_completed,
		.recv_stream_data = recv_stream_data,
		.acked_stream_data_offset = acked_stream_data,
		.stream_close = stream_close,
		.recv_retry = ngtcp2_crypto_recv_retry_cb,
		.extend_max_local_streams_bidi = extend_max_local_streams,
		.rand = random_bytes,
		.get_new_connection_id = get_new_connection_id,
		.remove_connection_id = remove_connection_id,
		.update_key = update_key,
		.stream_reset = stream_reset,
		.extend_max_remote_streams_bidi = extend_max_remote_streams,
		.extend_max_stream_data = extend_max_stream_data,
		.dcid_status = dcid_status,
		.delete_crypto_aead_ctx =
			ngtcp2_crypto_delete_crypto_aead_ctx_cb,
		.delete_crypto_cipher_ctx =
			ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
		.get_path_challenge_data =
			ngtcp2_crypto_get_path_challenge_data_cb,
		.stream_stop_sending = stream_stop_sending,
		.version_negotiation = ngtcp2_crypto_version_negotiation_cb,
	};
	quic_ngtcp2_set_callbacks(callbacks);
}
