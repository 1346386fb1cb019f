// SPDX-License-Identifier: GPL-2.0
/*
 * A shared object, for quic_preload.so to stand in for what is in it; also for
 * what is called from here, so that the compiler must not know it better.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "fake_ngtcp2.h"
#include "quic_lib.h"

#if NGTCP2_VERSION_NUM < 0x010000
#define ngtcp2_encryption_level ngtcp2_crypto_level
#define NGTCP2_ENCRYPTION_LEVEL_1RTT NGTCP2_CRYPTO_LEVEL_APPLICATION
#endif

#define KEY_LEN		16

/* Its helper library for cryptography */

/* A context is a copy of the key. */
static void *new_context(const uint8_t *key)
{
	void *context = malloc(KEY_LEN);

	if (!context)
		abort();
	return memcpy(context, key, KEY_LEN);
}

const ngtcp2_crypto_ctx *ngtcp2_conn_get_crypto_ctx(ngtcp2_conn *conn)
{
	static const ngtcp2_crypto_ctx ctx = {
		.aead.max_overhead = QUIC_TAG_SIZE,
		.max_encryption = 1 << 23,
	};

	return &ctx;
}

size_t ngtcp2_crypto_aead_keylen(const ngtcp2_crypto_aead *aead)
{
	return KEY_LEN;
}

int ngtcp2_crypto_aead_ctx_encrypt_init(ngtcp2_crypto_aead_ctx *aead_ctx,
					const ngtcp2_crypto_aead *aead,
					const uint8_t *key, size_t noncelen)
{
	aead_ctx->native_handle = new_context(key);
	return 0;
}

void ngtcp2_crypto_aead_ctx_free(ngtcp2_crypto_aead_ctx *aead_ctx)
{
	free(aead_ctx->native_handle);
	aead_ctx->native_handle = NULL;
}

int ngtcp2_crypto_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
			  const ngtcp2_crypto_aead_ctx *aead_ctx,
			  const uint8_t *plaintext, size_t plaintextlen,
			  const uint8_t *nonce, size_t noncelen,
			  const uint8_t *aad, size_t aadlen)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool done;
	int n;

	done = ctx &&
	       EVP_EncryptInit_ex(ctx, EVP_aes_128_gcm(), NULL,
				  aead_ctx->native_handle, nonce) &&
	       EVP_EncryptUpdate(ctx, NULL, &n, aad, aadlen) &&
	       EVP_EncryptUpdate(ctx, dest, &n, plaintext, plaintextlen) &&
	       EVP_EncryptFinal_ex(ctx, dest + plaintextlen, &n) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, QUIC_TAG_SIZE,
				   dest + plaintextlen);
	EVP_CIPHER_CTX_free(ctx);
	return done ? 0 : -1;
}

int ngtcp2_crypto_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead,
			  const ngtcp2_crypto_aead_ctx *aead_ctx,
			  const uint8_t *ciphertext, size_t ciphertextlen,
			  const uint8_t *nonce, size_t noncelen,
			  const uint8_t *aad, size_t aadlen)
{
	size_t len = ciphertextlen - QUIC_TAG_SIZE;
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	bool done;
	int n;

	done = ctx &&
	       EVP_DecryptInit_ex(ctx, EVP_aes_128_gcm(), NULL,
				  aead_ctx->native_handle, nonce) &&
	       EVP_DecryptUpdate(ctx, NULL, &n, aad, aadlen) &&
	       EVP_DecryptUpdate(ctx, dest, &n, ciphertext, len) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, QUIC_TAG_SIZE,
				   (void *)(ciphertext + len)) &&
	       EVP_DecryptFinal_ex(ctx, dest + len, &n) > 0;
	EVP_CIPHER_CTX_free(ctx);
	return done ? 0 : NGTCP2_ERR_CALLBACK_FAILURE;
}

int ngtcp2_crypto_hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp,
			  const ngtcp2_crypto_cipher_ctx *hp_ctx,
			  const uint8_t *sample)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t block[NGTCP2_HP_SAMPLELEN];
	bool done;
	int n;

	done = ctx &&
	       EVP_EncryptInit_ex(ctx, EVP_aes_128_ecb(), NULL,
				  hp_ctx->native_handle, NULL) &&
	       EVP_EncryptUpdate(ctx, block, &n, sample, sizeof(block));
	EVP_CIPHER_CTX_free(ctx);
	memcpy(dest, block, NGTCP2_HP_MASKLEN);
	return done ? 0 : -1;
}

static void derive(struct quic_keys *keys, const uint8_t *secret)
{
	quic_keys_derive(keys, &quic_ciphers[QUIC_AES_GCM_128], secret[0],
			 secret[1]);
}

int ngtcp2_crypto_derive_and_install_tx_key(ngtcp2_conn *conn, uint8_t *key,
					    uint8_t *iv, uint8_t *hp,
					    ngtcp2_encryption_level level,
					    const uint8_t *secret,
					    size_t secretlen)
{
	ngtcp2_crypto_cipher_ctx hp_ctx;
	ngtcp2_crypto_aead_ctx aead_ctx;
	struct quic_keys keys;

	derive(&keys, secret);
	memcpy(key, keys.key, KEY_LEN);
	memcpy(iv, keys.iv, sizeof(keys.iv));
	memcpy(hp, keys.hp, KEY_LEN);
	aead_ctx.native_handle = new_context(key);
	hp_ctx.native_handle = new_context(hp);
	return ngtcp2_conn_install_tx_key(conn, secret, secretlen, &aead_ctx,
					  iv, sizeof(keys.iv), &hp_ctx);
}

int ngtcp2_crypto_derive_and_install_rx_key(ngtcp2_conn *conn, uint8_t *key,
					    uint8_t *iv, uint8_t *hp,
					    ngtcp2_encryption_level level,
					    const uint8_t *secret,
					    size_t secretlen)
{
	struct fake_rx *rx = &conn->rx;
	struct quic_keys keys;

	derive(&keys, secret);
	memcpy(key, keys.key, KEY_LEN);
	memcpy(iv, keys.iv, sizeof(keys.iv));
	memcpy(hp, keys.hp, KEY_LEN);
	memcpy(rx->secret, secret, sizeof(rx->secret));
	rx->aead_ctx[0].native_handle = new_context(key);
	rx->hp_ctx.native_handle = new_context(hp);
	memcpy(rx->iv[0], iv, sizeof(keys.iv));
	return 0;
}

int ngtcp2_crypto_update_key(ngtcp2_conn *conn, uint8_t *rx_secret,
			     uint8_t *tx_secret,
			     ngtcp2_crypto_aead_ctx *rx_aead_ctx,
			     uint8_t *rx_key, uint8_t *rx_iv,
			     ngtcp2_crypto_aead_ctx *tx_aead_ctx,
			     uint8_t *tx_key, uint8_t *tx_iv,
			     const uint8_t *current_rx_secret,
			     const uint8_t *current_tx_secret, size_t secretlen)
{
	struct quic_keys keys;

	tx_secret[0] = current_tx_secret[0];
	tx_secret[1] = current_tx_secret[1] + 1;
	derive(&keys, tx_secret);
	memcpy(tx_key, keys.key, KEY_LEN);
	memcpy(tx_iv, keys.iv, sizeof(keys.iv));
	tx_aead_ctx->native_handle = new_context(tx_key);

	rx_secret[0] = current_rx_secret[0];
	rx_secret[1] = current_rx_secret[1] + 1;
	derive(&keys, rx_secret);
	memcpy(rx_key, keys.key, KEY_LEN);
	memcpy(rx_iv, keys.iv, sizeof(keys.iv));
	rx_aead_ctx->native_handle = new_context(rx_key);
	return 0;
}

/* ngtcp2 */

int ngtcp2_conn_install_tx_key(ngtcp2_conn *conn, const uint8_t *secret,
			       size_t secretlen,
			       const ngtcp2_crypto_aead_ctx *aead_ctx,
			       const uint8_t *iv, size_t ivlen,
			       const ngtcp2_crypto_cipher_ctx *hp_ctx)
{
	memcpy(conn->secret, secret, sizeof(conn->secret));
	conn->aead_ctx = *aead_ctx;
	conn->hp_ctx = *hp_ctx;
	memcpy(conn->iv, iv, sizeof(conn->iv));
	return 0;
}

ngtcp2_conn *fake_ngtcp2_new(uint8_t flow)
{
	uint8_t secret[2] = { flow }, key[KEY_LEN], iv[QUIC_IV_SIZE], hp[KEY_LEN];
	ngtcp2_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		abort();
	ngtcp2_crypto_derive_and_install_tx_key(conn, key, iv, hp,
						NGTCP2_ENCRYPTION_LEVEL_1RTT,
						secret, sizeof(secret));
	return conn;
}

void fake_ngtcp2_update_keys(ngtcp2_conn *conn)
{
	uint8_t secret[2], rx_secret[2], key[KEY_LEN], rx_key[KEY_LEN];
	ngtcp2_crypto_aead_ctx aead_ctx, rx_aead_ctx;
	unsigned int phase = ~conn->rx.secret[1] & 1;

	ngtcp2_crypto_update_key(conn, rx_secret, secret, &rx_aead_ctx, rx_key,
				 conn->rx.iv[phase], &aead_ctx, key, conn->iv,
				 conn->rx.secret, conn->secret, sizeof(secret));
	ngtcp2_crypto_aead_ctx_free(&conn->aead_ctx);
	conn->aead_ctx = aead_ctx;
	memcpy(conn->secret, secret, sizeof(secret));
	ngtcp2_crypto_aead_ctx_free(&conn->rx.aead_ctx[phase]);
	conn->rx.aead_ctx[phase] = rx_aead_ctx;
	memcpy(conn->rx.secret, rx_secret, sizeof(rx_secret));
}

void fake_ngtcp2_receives(ngtcp2_conn *conn, uint8_t flow)
{
	uint8_t secret[2] = { flow }, key[KEY_LEN], iv[QUIC_IV_SIZE], hp[KEY_LEN];

	ngtcp2_crypto_derive_and_install_rx_key(conn, key, iv, hp,
						NGTCP2_ENCRYPTION_LEVEL_1RTT,
						secret, sizeof(secret));
}

static void make_nonce(uint8_t *nonce, const uint8_t *iv, uint64_t number)
{
	unsigned int i;

	memcpy(nonce, iv, QUIC_IV_SIZE);
	for (i = 0; i < 8; i++)
		nonce[QUIC_IV_SIZE - 1 - i] ^= number >> 8 * i;
}

/* RFC 9000 appendix A.3 */
static uint64_t decode_number(uint64_t next, uint64_t truncated,
			      unsigned int len)
{
	uint64_t window = 1ULL << 8 * len;
	uint64_t number = (next & ~(window - 1)) | truncated;

	if (number + window / 2 <= next)
		return number + window;
	if (number > next + window / 2 && number >= window)
		return number - window;
	return number;
}

int ngtcp2_conn_read_pkt_versioned(ngtcp2_conn *conn, const ngtcp2_path *path,
				   int pkt_info_version,
				   const ngtcp2_pkt_info *pi,
				   const uint8_t *pkt, size_t pktlen,
				   ngtcp2_tstamp ts)
{
	const ngtcp2_crypto_ctx *crypto = ngtcp2_conn_get_crypto_ctx(conn);
	uint8_t header[1 + FAKE_DCID_LEN + 4], mask[NGTCP2_HP_MASKLEN];
	const uint8_t *pn = pkt + 1 + FAKE_DCID_LEN;
	unsigned int pn_len, phase, i;
	struct fake_rx *rx = &conn->rx;
	uint8_t nonce[QUIC_IV_SIZE];
	uint64_t number = 0;
	size_t header_len;

	rx->len = 0;
	if (pktlen < 1 + FAKE_DCID_LEN + 4 + NGTCP2_HP_SAMPLELEN || *pkt & 0x80)
		return 0;
	memcpy(header, pkt, sizeof(header));
	ngtcp2_crypto_hp_mask(mask, &crypto->hp, &rx->hp_ctx, pn + 4);
	header[0] ^= mask[0] & 0x1f;
	pn_len = (header[0] & 3) + 1;
	phase = !!(header[0] & QUIC_KEY_PHASE);
	header_len = 1 + FAKE_DCID_LEN + pn_len;
	for (i = 0; i < pn_len; i++) {
		header[1 + FAKE_DCID_LEN + i] ^= mask[1 + i];
		number = number << 8 | header[1 + FAKE_DCID_LEN + i];
	}
	number = decode_number(rx->next, number, pn_len);
	if (!rx->aead_ctx[phase].native_handle)
		return 0;
	make_nonce(nonce, rx->iv[phase], number);
	if (ngtcp2_crypto_decrypt(rx->payload, &crypto->aead,
				  &rx->aead_ctx[phase], pkt + header_len,
				  pktlen - header_len, nonce, sizeof(nonce),
				  header, header_len))
		return 0;
	rx->len = pktlen - header_len - QUIC_TAG_SIZE;
	rx->number = number;
	if (number >= rx->next)
		rx->next = number + 1;
	return 0;
}

int fake_ngtcp2_read(ngtcp2_conn *conn, const struct sockaddr *from,
		     socklen_t from_len, const uint8_t *datagram, size_t len)
{
	ngtcp2_path path = {
		.remote.addr = (void *)from,
		.remote.addrlen = from_len,
	};
	ngtcp2_pkt_info info = {};

	return ngtcp2_conn_read_pkt_versioned(conn, &path,
					      NGTCP2_PKT_INFO_VERSION, &info,
					      datagram, len, 0);
}

int ngtcp2_conn_handle_expiry(ngtcp2_conn *conn, ngtcp2_tstamp ts)
{
	return 0;
}

void fake_ngtcp2_expire(ngtcp2_conn *conn)
{
	ngtcp2_conn_handle_expiry(conn, 0);
}

void fake_ngtcp2_protect(ngtcp2_conn *conn, uint64_t number, uint8_t *packet,
			 size_t header_len, size_t len)
{
	const ngtcp2_crypto_ctx *crypto = ngtcp2_conn_get_crypto_ctx(conn);
	uint8_t nonce[QUIC_IV_SIZE], mask[NGTCP2_HP_MASKLEN];
	unsigned int pn_len = (packet[0] & 3) + 1, i;
	uint8_t *payload = packet + header_len;
	uint8_t *pn = payload - pn_len;

	make_nonce(nonce, conn->iv, number);
	ngtcp2_crypto_encrypt(payload, &crypto->aead, &conn->aead_ctx, payload,
			      len - header_len, nonce, sizeof(nonce), packet,
			      header_len);
	ngtcp2_crypto_hp_mask(mask, &crypto->hp, &conn->hp_ctx, pn + 4);
	packet[0] ^= mask[0] & 0x1f;
	for (i = 0; i < pn_len; i++)
		pn[i] ^= mask[1 + i];
}

void ngtcp2_conn_del(ngtcp2_conn *conn)
{
	free(conn->aead_ctx.native_handle);
	free(conn->hp_ctx.native_handle);
	free(conn->rx.aead_ctx[0].native_handle);
	free(conn->rx.aead_ctx[1].native_handle);
	free(conn->rx.hp_ctx.native_handle);
	free(conn);
}

/* System calls */

static struct {
	unsigned int skip;
	unsigned int times;
	int err;
} fault;

static int hold_tell, hold_until;

static bool interrupted;

static int lock_signal, unlock_signal;

static struct {
	int option;
	int err;
} refusal;

void fake_fail_sendmsg(unsigned int skip, unsigned int times, int err)
{
	fault.skip = skip;
	fault.times = times;
	fault.err = err;
}

void fake_hold_sendmsg(int tell, int until)
{
	hold_until = until;
	hold_tell = tell;
}

void fake_interrupt_poll(void)
{
	interrupted = true;
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	typeof(&poll) next = dlsym(RTLD_NEXT, "poll");

	if (interrupted) {
		interrupted = false;
		errno = EINTR;
		return -1;
	}
	return next(fds, count, timeout);
}

void fake_raise_in_lock(int signal)
{
	unlock_signal = signal;
	lock_signal = signal;
}

static void raise_once(int *signal)
{
	int sig = *signal;

	*signal = 0;
	if (sig)
		raise(sig);
}

int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	static typeof(&pthread_mutex_lock) next;
	int ret;

	if (!next)
		next = dlsym(RTLD_NEXT, "pthread_mutex_lock");
	ret = next(mutex);
	raise_once(&lock_signal);
	return ret;
}

int pthread_mutex_unlock(pthread_mutex_t *mutex)
{
	static typeof(&pthread_mutex_unlock) next;

	if (!next)
		next = dlsym(RTLD_NEXT, "pthread_mutex_unlock");
	if (!lock_signal)
		raise_once(&unlock_signal);
	return next(mutex);
}

void fake_fail_setsockopt(int option, int err)
{
	refusal.option = option;
	refusal.err = err;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	typeof(&sendmsg) next = dlsym(RTLD_NEXT, "sendmsg");
	char byte = 0;

	if (hold_tell) {
		if (write(hold_tell, &byte, 1) != 1 ||
		    read(hold_until, &byte, 1) != 1)
			abort();
		hold_tell = 0;
	}
	if (fault.skip) {
		fault.skip--;
	} else if (fault.times) {
		fault.times--;
		errno = fault.err;
		return -1;
	}
	return next(fd, msg, flags);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	typeof(&setsockopt) next = dlsym(RTLD_NEXT, "setsockopt");

	if (refusal.err && level == SOL_UDP && name == refusal.option) {
		errno = refusal.err;
		return -1;
	}
	return next(fd, level, name, value, len);
}
