/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What quic_preload.so finds behind it in preload.c: a stand-in for ngtcp2, and
 * system calls that fail when they are told to.
 */
#ifndef FAKE_NGTCP2_H
#define FAKE_NGTCP2_H

#include <ngtcp2/ngtcp2_crypto.h>

/* What ngtcp2 protects packets with; the cipher is AES-128-GCM. */
struct ngtcp2_conn {
	uint8_t secret[2];	/* arguments of quic_keys_derive() */
	ngtcp2_crypto_aead_ctx aead_ctx;
	ngtcp2_crypto_cipher_ctx hp_ctx;
	uint8_t iv[12];
};

/* What ngtcp2 does by itself; ngtcp2_conn_del() is there as well. */
ngtcp2_conn *fake_ngtcp2_new(uint8_t flow);
void fake_ngtcp2_update_keys(ngtcp2_conn *conn);
void fake_ngtcp2_expire(ngtcp2_conn *conn);
/* @len of a packet without its tag, for which there is room */
void fake_ngtcp2_protect(ngtcp2_conn *conn, uint64_t number, uint8_t *packet,
			 size_t header_len, size_t len);

/* Of the next calls of sendmsg() @skip reach the kernel, then @times fail. */
void fake_fail_sendmsg(unsigned int skip, unsigned int times, int err);
/* The next poll() is interrupted. */
void fake_interrupt_poll(void);
/* The next one writes a byte to @tell, and reads one from @until. */
void fake_hold_sendmsg(int tell, int until);
/* This signal comes when the next lock was taken, and before it is released. */
void fake_raise_in_lock(int signal);
/* This option of UDP cannot be set. */
void fake_fail_setsockopt(int option, int err);

#endif /* FAKE_NGTCP2_H */
