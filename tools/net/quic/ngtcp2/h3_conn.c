// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The life of a connection */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "h3_burst.h"
#include "h3_conn.h"
#include "h3_http.h"
#include "h3_util.h"

#define WINDOW		(16 << 20)	/* that a peer may send ahead */
#define IDLE_TIMEOUT	(30 * NGTCP2_SECONDS)

struct h3_conn *h3_conn_prepare(struct h3_endpoint *endpoint,
				struct h3_socket *sock,
				ngtcp2_callbacks *callbacks,
				ngtcp2_settings *settings,
				ngtcp2_transport_params *params)
{
	struct h3_conn *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->endpoint = endpoint;
	c->sock = sock;
	c->key_update = UINT64_MAX;
	c->timer = UINT64_MAX;
	c->burst.stream_id = -1;
	ngtcp2_connection_close_error_default(&c->error);

	h3_http_set_callbacks(callbacks);
	ngtcp2_settings_default(settings);
	settings->initial_ts = h3_now();

	ngtcp2_transport_params_default(params);
	params->initial_max_stream_data_bidi_local = WINDOW;
	params->initial_max_stream_data_bidi_remote = WINDOW;
	params->initial_max_stream_data_uni = WINDOW;
	params->initial_max_data = WINDOW;
	params->initial_max_streams_bidi = H3_STREAMS;
	params->initial_max_streams_uni = 3;
	params->max_idle_timeout = IDLE_TIMEOUT;
	params->active_connection_id_limit = 7;
	return c;
}

int h3_conn_start(struct h3_conn *c, const char *server_name)
{
	c->packets = quic_ngtcp2_new(c->quic);
	if (!c->packets)
		return -1;
	quic_ngtcp2_set_offload(c->packets, c->sock->offloaded);
	if (c->endpoint->options->shortest)
		quic_offload_conn_set_shortest(quic_ngtcp2_offload(c->packets),
					       c->endpoint->options->shortest);
	quic_ngtcp2_set_tclass(c->packets, c->endpoint->options->tclass);
	quic_ngtcp2_set_interface(c->packets, c->endpoint->options->ifindex);
	c->tls.quic = c->quic;
	c->tls.packets = c->packets;
	if (h3_tls_start(&c->tls, c->endpoint->options, c->endpoint->cred,
			 server_name))
		return -1;
	c->next = c->endpoint->conns;
	c->endpoint->conns = c;
	return 0;
}

void h3_conn_free(struct h3_conn *c)
{
	nghttp3_conn_del(c->http);
	quic_ngtcp2_free(c->packets);
	ngtcp2_conn_del(c->quic);
	h3_tls_end(&c->tls);
	free(c);
}

/* True if the socket has no room. */
static bool send_batch(struct h3_conn *c)
{
	int err = quic_ngtcp2_send(c->packets);

	if (err == -EMSGSIZE) {
		if (!c->shrunk)
			fprintf(stderr, "the path takes smaller packets now\n");
		c->shrunk = true;
	} else if (err == -EKEYEXPIRED) {
		c->expired = true;
	} else if (err && err != -EAGAIN) {
		fprintf(stderr, "packet not sent: %s\n", strerror(-err));
	}
	return err == -EAGAIN;
}

static void finish_close(struct h3_conn *c)
{
	c->blocked = send_batch(c);
	c->dead = !c->blocked;
}

void h3_conn_close(struct h3_conn *c)
{
	if (c->closing)
		return;
	c->closing = true;
	c->dead = true;
	if (!ngtcp2_conn_is_in_draining_period(c->quic) &&
	    quic_ngtcp2_write_close(c->packets, &c->error, h3_now()) > 0)
		finish_close(c);
}

/* Without a word to the peer */
static void drop(struct h3_conn *c)
{
	c->closing = true;
	c->dead = true;
}

/* ngtcp2 says that the connection cannot go on. */
static void fail(struct h3_conn *c, int err)
{
	ngtcp2_connection_close_error peer;

	switch (err) {
	case NGTCP2_ERR_DRAINING:
		ngtcp2_conn_get_connection_close_error(c->quic, &peer);
		if (peer.error_code != NGTCP2_NO_ERROR &&
		    peer.error_code != NGHTTP3_H3_NO_ERROR)
			fprintf(stderr, "closed by peer: error 0x%llx\n",
				(unsigned long long)peer.error_code);
		drop(c);
		return;
	case NGTCP2_ERR_IDLE_CLOSE:
	case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
	case NGTCP2_ERR_DROP_CONN:
	case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
		fprintf(stderr, "connection lost: %s\n", ngtcp2_strerror(err));
		drop(c);
		return;
	case NGTCP2_ERR_CRYPTO:
		ngtcp2_connection_close_error_set_transport_error_tls_alert(
			&c->error, ngtcp2_conn_get_tls_alert(c->quic), NULL, 0);
		break;
	default:
		/* If HTTP/3 has found the error, its code stays. */
		if (c->error.error_code == NGTCP2_NO_ERROR)
			ngtcp2_connection_close_error_set_transport_error_liberr(
				&c->error, err, NULL, 0);
	}
	fprintf(stderr, "connection failed: %s\n", ngtcp2_strerror(err));
	h3_conn_close(c);
}

void h3_conn_read(struct h3_conn *c, const ngtcp2_path *path,
		  const ngtcp2_pkt_info *info,
		  const struct quic_offload_datagram *datagram)
{
	int err;

	if (c->closing)
		return;
	c->touched = true;
	err = quic_ngtcp2_read_pkt(c->packets, path, info, datagram, h3_now());
	if (err)
		fail(c, err);
}

/* Write and send as much as may leave in one go. */
void h3_conn_write(struct h3_conn *c)
{
	size_t max = ngtcp2_conn_get_max_tx_udp_payload_size(c->quic);
	size_t quantum = ngtcp2_conn_get_send_quantum(c->quic);
	size_t burst = c->endpoint->options->burst;
	ngtcp2_tstamp now = h3_now();
	ngtcp2_ssize len;
	size_t total = 0;

	/* What was left comes first. */
	c->blocked = send_batch(c);
	if (c->blocked)
		return;
	do {
		len = h3_burst_write(c, now);
		if (len > 0)
			total += len;
	} while (len > 0 && total + max <= quantum && --burst);
	h3_burst_end(c);
	if (len < 0 && len != NGTCP2_ERR_NOBUF) {
		fail(c, len);
		return;
	}
	c->blocked = send_batch(c);
	if (c->expired) {
		fail(c, NGTCP2_ERR_AEAD_LIMIT_REACHED);
		return;
	}
	c->busy = len && !c->blocked;
	c->touched = false;
	ngtcp2_conn_update_pkt_tx_time(c->quic, now);
	c->expiry = quic_ngtcp2_expiry(c->packets);
}

/* Do what is due. */
void h3_conn_tick(struct h3_conn *c, ngtcp2_tstamp now)
{
	int err;

	if (c->blocked || c->dead)
		return;
	if (c->closing) {
		finish_close(c);
		return;
	}
	if (c->timer <= now)
		c->endpoint->side->timer(c, now);
	if (c->closing)
		return;
	if (c->key_update <= now) {
		/* Refused as long as the last one is not confirmed */
		ngtcp2_conn_initiate_key_update(c->quic, now);
		c->key_update = now + c->endpoint->options->key_update;
		c->touched = true;
	}
	if (c->expiry <= now) {
		err = ngtcp2_conn_handle_expiry(c->quic, now);
		if (err) {
			fail(c, err);
			return;
		}
		c->touched = true;
	}
	if (c->touched || c->busy)
		h3_conn_write(c);
}
