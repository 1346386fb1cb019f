// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The keys of a connection: ngtcp2 gets them, and quic_offload */
#include <string.h>

#include <ngtcp2/ngtcp2_crypto.h>

#include "quic_ngtcp2.h"
#include "quic_ngtcp2_conn.h"
#include "quic_ngtcp2_crypto.h"

int quic_ngtcp2_conn_protect(void *arg, const struct quic_offload_keys *keys,
			     uint8_t *packet, size_t header_len, size_t len,
			     uint64_t number)
{
	struct quic_ngtcp2 *q = arg;

	return quic_ngtcp2_protect(ngtcp2_conn_get_crypto_ctx(q->conn),
				   &q->aead[keys->generation & 1], &q->hp_ctx,
				   keys->payload_iv, packet, header_len, len,
				   number);
}

/* The next generation: @keys has been filled in but for its number. */
static int add_keys(struct quic_ngtcp2 *q, struct quic_offload_keys *keys)
{
	const ngtcp2_crypto_ctx *ctx = ngtcp2_conn_get_crypto_ctx(q->conn);
	unsigned int phase = q->generations & 1;
	ngtcp2_crypto_aead_ctx aead;
	int err;

	keys->generation = q->generations;
	err = ngtcp2_crypto_aead_ctx_encrypt_init(&aead, &ctx->aead,
						  keys->payload_key,
						  sizeof(keys->payload_iv));
	if (!err) {
		ngtcp2_crypto_aead_ctx_free(&q->aead[phase]);
		q->aead[phase] = aead;
		q->keys[phase] = *keys;
		q->generations++;
		quic_ngtcp2_limit_renew(&q->limit, phase, ctx->max_encryption);
		err = quic_offload_conn_set_keys(q->offload, keys);
	}
	explicit_bzero(keys, sizeof(*keys));
	return err ? -1 : 0;
}

static uint16_t cipher(const struct quic_ngtcp2 *q)
{
	const ngtcp2_crypto_ctx *ctx = ngtcp2_conn_get_crypto_ctx(q->conn);

	return quic_ngtcp2_cipher(ctx, ngtcp2_crypto_aead_keylen(&ctx->aead));
}

/* Have ngtcp2's helper derive keys, and install them in ngtcp2.
 * Return: 1 if they are for 1-RTT packets; 0 if not: nobody else needs them; -1
 * on failure
 */
static int derive(struct quic_ngtcp2 *q,
		  typeof(&ngtcp2_crypto_derive_and_install_tx_key) install,
		  quic_ngtcp2_level level, const uint8_t *secret, size_t len,
		  struct quic_offload_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
	if (install(q->conn, keys->payload_key, keys->payload_iv,
		    keys->header_key, level, secret, len))
		return -1;
	if (level != QUIC_NGTCP2_1RTT) {
		explicit_bzero(keys, sizeof(*keys));
		return 0;
	}
	keys->cipher = cipher(q);
	return 1;
}

int quic_ngtcp2_install_tx_key(struct quic_ngtcp2 *q,
			       quic_ngtcp2_level level,
			       const uint8_t *secret, size_t len)
{
	struct quic_offload_keys keys;
	int ret;

	ret = derive(q, ngtcp2_crypto_derive_and_install_tx_key, level, secret,
		     len, &keys);
	return ret > 0 ? add_keys(q, &keys) : ret;
}

int quic_ngtcp2_install_rx_key(struct quic_ngtcp2 *q,
			       quic_ngtcp2_level level,
			       const uint8_t *secret, size_t len)
{
	struct quic_offload_keys keys;
	int ret;

	ret = derive(q, ngtcp2_crypto_derive_and_install_rx_key, level, secret,
		     len, &keys);
	return ret > 0 ? quic_ngtcp2_rx_add_keys(&q->rx, &keys) : ret;
}

int quic_ngtcp2_update_key(struct quic_ngtcp2 *q,
			   uint8_t *rx_secret, uint8_t *tx_secret,
			   ngtcp2_crypto_aead_ctx *rx_aead_ctx, uint8_t *rx_iv,
			   ngtcp2_crypto_aead_ctx *tx_aead_ctx, uint8_t *tx_iv,
			   const uint8_t *current_rx_secret,
			   const uint8_t *current_tx_secret, size_t secretlen)
{
	struct quic_offload_keys keys = q->keys[~q->generations & 1];
	struct quic_offload_keys rx = quic_ngtcp2_rx_next_keys(&q->rx);
	int err;

	err = ngtcp2_crypto_update_key(q->conn, rx_secret, tx_secret,
				       rx_aead_ctx, rx.payload_key, rx_iv,
				       tx_aead_ctx, keys.payload_key, tx_iv,
				       current_rx_secret, current_tx_secret,
				       secretlen);
	if (err) {
		explicit_bzero(&keys, sizeof(keys));
		explicit_bzero(&rx, sizeof(rx));
		return NGTCP2_ERR_CALLBACK_FAILURE;
	}
	memcpy(rx.payload_iv, rx_iv, sizeof(rx.payload_iv));
	memcpy(keys.payload_iv, tx_iv, sizeof(keys.payload_iv));
	err = add_keys(q, &keys);
	/* Who installs none is content with sending. */
	if (!err && q->rx.generations)
		err = quic_ngtcp2_rx_add_keys(&q->rx, &rx);
	explicit_bzero(&rx, sizeof(rx));
	return err ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}
