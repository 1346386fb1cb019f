/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Let the kernel open a QUIC connection's 1-RTT packets, the other half of
 * quic_offload.h.
 *
 * A QUIC library goes on to call recvmsg() or recvmmsg(), with room for one more
 * control message, and asks what has become of each datagram:
 *
 *	quic_offload_received(&message, sock, &msg, len);
 *	while (quic_offload_next(&message, &datagram))
 *		...
 *
 * One that was opened is parsed as it is.  What was not, because the kernel or
 * the flow or the key is missing, the library opens as it always did.  In both
 * cases it says how that went:
 *
 *	quic_offload_conn_set_rx_keys(conn, &keys);	(each generation, ahead)
 *	quic_offload_agree(conn, &datagram, number, generation)
 *	quic_offload_opened(sock, conn, 0, &datagram, &packet);
 *	quic_offload_failed(conn, &datagram)
 *
 * Nothing else is needed: the first packets of a connection ID come as they were
 * sent, and once the library has opened one that did not come alone (see
 * quic_offload_conn_set_shortest()) the kernel is given the keys.
 */
#ifndef QUIC_OFFLOAD_RECEIVE_H
#define QUIC_OFFLOAD_RECEIVE_H

#include "quic_offload.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What recvmsg() takes of the control buffer: entries for as many datagrams as a
 * message can have, and the segment size.  What else the program asks for comes
 * in addition; with less room nothing is opened.
 */
#define QUIC_OFFLOAD_RX_CONTROL						\
	(CMSG_SPACE(128 * 2 * sizeof(uint64_t)) + CMSG_SPACE(sizeof(int)))

/**
 * enum quic_offload_status - what has become of a datagram
 * @QUIC_OFFLOAD_SEALED: it is as it was sent, to be opened by the library
 * @QUIC_OFFLOAD_OPENED: the header is without protection, the payload is
 *	plaintext, and the 16 bytes behind it are zero
 * @QUIC_OFFLOAD_HEADER: the kernel has no key of this key phase yet.  The header
 *	is without protection, and part of the associated data as it is; the
 *	payload is for the library to open
 * @QUIC_OFFLOAD_REFUSED: as it was sent, and none of the connection's keys that
 *	the kernel has opens it.  It may be a stateless reset, or forged
 * @QUIC_OFFLOAD_LIMIT: as it was sent.  The key has failed to open so many that
 *	it opens no more: close the connection with AEAD_LIMIT_REACHED (RFC 9001
 *	section 6.6)
 */
enum quic_offload_status {
	QUIC_OFFLOAD_SEALED,
	QUIC_OFFLOAD_OPENED,
	QUIC_OFFLOAD_HEADER,
	QUIC_OFFLOAD_REFUSED,
	QUIC_OFFLOAD_LIMIT,
};

/**
 * struct quic_offload_datagram - one datagram that was received
 * @data: in the program's buffer
 * @len: bytes at @data, as on the wire; the last 16 are the tag's
 * @number: full packet number, with QUIC_OFFLOAD_OPENED and QUIC_OFFLOAD_HEADER
 * @generation: of the key that opened it, with QUIC_OFFLOAD_OPENED
 * @dcid_len: length of the connection ID that it was found by; 0 with
 *	QUIC_OFFLOAD_SEALED
 * @status: what the kernel has done
 * @together: datagrams in its message; SIZE_MAX if that is not known
 * @from: who sent it, NULL if recvmsg() was not asked
 * @from_len: length of @from
 */
struct quic_offload_datagram {
	uint8_t *data;
	size_t len;
	uint64_t number;
	uint8_t generation;
	uint8_t dcid_len;
	enum quic_offload_status status;
	size_t together;
	const struct sockaddr *from;
	socklen_t from_len;
};

/**
 * struct quic_offload_message - what quic_offload_received() has learnt of a
 * message; nothing for its user to look at
 */
struct quic_offload_message {
	uint8_t *data;
	size_t left;
	size_t segment;
	size_t together;
	const uint8_t *entries;
	const struct sockaddr *from;
	socklen_t from_len;
};

/**
 * quic_offload_received() - look at a message that was received
 * @message: filled in; refers to the buffers of @msg
 * @sock: the socket it was received on
 * @msg: as recvmsg() has left it, with one iovec
 * @len: what recvmsg() has returned, or msg_len of recvmmsg()
 *
 * Works with and without UDP_GRO and the offload, on every kernel.
 */
void quic_offload_received(struct quic_offload_message *message,
			   struct quic_offload_socket *sock,
			   const struct msghdr *msg, size_t len);

/**
 * quic_offload_next() - the next datagram of a message
 * @message: from quic_offload_received()
 * @datagram: filled in
 *
 * Return: false if there is none
 */
bool quic_offload_next(struct quic_offload_message *message,
		       struct quic_offload_datagram *datagram);

/**
 * quic_offload_socket_enable_rx() - whether the kernel is asked to open packets
 * @sock: the object
 * @enable: the default is true.  False: it is given no more keys; what it has
 *	been given stays until the connection ends.
 *
 * Return: whether the kernel will be asked
 */
bool quic_offload_socket_enable_rx(struct quic_offload_socket *sock,
				   bool enable);

/**
 * quic_offload_conn_set_rx_keys() - keys to open packets with, a generation at
 * a time
 * @conn: the connection
 * @keys: copied.  The generation is that of the newest keys plus one, any for
 *	the first ones.  The two newest are kept.
 *
 * To be called as soon as the keys are known, ahead of their use, but not before
 * packets of the generation before the newest have ceased to matter: three times
 * PTO after the key update (RFC 9001 section 6.5).
 *
 * Return: 0, or -EINVAL if the generation is out of order
 */
int quic_offload_conn_set_rx_keys(struct quic_offload_conn *conn,
				  const struct quic_offload_keys *keys);

/**
 * quic_offload_agree() - whether library and kernel mean the same packet
 * @conn: the connection that the library has found
 * @datagram: one that is QUIC_OFFLOAD_OPENED
 * @number: packet number, as the library decodes it
 * @generation: of the key that the library would open it with
 *
 * Return: true; or false: it was counted, drop the packet
 */
bool quic_offload_agree(struct quic_offload_conn *conn,
			const struct quic_offload_datagram *datagram,
			uint64_t number, uint8_t generation);

/**
 * quic_offload_opened() - the library itself has opened a packet
 * @sock: the socket it was received on
 * @conn: the connection
 * @path_id: its path, 0 without Multipath QUIC
 * @datagram: which had the packet
 * @packet: the packet; only header, @number and @dcid_len are looked at
 *
 * Gives the kernel the keys for more of its kind, or tells it the number.
 */
void quic_offload_opened(struct quic_offload_socket *sock,
			 struct quic_offload_conn *conn, uint32_t path_id,
			 const struct quic_offload_datagram *datagram,
			 const struct quic_offload_packet *packet);

/**
 * quic_offload_failed() - a packet for the connection could not be opened
 * @conn: the connection
 * @datagram: which had the packet.  One that is QUIC_OFFLOAD_REFUSED need not be
 *	tried, if all keys are the kernel's
 *
 * Return: true; or false if there have been so many that the connection has to
 * be closed with AEAD_LIMIT_REACHED (RFC 9001 section 6.6)
 */
bool quic_offload_failed(struct quic_offload_conn *conn,
			 const struct quic_offload_datagram *datagram);

/**
 * quic_offload_conn_retire_rx() - the peer uses a connection ID no longer
 * @conn: the connection
 * @dcid: the connection ID, which this side has issued
 * @len: its length
 *
 * Deletes its flows.  Optional, as quic_offload_conn_retire() is.
 */
void quic_offload_conn_retire_rx(struct quic_offload_conn *conn,
				 const uint8_t *dcid, size_t len);

/**
 * struct quic_offload_rx_stats - what became of the packets that came
 * @kernel: opened by the kernel
 * @user: opened by the library, as the first packet of each flow is
 * @failed: opened by nobody
 * @disagreed: opened by the kernel, which had it for another packet than the
 *	library; dropped
 */
struct quic_offload_rx_stats {
	uint64_t kernel;
	uint64_t user;
	uint64_t failed;
	uint64_t disagreed;
};

/**
 * quic_offload_conn_rx_stats() - what became of the packets so far
 * @conn: the connection
 */
const struct quic_offload_rx_stats *
quic_offload_conn_rx_stats(const struct quic_offload_conn *conn);

#ifdef __cplusplus
}
#endif

#endif /* QUIC_OFFLOAD_RECEIVE_H */
