/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What quic_preload.so finds behind it in preload.c: a stand-in for ngtcp2, and
 * system calls that fail when they are told to.
 */
#ifndef FAKE_NGTCP2_H
#define FAKE_NGTCP2_H

#include <ngtcp2/ngtcp2_crypto.h>

/* What ngtcp2 opens packets with */
struct fake_rx {
	uint8_t secret[2];	/* of the newest keys, as below */
	ngtcp2_crypto_aead_ctx aead_ctx[2];	/* by key phase */
	ngtcp2_crypto_cipher_ctx hp_ctx;
	uint8_t iv[2][12];
	uint64_t next;		/* one more than the largest number so far */
	/* The last packet that was opened */
	uint64_t number;
	size_t len;
	uint8_t payload[2048];
};

/* What ngtcp2 protects packets with; the cipher is AES-128-GCM. */
struct ngtcp2_conn {
	uint8_t secret[2];	/* arguments of quic_keys_derive() */
	ngtcp2_crypto_aead_ctx aead_ctx;
	ngtcp2_crypto_cipher_ctx hp_ctx;
	uint8_t iv[12];
	struct fake_rx rx;
};

/* What ngtcp2 does by itself; ngtcp2_conn_del() is there as well. */
ngtcp2_conn *fake_ngtcp2_new(uint8_t flow);
void fake_ngtcp2_update_keys(ngtcp2_conn *conn);
void fake_ngtcp2_expire(ngtcp2_conn *conn);
/* @len of a packet without its tag, for which there is room */
void fake_ngtcp2_protect(ngtcp2_conn *conn, uint64_t number, uint8_t *packet,
			 size_t header_len, size_t len);

/* The peer's keys are those of flow @flow. */
void fake_ngtcp2_receives(ngtcp2_conn *conn, uint8_t flow);
/* One datagram with one packet, which has a short header and a connection ID of
 * FAKE_DCID_LEN bytes.  As with ngtcp2 0 if it had to be dropped, too: then
 * @conn->rx.len is 0.
 */
#define FAKE_DCID_LEN	8
int fake_ngtcp2_read(ngtcp2_conn *conn, const struct sockaddr *from,
		     socklen_t from_len, const uint8_t *datagram, size_t len);

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
