// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The side of quic_preload.so that faces ngtcp2: stands in for the functions
 * that learn the keys and protect the packets of a connection.
 *
 * Of ngtcp2 only that is used which is the same in 0.12 and 1.22.
 */
#define _GNU_SOURCE
#include <string.h>

#include "quic_ngtcp2_crypto.h"
#include "quic_preload.h"
#include "quic_preload_conn.h"
#include "quic_preload_keys.h"
#include "quic_preload_opened.h"

/* Programs that know nothing of ngtcp2 are to start as well. */
#pragma weak ngtcp2_conn_get_crypto_ctx
#pragma weak ngtcp2_crypto_aead_keylen

#if NGTCP2_VERSION_NUM < 0x010000
typedef ngtcp2_crypto_level encryption_level;
#define LEVEL_1RTT	NGTCP2_CRYPTO_LEVEL_APPLICATION
#else
typedef ngtcp2_encryption_level encryption_level;
#define LEVEL_1RTT	NGTCP2_ENCRYPTION_LEVEL_1RTT
#endif

/* What ngtcp2_conn_install_tx_key() is given inside of derive_and_... */
static _Thread_local struct installed {
	ngtcp2_crypto_aead_ctx aead_ctx;
	ngtcp2_crypto_cipher_ctx hp_ctx;
} *installed;

/* The packet that hp_mask() is about to be called for */
static _Thread_local struct {
	const uint8_t *payload;	/* NULL if it is none of ours */
	const uint8_t *header;
	const uint8_t *tag;
	const ngtcp2_crypto_aead_ctx *aead_ctx;
	bool deferred;
} last;

/* What ngtcp2_conn_read_pkt() is about, NULL if that is none of ours */
static _Thread_local struct quic_ngtcp2_reading *reading;

atomic_bool preload_encrypts;

EXPORT int ngtcp2_crypto_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
				 const ngtcp2_crypto_aead_ctx *aead_ctx,
				 const uint8_t *plaintext, size_t plaintextlen,
				 const uint8_t *nonce, size_t noncelen,
				 const uint8_t *aad, size_t aadlen)
{
	bool ours = !preload_inside && !preload_off && dest == plaintext;

	if (!preload_encrypts)
		preload_encrypts = true;
	last.payload = ours ? dest : NULL;
	last.header = aad;
	last.tag = dest + plaintextlen;
	last.aead_ctx = aead_ctx;
	last.deferred = ours && preload_defer(dest, plaintextlen, aead_ctx,
					      nonce, noncelen, aad, aadlen);
	if (last.deferred)
		return 0;
	return NEXT(ngtcp2_crypto_encrypt)(dest, aead, aead_ctx, plaintext,
					   plaintextlen, nonce, noncelen,
					   aad, aadlen);
}

EXPORT int ngtcp2_crypto_hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp,
				 const ngtcp2_crypto_cipher_ctx *hp_ctx,
				 const uint8_t *sample)
{
	const uint8_t *payload = last.payload;

	if (reading && quic_ngtcp2_rx_unmasked(reading, sample)) {
		memset(dest, 0, NGTCP2_HP_MASKLEN);
		return 0;
	}
	/* The sample begins 4 bytes after the packet number does. */
	last.payload = NULL;
	if (payload && sample >= payload && sample < payload + 4) {
		if (last.deferred) {
			preload_hide_header(dest, last.header, sample - 4);
			return 0;
		}
		preload_protected(last.aead_ctx, last.tag);
	}
	return NEXT(ngtcp2_crypto_hp_mask)(dest, hp, hp_ctx, sample);
}

EXPORT int ngtcp2_crypto_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
				 const ngtcp2_crypto_aead_ctx *aead_ctx,
				 const uint8_t *ciphertext, size_t len,
				 const uint8_t *nonce, size_t nonce_len,
				 const uint8_t *header, size_t header_len)
{
	ngtcp2_decrypt open = NEXT(ngtcp2_crypto_decrypt);
	int err;

	if (!reading || preload_inside)
		return open(dest, aead, aead_ctx, ciphertext, len, nonce,
			    nonce_len, header, header_len);
	preload_lock();
	err = quic_ngtcp2_rx_open(reading, open, dest, aead, aead_ctx,
				  ciphertext, len, nonce, nonce_len, header,
				  header_len);
	preload_unlock();
	return err;
}

/* What the kernel says of a generation is known modulo 4 here. */
static void set_generation(struct quic_ngtcp2_reading *now)
{
	uint8_t *generation = &now->datagram.generation;
	unsigned int i;

	for (i = 0; i < 2; i++)
		if (*generation == (now->rx->keys[i].generation & 3)) {
			*generation = now->rx->keys[i].generation;
			break;
		}
}

EXPORT int ngtcp2_conn_read_pkt_versioned(ngtcp2_conn *conn,
					  const ngtcp2_path *path,
					  int pkt_info_version,
					  const ngtcp2_pkt_info *info,
					  const uint8_t *packet, size_t len,
					  ngtcp2_tstamp ts)
{
	struct quic_ngtcp2_reading now = { 0 };
	struct preload_conn *ours;
	int err;

	preload_lock();
	ours = preload_find(PRELOAD_NGTCP2, (uintptr_t)conn);
	if (ours && ours->rx.generations) {
		now.rx = &ours->rx;
		preload_recognise(packet, len, &now.datagram);
		/* A system call, for those only that the kernel may be told of */
		if (now.datagram.status != QUIC_OFFLOAD_OPENED)
			now.sock = preload_socket(preload_received_on());
		now.datagram.from = path->remote.addr;
		now.datagram.from_len = path->remote.addrlen;
		set_generation(&now);
		reading = &now;
	}
	preload_unlock();
	err = NEXT(ngtcp2_conn_read_pkt_versioned)(conn, path, pkt_info_version,
						   info, packet, len, ts);
	reading = NULL;
	return now.limit ? NGTCP2_ERR_AEAD_LIMIT_REACHED : err;
}

EXPORT int ngtcp2_conn_install_tx_key(ngtcp2_conn *conn, const uint8_t *secret,
				      size_t secretlen,
				      const ngtcp2_crypto_aead_ctx *aead_ctx,
				      const uint8_t *iv, size_t ivlen,
				      const ngtcp2_crypto_cipher_ctx *hp_ctx)
{
	if (installed) {
		installed->aead_ctx = *aead_ctx;
		installed->hp_ctx = *hp_ctx;
	}
	return NEXT(ngtcp2_conn_install_tx_key)(conn, secret, secretlen,
						aead_ctx, iv, ivlen, hp_ctx);
}

/* The caller may want the keys as well, or not. */
static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
	if (to)
		memcpy(to, from, len);
}

/* What was derived, and its cipher is found out. */
static void give_keys(ngtcp2_conn *conn, struct quic_offload_keys *keys,
		      uint8_t *key, uint8_t *iv, uint8_t *hp)
{
	const ngtcp2_crypto_ctx *crypto = ngtcp2_conn_get_crypto_ctx(conn);
	size_t key_len = ngtcp2_crypto_aead_keylen(&crypto->aead);

	copy(key, keys->payload_key, key_len);
	copy(iv, keys->payload_iv, sizeof(keys->payload_iv));
	copy(hp, keys->header_key, key_len);
	keys->cipher = quic_ngtcp2_cipher(crypto, key_len);
}

EXPORT int ngtcp2_crypto_derive_and_install_tx_key(ngtcp2_conn *conn,
						   uint8_t *key, uint8_t *iv,
						   uint8_t *hp,
						   encryption_level level,
						   const uint8_t *secret,
						   size_t secretlen)
{
	struct quic_offload_keys keys = { 0 };
	struct installed from = { 0 };
	int err;

	if (level != LEVEL_1RTT || preload_off)
		return NEXT(ngtcp2_crypto_derive_and_install_tx_key)(conn, key,
				iv, hp, level, secret, secretlen);

	installed = &from;
	err = NEXT(ngtcp2_crypto_derive_and_install_tx_key)(conn,
			keys.payload_key, keys.payload_iv, keys.header_key,
			level, secret, secretlen);
	installed = NULL;
	if (!err) {
		give_keys(conn, &keys, key, iv, hp);
		if (keys.cipher && from.aead_ctx.native_handle)
			preload_add_conn(conn, &from.aead_ctx, &from.hp_ctx,
					 &keys);
	}
	explicit_bzero(&keys, sizeof(keys));
	return err;
}

EXPORT int ngtcp2_crypto_derive_and_install_rx_key(ngtcp2_conn *conn,
						   uint8_t *key, uint8_t *iv,
						   uint8_t *hp,
						   encryption_level level,
						   const uint8_t *secret,
						   size_t secretlen)
{
	struct quic_offload_keys keys = { 0 };
	int err;

	if (level != LEVEL_1RTT || preload_off)
		return NEXT(ngtcp2_crypto_derive_and_install_rx_key)(conn, key,
				iv, hp, level, secret, secretlen);

	err = NEXT(ngtcp2_crypto_derive_and_install_rx_key)(conn,
			keys.payload_key, keys.payload_iv, keys.header_key,
			level, secret, secretlen);
	if (!err) {
		give_keys(conn, &keys, key, iv, hp);
		if (keys.cipher)
			preload_add_rx_keys(conn, &keys);
	}
	explicit_bzero(&keys, sizeof(keys));
	return err;
}

EXPORT int ngtcp2_crypto_update_key(ngtcp2_conn *conn, uint8_t *rx_secret,
				    uint8_t *tx_secret,
				    ngtcp2_crypto_aead_ctx *rx_aead_ctx,
				    uint8_t *rx_key, uint8_t *rx_iv,
				    ngtcp2_crypto_aead_ctx *tx_aead_ctx,
				    uint8_t *tx_key, uint8_t *tx_iv,
				    const uint8_t *current_rx_secret,
				    const uint8_t *current_tx_secret,
				    size_t secretlen)
{
	int err;

	err = NEXT(ngtcp2_crypto_update_key)(conn, rx_secret, tx_secret,
					     rx_aead_ctx, rx_key, rx_iv,
					     tx_aead_ctx, tx_key, tx_iv,
					     current_rx_secret,
					     current_tx_secret, secretlen);
	if (!err)
		preload_update_keys(conn, tx_aead_ctx, tx_key, tx_iv, rx_key,
				    rx_iv);
	return err;
}

EXPORT int ngtcp2_conn_handle_expiry(ngtcp2_conn *conn, ngtcp2_tstamp ts)
{
	preload_expired(conn);
	return NEXT(ngtcp2_conn_handle_expiry)(conn, ts);
}

EXPORT void ngtcp2_conn_del(ngtcp2_conn *conn)
{
	preload_del_conn(conn);
	NEXT(ngtcp2_conn_del)(conn);
}

/*
 * A handshake has left, and then a packet with a short header, while ngtcp2 has
 * encrypted nothing here.
 */
void preload_watch(int fd, const struct msghdr *msg)
{
	/* Version 1, and 2 of RFC 9369 */
	static const uint8_t versions[][4] = {
		{ 0x00, 0x00, 0x00, 0x01 }, { 0x6b, 0x33, 0x43, 0xcf },
	};
	static atomic_int quic_fd = -1;
	const uint8_t *data;

	if (!ngtcp2_crypto_aead_keylen || !preload_is_udp(fd) ||
	    !msg->msg_iov || !msg->msg_iovlen || msg->msg_iov[0].iov_len < 5)
		return;
	data = msg->msg_iov[0].iov_base;
	if (!(data[0] & 0x80)) {
		if (fd != quic_fd)
			return;
		preload_lock();
		preload_say("ngtcp2 does not call this library (linked with "
			    "-Bsymbolic-functions?): nothing is offloaded");
		preload_unlock();
	} else if (!memcmp(data + 1, versions[0], 4) ||
		   !memcmp(data + 1, versions[1], 4)) {
		quic_fd = fd;
	}
}
