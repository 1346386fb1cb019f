/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Let the kernel protect a QUIC connection's 1-RTT packets, and do it in
 * userspace where the kernel cannot.
 *
 * A QUIC library builds its short header packets without protecting them,
 * hands them over in batches, and learns how many left.  Whether the kernel
 * protected them (UDP_QUIC_ENCRYPT) or the library's own function did makes no
 * difference to it, nor to the peer.
 *
 *	sock = quic_offload_socket_new(fd, NULL, NULL);
 *	conn = quic_offload_conn_new(protect, arg);
 *	quic_offload_conn_set_keys(conn, &keys);	(each generation)
 *	n = quic_offload_send(sock, conn, &to, packets, count);
 *
 * Nothing else is needed for migration, new connection IDs and key updates:
 * flows are added to the kernel when the first train needs them.
 *
 * Sockets may be shared by threads, a connection is for one thread at a time.
 */
#ifndef QUIC_OFFLOAD_H
#define QUIC_OFFLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define QUIC_OFFLOAD_TAG_SIZE	16
#define QUIC_OFFLOAD_MAX_KEY	32
#define QUIC_OFFLOAD_IV_SIZE	12
#define QUIC_OFFLOAD_MAX_CONTROL	256
#define QUIC_OFFLOAD_SHORTEST	2

struct quic_offload_socket;
struct quic_offload_conn;

/**
 * struct quic_offload_keys - what protects the packets of one key generation
 * @cipher: TLS_CIPHER_* of <linux/tls.h>.  With 0, or one that the kernel does
 *	not have, packets are protected in userspace.
 * @generation: counts key updates, modulo 256, from 0 for the handshake's keys.
 *	The low bit is the key phase bit of its packets.
 * @header_key: header protection key, the same in all generations
 * @payload_key: AEAD key, as long as the cipher's
 * @payload_iv: AEAD IV
 */
struct quic_offload_keys {
	uint16_t cipher;
	uint8_t generation;
	uint8_t header_key[QUIC_OFFLOAD_MAX_KEY];
	uint8_t payload_key[QUIC_OFFLOAD_MAX_KEY];
	uint8_t payload_iv[QUIC_OFFLOAD_IV_SIZE];
};

/**
 * struct quic_offload_packet - one datagram of a batch
 * @data: a short header packet before protection, the packet alone in its
 *	datagram: flags, DCID, packet number, payload.  Or, if @ready, any
 *	datagram that is sent as it is.
 * @len: bytes at @data, without the tag.  Packets that lie next to each other
 *	in memory cost less than others.
 * @number: full packet number
 * @dcid_len: length of the connection ID in @data
 * @ready: nothing is left to protect (handshake packets, for example)
 */
struct quic_offload_packet {
	const uint8_t *data;
	size_t len;
	uint64_t number;
	uint8_t dcid_len;
	bool ready;
};

/**
 * typedef quic_offload_protect - protects one packet in userspace
 * @arg: as passed to quic_offload_conn_new()
 * @keys: the keys to use, one of those that were set; on a path of Multipath
 *	QUIC its ID is in @payload_iv already
 * @packet: header and payload, room for the tag behind; protected in place
 * @header_len: bytes of @packet up to the payload
 * @len: bytes of @packet without the tag
 * @number: full packet number
 *
 * RFC 9001 section 5.3 and 5.4: AEAD, then header protection.  Also called,
 * twice, for the first packet of each flow, which shows whether the socket can
 * be trusted.
 *
 * Return: 0, or -1 on failure
 */
typedef int (*quic_offload_protect)(void *arg,
				    const struct quic_offload_keys *keys,
				    uint8_t *packet, size_t header_len,
				    size_t len, uint64_t number);

/**
 * typedef quic_offload_notice - is told, once, that and why the kernel does
 * not protect all packets
 * @arg: as passed to quic_offload_socket_new()
 * @text: a sentence for a log, without newline
 */
typedef void (*quic_offload_notice)(void *arg, const char *text);

/**
 * struct quic_offload_stats - what became of the packets of a connection
 * @kernel: protected by the kernel
 * @user: protected by the function of the connection, as the first packet of
 *	each flow is
 * @spared: of these, packets whose trains were too short for the kernel
 * @ready: sent as they were
 * @messages: calls of sendmsg() that sent them
 */
struct quic_offload_stats {
	uint64_t kernel;
	uint64_t user;
	uint64_t spared;
	uint64_t ready;
	uint64_t messages;
};

/**
 * quic_offload_socket_new() - learn what a UDP socket can do
 * @fd: the socket, bound or connected or neither; stays the caller's
 * @notice: called once for each reason to work in userspace, may be NULL
 * @arg: for @notice
 *
 * Attaches the ULP "quic-crypto".  A socket on which that fails works all the
 * same, in userspace.  So does one on a system that only pretends: this shows
 * with the first packet of a flow, which never leaves in plain text.
 *
 * Return: the object, or NULL with errno ENOMEM
 */
struct quic_offload_socket *quic_offload_socket_new(int fd,
						    quic_offload_notice notice,
						    void *arg);

/**
 * quic_offload_socket_free() - forget a socket, just before it is closed
 * @sock: the object, may be NULL; connections may still have flows on it
 */
void quic_offload_socket_free(struct quic_offload_socket *sock);

/**
 * quic_offload_socket_enable() - switch between kernel and userspace
 * @sock: the object
 * @enable: false: protect everything in userspace from now on
 *
 * Return: whether the kernel will be asked to protect packets.  As soon as it
 * turns out to pretend it is not, whatever this said before.
 */
bool quic_offload_socket_enable(struct quic_offload_socket *sock, bool enable);

/**
 * quic_offload_socket_has_cipher() - ask before there are keys
 * @sock: the object
 * @cipher: TLS_CIPHER_*
 *
 * Return: whether the kernel can protect and open packets of that cipher, for all
 * that it tells (UDP_QUIC_CAPABILITIES).
 */
bool quic_offload_socket_has_cipher(const struct quic_offload_socket *sock,
				    uint16_t cipher);

/**
 * quic_offload_socket_set_gso() - allow or forbid trains of packets
 * @sock: the object
 * @enable: false: one packet for each sendmsg().  The default is true
 *
 * Which destinations cannot have them (EIO, EINVAL, EMSGSIZE) is learnt for
 * each of them, and forgotten after some thousand packets, or by a call with
 * true.
 */
void quic_offload_socket_set_gso(struct quic_offload_socket *sock, bool enable);

/**
 * quic_offload_conn_new() - a connection
 * @protect: protects a packet where the kernel does not
 * @arg: for @protect
 *
 * Return: the object, or NULL with errno ENOMEM
 */
struct quic_offload_conn *quic_offload_conn_new(quic_offload_protect protect,
						void *arg);

/**
 * quic_offload_conn_set_shortest() - what is worth being left to the kernel
 * @conn: the connection
 * @packets: trains of fewer packets are protected in userspace; 1: none are.
 *	The default is QUIC_OFFLOAD_SHORTEST.  Packets are opened by the kernel
 *	from the first message on that has as many datagrams.
 *
 * The kernel looks up the flow and the key once for each message.  One with a
 * single packet (an ACK, or all of them where there is no GSO) hardly pays for
 * that: it does if the library's cipher is slow.
 */
void quic_offload_conn_set_shortest(struct quic_offload_conn *conn,
				    size_t packets);

/**
 * quic_offload_conn_free() - delete the flows of a connection, wipe its keys
 * @conn: the object, may be NULL
 */
void quic_offload_conn_free(struct quic_offload_conn *conn);

/**
 * quic_offload_conn_set_keys() - keys to send with, a generation at a time
 * @conn: the connection
 * @keys: copied.  The generation is that of the newest keys plus one, any for
 *	the first ones.  The two newest are kept.
 *
 * May be called before the first packet of that generation, and should be;
 * when the last packet of the generation before the newest has left, since both
 * have the same key phase.
 *
 * Return: 0, or -EINVAL if the generation is out of order
 */
int quic_offload_conn_set_keys(struct quic_offload_conn *conn,
			       const struct quic_offload_keys *keys);

/**
 * quic_offload_conn_retire() - a connection ID of the peer is used no longer
 * @conn: the connection
 * @dcid: the connection ID
 * @len: its length
 *
 * Deletes its flows.  Optional: a connection keeps few flows, and the one
 * that was not used for longest makes room for a new one.
 */
void quic_offload_conn_retire(struct quic_offload_conn *conn,
			      const uint8_t *dcid, size_t len);

/**
 * quic_offload_send() - send packets of one connection to one destination
 * @sock: the socket to send on
 * @conn: the connection
 * @to: only @msg_name and @msg_control are used: the destination (none if the
 *	socket is connected), and control messages for all packets (IP_TOS,
 *	IP_PKTINFO, ...), no more than QUIC_OFFLOAD_MAX_CONTROL bytes of them;
 *	without UDP_SEGMENT and UDP_QUIC_ENCRYPT, which this function adds
 * @flags: of sendmsg(): MSG_DONTWAIT, MSG_NOSIGNAL, MSG_CONFIRM, MSG_DONTROUTE;
 *	-EOPNOTSUPP with others
 * @packets: in the order in which they leave, which is that of their numbers
 * @count: how many; any number
 *
 * Sends as few messages as the kernel allows.  Packets that it does not take
 * (no such feature, no room for another flow, no GSO on the route) are
 * protected in userspace and sent without it.
 *
 * Packets that did not leave may be passed again as they are, or be given up;
 * their numbers must not serve for other contents, since a part of a train may
 * have left before it failed.
 *
 * Return: packets that left, at least one; or the error of the first:
 * -EAGAIN, -ENOBUFS, -EMSGSIZE and others of sendmsg(); -ERANGE, a packet
 * number was used before; -EKEYEXPIRED, the keys have to be updated;
 * -ENOKEY, none were set for the packet's key phase; -EINVAL, no short header;
 * -EPROTO, the connection's own function failed.  What ICMP has told the socket
 * of another packet is not among them: such errors are returned if they come
 * twice.
 */
ssize_t quic_offload_send(struct quic_offload_socket *sock,
			  struct quic_offload_conn *conn,
			  const struct msghdr *to, int flags,
			  const struct quic_offload_packet *packets,
			  size_t count);

/**
 * quic_offload_send_path() - the same on a path of Multipath QUIC
 * @path_id: the path, which counts packets by itself and has connection IDs of
 *	its own; the nonce is the IV xor (@path_id << 64 | packet number)
 */
ssize_t quic_offload_send_path(struct quic_offload_socket *sock,
			       struct quic_offload_conn *conn, uint32_t path_id,
			       const struct msghdr *to, int flags,
			       const struct quic_offload_packet *packets,
			       size_t count);

/**
 * quic_offload_spares() - whether packets would not be left to the kernel
 * @sock: the socket to send on
 * @conn: the connection
 * @to: as for quic_offload_send()
 * @len: bytes of a packet on the wire
 *
 * A library that knows before it builds a packet may as well protect it at once, and
 * pass it as @ready: that saves a copy.
 *
 * Return: true if they would be protected by the connection's own function, for all
 * that is known: each would leave alone, since the socket or the route has no GSO, or
 * the last calls of quic_offload_send() all had too few for the kernel
 */
bool quic_offload_spares(struct quic_offload_socket *sock,
			 const struct quic_offload_conn *conn,
			 const struct msghdr *to, size_t len);

/**
 * quic_offload_is_packet_error() - whether an error is about one packet
 * @err: what quic_offload_send() returned
 *
 * Return: true if packets behind the first may leave when they are tried
 * (-EMSGSIZE, -ERANGE, -ENOKEY).  Else the error is about the destination, the
 * keys or everybody: to try the rest of the batch is work for nothing.  -EINVAL
 * and -EPROTO are taken for such, since sendmsg() has them of routes and of
 * control messages; of a packet that cannot be protected at all, -EINVAL says
 * that the caller has not built a packet.
 */
bool quic_offload_is_packet_error(int err);

/**
 * quic_offload_conn_stats() - what became of the packets so far
 * @conn: the connection
 */
const struct quic_offload_stats *
quic_offload_conn_stats(const struct quic_offload_conn *conn);

#ifdef __cplusplus
}
#endif

#endif /* QUIC_OFFLOAD_H */
