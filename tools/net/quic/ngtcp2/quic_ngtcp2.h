/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Let ngtcp2 send and receive its 1-RTT packets through the kernel's packet
 * protection.
 *
 * ngtcp2 has applications bring the cryptography.  One that uses its helper
 * library (libngtcp2_crypto_*) replaces some of the helpers by those below, has
 * the packets written into a batch instead of a buffer of its own, and hands over
 * what quic_offload_next() has told of each datagram:
 *
 *	ngtcp2_callbacks.encrypt, .decrypt,
 *	.hp_mask				quic_ngtcp2_set_callbacks()
 *	ngtcp2_callbacks.update_key		quic_ngtcp2_update_key()
 *	ngtcp2_crypto_derive_and_install_tx_key	quic_ngtcp2_install_tx_key()
 *	ngtcp2_crypto_derive_and_install_rx_key	quic_ngtcp2_install_rx_key()
 *	ngtcp2_conn_read_pkt			quic_ngtcp2_read_pkt()
 *	ngtcp2_conn_writev_stream		quic_ngtcp2_writev_stream()
 *	ngtcp2_conn_write_connection_close	quic_ngtcp2_write_close()
 *	ngtcp2_conn_get_expiry			quic_ngtcp2_expiry()
 *	sendmsg					quic_ngtcp2_send()
 *
 * ngtcp2 itself is not changed, and any TLS library will do.  The user_data of
 * each ngtcp2_path that the application makes is the struct quic_offload_socket
 * that the path sends on.  h3_conn.c is an example.
 *
 * Packets leave as ngtcp2 wants them: from the local address of their path, if
 * it is not a wildcard (IP_PKTINFO, IPV6_PKTINFO), and with its ECN bits.  On a
 * socket that is bound to a wildcard the application learns the local address
 * of what it receives by the options IP_PKTINFO and IPV6_RECVPKTINFO.
 *
 * How: encrypt() leaves the payload of a short header packet as it is and notes
 * its number, hp_mask() then returns zeros.  So ngtcp2 produces the packet as
 * the kernel wants it, but for room for the tag at its end, which the next
 * packet overwrites: a batch lies in memory as it is sent.  What comes opened is
 * parsed with a mask of zeros as well, and decrypt() copies it.
 */
#ifndef QUIC_NGTCP2_H
#define QUIC_NGTCP2_H

#include <ngtcp2/ngtcp2.h>

#include "quic_offload.h"
#include "quic_offload_receive.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two names that version 1.0 changed */
#if NGTCP2_VERSION_NUM < 0x010000
typedef ngtcp2_crypto_level quic_ngtcp2_level;
typedef ngtcp2_connection_close_error quic_ngtcp2_error;
#define QUIC_NGTCP2_1RTT	NGTCP2_CRYPTO_LEVEL_APPLICATION
#else
typedef ngtcp2_encryption_level quic_ngtcp2_level;
typedef ngtcp2_ccerr quic_ngtcp2_error;
#define QUIC_NGTCP2_1RTT	NGTCP2_ENCRYPTION_LEVEL_1RTT
#endif

struct quic_ngtcp2;

/**
 * quic_ngtcp2_set_callbacks() - set the callbacks that need no connection
 * @callbacks: encrypt, decrypt and hp_mask are set
 */
void quic_ngtcp2_set_callbacks(ngtcp2_callbacks *callbacks);

/**
 * quic_ngtcp2_new() - what a connection has here
 * @conn: just made, nothing written or read yet
 *
 * Return: the object, or NULL with errno ENOMEM
 */
struct quic_ngtcp2 *quic_ngtcp2_new(ngtcp2_conn *conn);

/**
 * quic_ngtcp2_free() - free it, and what it has in the kernel
 * @q: the object, may be NULL; its ngtcp2_conn is deleted afterwards
 */
void quic_ngtcp2_free(struct quic_ngtcp2 *q);

/**
 * quic_ngtcp2_set_offload() - whether packets are left to the kernel
 * @q: the connection
 * @enable: the default is true.  With false ngtcp2 protects its packets itself,
 *	which costs a copy less than having them refused by a kernel that
 *	quic_offload_socket_enable() says cannot do it.
 */
void quic_ngtcp2_set_offload(struct quic_ngtcp2 *q, bool enable);

/**
 * quic_ngtcp2_set_tclass() - traffic class of packets, or type of service
 * @q: the connection
 * @tclass: the upper six bits are used (DSCP), ngtcp2 sets the others (ECN).  A
 *	socket that has a traffic class of its own (IP_TOS, IPV6_TCLASS) keeps
 *	it only if it is given here too, since ECN is set for each packet.
 */
void quic_ngtcp2_set_tclass(struct quic_ngtcp2 *q, uint8_t tclass);

/**
 * quic_ngtcp2_set_interface() - the interface that packets leave by
 * @q: the connection
 * @ifindex: its number, or 0 for the one of the route.  A link-local address
 *	needs none, it has a scope.
 */
void quic_ngtcp2_set_interface(struct quic_ngtcp2 *q, unsigned int ifindex);

/**
 * quic_ngtcp2_install_tx_key() - derive and install the keys to send with
 * @q: the connection
 * @level: of the secret
 * @secret: traffic secret, from the TLS library
 * @len: its length
 *
 * Return: 0, or -1 on failure
 */
int quic_ngtcp2_install_tx_key(struct quic_ngtcp2 *q,
			       quic_ngtcp2_level level,
			       const uint8_t *secret, size_t len);

/**
 * quic_ngtcp2_install_rx_key() - derive and install the keys to receive with
 * @q: the connection
 * @level: of the secret
 * @secret: traffic secret, from the TLS library
 * @len: its length
 *
 * Return: 0, or -1 on failure
 */
int quic_ngtcp2_install_rx_key(struct quic_ngtcp2 *q,
			       quic_ngtcp2_level level,
			       const uint8_t *secret, size_t len);

/**
 * quic_ngtcp2_update_key() - what ngtcp2_callbacks.update_key has to do
 * @q: the connection
 * @rx_secret: this and what follows: as the callback has it
 * @tx_secret: likewise
 * @rx_aead_ctx: likewise
 * @rx_iv: likewise
 * @tx_aead_ctx: likewise
 * @tx_iv: likewise
 * @current_rx_secret: likewise
 * @current_tx_secret: likewise
 * @secretlen: likewise
 *
 * Return: 0, or NGTCP2_ERR_CALLBACK_FAILURE
 */
int quic_ngtcp2_update_key(struct quic_ngtcp2 *q,
			   uint8_t *rx_secret, uint8_t *tx_secret,
			   ngtcp2_crypto_aead_ctx *rx_aead_ctx, uint8_t *rx_iv,
			   ngtcp2_crypto_aead_ctx *tx_aead_ctx, uint8_t *tx_iv,
			   const uint8_t *current_rx_secret,
			   const uint8_t *current_tx_secret, size_t secretlen);

/**
 * quic_ngtcp2_read_pkt() - ngtcp2_conn_read_pkt()
 * @q: the connection
 * @path: as in that function
 * @info: likewise
 * @datagram: from quic_offload_next()
 * @ts: as in that function
 *
 * Packets that the kernel has opened and ngtcp2 takes for others are dropped, see
 * quic_offload_conn_rx_stats().
 *
 * Return: what that function does; NGTCP2_ERR_AEAD_LIMIT_REACHED also if the
 * administrator allows a key fewer failures than ngtcp2 does
 */
int quic_ngtcp2_read_pkt(struct quic_ngtcp2 *q, const ngtcp2_path *path,
			 const ngtcp2_pkt_info *info,
			 const struct quic_offload_datagram *datagram,
			 ngtcp2_tstamp ts);

/**
 * quic_ngtcp2_writev_stream() - ngtcp2_conn_writev_stream() into the batch
 * @q: the connection
 * @pdatalen: this and what follows: as in that function, but not NULL
 * @flags: likewise
 * @stream_id: likewise
 * @datav: likewise
 * @datavcnt: likewise
 * @ts: likewise
 *
 * A full batch is sent first.  As long as NGTCP2_ERR_WRITE_MORE is returned the
 * packet is not complete, and nothing but this function may be called.
 *
 * Return: what that function does; bytes include the tag.  NGTCP2_ERR_NOBUF if
 * the batch is full because the socket has no room.
 */
ngtcp2_ssize quic_ngtcp2_writev_stream(struct quic_ngtcp2 *q,
				       ngtcp2_ssize *pdatalen, uint32_t flags,
				       int64_t stream_id,
				       const ngtcp2_vec *datav, size_t datavcnt,
				       ngtcp2_tstamp ts);

/**
 * quic_ngtcp2_write_close() - ngtcp2_conn_write_connection_close() into the
 * batch
 * @q: the connection
 * @error: as in that function
 * @ts: likewise
 *
 * Return: as quic_ngtcp2_writev_stream()
 */
ngtcp2_ssize quic_ngtcp2_write_close(struct quic_ngtcp2 *q,
				     const quic_ngtcp2_error *error,
				     ngtcp2_tstamp ts);

/**
 * quic_ngtcp2_send() - send the batch
 * @q: the connection
 *
 * A packet that cannot be sent is dropped, ngtcp2 will find it lost.  That one
 * is too long for the path is no error where ngtcp2 probes for the MTU.
 *
 * Return: 0; -EAGAIN if a packet is left because the socket has no room (the
 * rest of the batch is kept, unchanged); or the error of the first packet
 * dropped, see quic_offload_send().  -EMSGSIZE says that the path takes smaller
 * packets than it did: from now on they have 1200 bytes, for ten minutes.  There
 * is nothing to do, unless it comes again and again: QUIC needs as much.
 * -EKEYEXPIRED says that the key is used up and cannot be updated: close the
 * connection with AEAD_LIMIT_REACHED (RFC 9001 section 6.6).
 */
int quic_ngtcp2_send(struct quic_ngtcp2 *q);

/**
 * quic_ngtcp2_expiry() - when to call again, for ngtcp2_conn_get_expiry()
 * @q: the connection
 *
 * Keys are updated before they reach their limit.  With a low one, streams
 * wait for that: quic_ngtcp2_writev_stream() writes what else there is, and
 * then returns 0, as it does when congestion control forbids more.
 *
 * Return: the time for ngtcp2_conn_handle_expiry(), and for writing
 */
ngtcp2_tstamp quic_ngtcp2_expiry(struct quic_ngtcp2 *q);

/**
 * quic_ngtcp2_offload() - for statistics, for quic_offload_conn_retire() in
 * ngtcp2_callbacks.dcid_status, and for quic_offload_conn_retire_rx() in
 * ngtcp2_callbacks.remove_connection_id
 * @q: the connection
 *
 * Return: its flows in the kernel
 */
struct quic_offload_conn *quic_ngtcp2_offload(struct quic_ngtcp2 *q);

#ifdef __cplusplus
}
#endif

#endif /* QUIC_NGTCP2_H */
