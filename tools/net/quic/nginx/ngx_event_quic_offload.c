// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What nginx's QUIC needs to leave packets to the kernel with quic_offload.h: an
 * object for each listening socket and one for each connection.
 */
#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_quic_connection.h>

#include <quic_offload_socket.h>
#include <linux/tls.h>

/* What is being handled, and where it came from */
static struct quic_offload_datagram datagram;
static struct quic_offload_socket *receiver;

static void notice(void *data, const char *text)
{
	ngx_listening_t *ls = data;

	ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
		      "quic offload on %V: %s", &ls->addr_text, text);
}

/*
 * In the master: attaching may load the kernel's module, which takes privileges
 * that workers have not. They inherit sockets and objects, each its own copy.
 * A socket that quic_bpf, which comes before, has put into its map is refused.
 */
ngx_int_t ngx_quic_offload_init(ngx_cycle_t *cycle)
{
	ngx_listening_t *ls = cycle->listening.elts;
	ngx_pool_cleanup_t *cln;
	ngx_uint_t i;

	for (i = 0; i < cycle->listening.nelts && !ngx_test_config; i++) {
		if (!ls[i].quic)
			continue;

		cln = ngx_pool_cleanup_add(cycle->pool, 0);
		ls[i].offload = quic_offload_socket_new(ls[i].fd, notice, &ls[i]);
		if (!cln || !ls[i].offload)
			return NGX_ERROR;

		cln->handler = (ngx_pool_cleanup_pt)quic_offload_socket_free;
		cln->data = ls[i].offload;
	}

	return NGX_OK;
}

/*
 * The master keeps sockets open, and with them the flows of a worker that was
 * killed. Who takes its place deletes them; other workers on the same socket add
 * theirs again when they miss them.
 */
ngx_int_t ngx_quic_offload_init_process(ngx_cycle_t *cycle)
{
	ngx_process_t *process = &ngx_processes[ngx_process_slot];
	ngx_listening_t *ls = cycle->listening.elts;
	ngx_uint_t i;

	if (!process->exited || !WIFSIGNALED(process->status))
		return NGX_OK;

	for (i = 0; i < cycle->listening.nelts; i++) {
		if (!ls[i].quic || (ls[i].reuseport && ls[i].worker != ngx_worker))
			continue;
		setsockopt(ls[i].fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION, NULL, 0);
		setsockopt(ls[i].fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, NULL, 0);
	}

	return NGX_OK;
}

/*
 * The packet is made once more, where it is, and sealed. The keys are those that
 * nginx sends with: it keeps no built packets.
 */
static int protect(void *data, const struct quic_offload_keys *keys,
		   uint8_t *packet, size_t header_len, size_t len,
		   uint64_t number)
{
	u_char dcid[NGX_QUIC_MAX_CID_LEN];
	ngx_str_t res = { .data = packet };
	ngx_quic_header_t pkt = {
		.keys = data,
		.level = ssl_encryption_application,
		.log = ngx_cycle->log,
		.flags = packet[0],
		.num_len = (packet[0] & 0x03) + 1,
		.number = number,
		.trunc = number,
		.dcid.data = dcid,
		.payload = { len - header_len, packet + header_len },
	};

	pkt.dcid.len = header_len - 1 - pkt.num_len;
	memcpy(dcid, packet + 1, pkt.dcid.len);

	return ngx_quic_encrypt(&pkt, &res) == NGX_OK ? 0 : -1;
}

void ngx_quic_offload_add_key(ngx_quic_keys_t *keys, ngx_uint_t is_write,
			      ngx_quic_secret_t *secret, ngx_quic_md_t *key)
{
	static const uint16_t ciphers[] = {	/* TLS1_3_CK_... */
		[1] = TLS_CIPHER_AES_GCM_128,
		[2] = TLS_CIPHER_AES_GCM_256,
		[3] = TLS_CIPHER_CHACHA20_POLY1305,
		[4] = TLS_CIPHER_AES_CCM_128,
	};
	struct quic_offload_keys k = {
		.cipher = ciphers[keys->cipher & 0xf],
	};

	/* Without it all packets are sealed. With 1, packets that come one by one
	 * are opened by the kernel, as all do without UDP_GRO.
	 */
	if (!keys->generations[0] && !keys->generations[1]) {
		keys->offload = quic_offload_conn_new(protect, keys);
		if (keys->offload)
			quic_offload_conn_set_shortest(keys->offload, 1);
	}

	k.generation = keys->generations[is_write]++;
	memcpy(k.header_key, secret->hp.data, secret->hp.len);
	memcpy(k.payload_key, key->data, key->len);
	memcpy(k.payload_iv, secret->iv.data, secret->iv.len);

	if (keys->offload && is_write)
		quic_offload_conn_set_keys(keys->offload, &k);
	else if (keys->offload)
		quic_offload_conn_set_rx_keys(keys->offload, &k);

	explicit_bzero(&k, sizeof(k));
}

/* Where the kernel would not be asked nginx does what it always did. */
ngx_uint_t ngx_quic_offload_allowed(ngx_connection_t *c)
{
	ngx_quic_connection_t *qc = ngx_quic_get_connection(c);

	return qc->keys->offload &&
	       quic_offload_socket_enable(c->listening->offload, true);
}

/* One datagram a message: nginx does not use UDP_GRO. */
void ngx_quic_offload_received(ngx_listening_t *ls, struct msghdr *msg, size_t n)
{
	struct quic_offload_message message;

	receiver = ls->offload;
	quic_offload_received(&message, receiver, msg, n);
	quic_offload_next(&message, &datagram);
}

/* Not one that is coalesced, or has been copied: the kernel opens neither. */
struct quic_offload_datagram *ngx_quic_offload_datagram(ngx_quic_header_t *pkt)
{
	static struct quic_offload_datagram sealed;

	return pkt->data == datagram.data ? &datagram : &sealed;
}

/* Like ngx_quic_crypto_open(); sets pkt->error where the connection has to end. */
ngx_int_t ngx_quic_offload_open(ngx_quic_header_t *pkt,
				struct quic_offload_datagram *d,
				ngx_quic_secret_t *secret, u_char *nonce,
				ngx_str_t *in, ngx_str_t *ad)
{
	ngx_quic_keys_t *keys = pkt->keys;
	struct quic_offload_conn *conn = keys->offload;
	struct quic_offload_packet packet = {
		.data = ad->data,
		.len = ad->len,
		.number = pkt->pn,
		.dcid_len = pkt->dcid.len,
	};
	uint8_t generation;

	if (!conn || pkt->level != ssl_encryption_application)
		return ngx_quic_crypto_open(secret, &pkt->payload, nonce, in, ad,
					    pkt->log);

	if (d->status == QUIC_OFFLOAD_OPENED) {
		/* The next key is there, but for a moment after an update. */
		generation = keys->generations[0] - 1;
		if (keys->next_key.client.ctx && !pkt->key_update)
			generation--;

		pkt->payload.data = in->data;
		return quic_offload_agree(conn, d, pkt->pn, generation) ?
		       NGX_OK : NGX_ERROR;
	}

	if (d->status != QUIC_OFFLOAD_LIMIT &&
	    ngx_quic_crypto_open(secret, &pkt->payload, nonce, in, ad,
				 pkt->log) == NGX_OK) {
		quic_offload_opened(receiver, conn, 0, d, &packet);
		return NGX_OK;
	}

	if (!quic_offload_failed(conn, d))
		pkt->error = NGX_QUIC_ERR_AEAD_LIMIT_REACHED;
	return NGX_ERROR;
}
