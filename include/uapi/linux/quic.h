/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * QUIC packet protection in the UDP socket: user API.
 *
 * The socket options and the control messages are named in <linux/udp.h>, the
 * cipher suites in <linux/tls.h>.  Documentation/networking/quic.rst tells how
 * to use them.
 */
#ifndef _UAPI_LINUX_QUIC_H
#define _UAPI_LINUX_QUIC_H

#ifndef __KERNEL__
#include <netinet/in.h>		/* libc's own in_addr and in6_addr, if it is used */
#endif

#include <linux/types.h>
#include <linux/in.h>
#include <linux/in6.h>

/* RFC 9000 section 17.2: connection IDs of version 1 have at most 20 bytes. */
#define QUIC_MAX_CONNECTION_ID_SIZE	20

#define QUIC_MAX_HEADER_KEY_SIZE	32
#define QUIC_MAX_PAYLOAD_KEY_SIZE	32
#define QUIC_PAYLOAD_IV_SIZE		12

/**
 * struct quic_connection_info_key - what selects a flow of a socket
 * @conn_id: destination connection ID of the packets, right-aligned: its last
 *	byte is the last of the array, what stands before its first byte is
 *	zero.  For sending the peer has issued it, for receiving this host.
 * @conn_id_length: bytes in the connection ID, 0 to 20.
 * @__reserved1: zero.
 * @udp_port: port of the peer, network byte order.
 * @family: AF_INET or AF_INET6 for one peer; AF_UNSPEC, with port and address
 *	zero, for any.
 * @__reserved2: zero.
 * @scope_id: interface of a link-local IPv6 peer, 0 for any interface; zero for
 *	other addresses.
 * @addr: address of the peer, what @family does not use of it is zero.  An
 *	IPv4 address and its IPv4-mapped IPv6 form are the same peer.
 * @addr.ipv4_addr: the address when @family is AF_INET.
 * @addr.ipv6_addr: the address when @family is AF_INET6.
 */
struct quic_connection_info_key {
	__u8	conn_id[QUIC_MAX_CONNECTION_ID_SIZE];
	__u8	conn_id_length;
	__u8	__reserved1;
	__be16	udp_port;
	__u16	family;
	__u16	__reserved2;
	__u32	scope_id;
	union {
		struct in_addr	ipv4_addr;
		struct in6_addr	ipv6_addr;
	} addr;
};

/**
 * struct quic_connection_info - argument of UDP_QUIC_ADD_TX_CONNECTION
 * @cipher_type: TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256,
 *	TLS_CIPHER_AES_CCM_128 or TLS_CIPHER_CHACHA20_POLY1305.
 * @conn_payload_key_gen: key generation modulo 256; its low bit is the key
 *	phase of the packets that the key protects.
 * @__pad: not looked at.
 * @key: the flow.  UDP_QUIC_DEL_TX_CONNECTION reads nothing but this, and
 *	without an argument (optlen 0) deletes all flows of the socket for sending.
 * @header_key: header protection key (RFC 9001 section 5.4), as many bytes as
 *	the cipher's key has; the others are not looked at.
 * @payload_key: packet protection key (RFC 9001 section 5.3), likewise.
 * @payload_iv: packet protection IV.
 */
struct quic_connection_info {
	__u16	cipher_type;
	__u8	conn_payload_key_gen;
	__u8	__pad;
	struct quic_connection_info_key key;
	__u8	header_key[QUIC_MAX_HEADER_KEY_SIZE];
	__u8	payload_key[QUIC_MAX_PAYLOAD_KEY_SIZE];
	__u8	payload_iv[QUIC_PAYLOAD_IV_SIZE];
};

/* quic_capabilities.ciphers */
#define QUIC_CAP_AES_GCM_128		0x01
#define QUIC_CAP_AES_GCM_256		0x02
#define QUIC_CAP_AES_CCM_128		0x04
#define QUIC_CAP_CHACHA20_POLY1305	0x08

/* quic_capabilities.directions */
#define QUIC_CAP_TX			0x01
#define QUIC_CAP_RX			0x02

/**
 * struct quic_capabilities - what UDP_QUIC_CAPABILITIES tells of any UDP socket
 * @ciphers: QUIC_CAP_AES_GCM_128 and others: those that can be had.
 * @directions: QUIC_CAP_TX: packets are protected, QUIC_CAP_RX: and opened.
 * @tx_connection_size: bytes in the struct quic_connection_info that is known.
 * @rx_connection_size: bytes in struct quic_rx_connection_info, likewise.
 * @tx_ancillary_size: bytes in struct quic_tx_ancillary_data.
 * @rx_ancillary_size: bytes in struct quic_rx_ancillary_data.
 * @max_conn_id_length: bytes that a connection ID can have.
 * @max_packets: packets that a message can have.
 * @__reserved: zero.
 */
struct quic_capabilities {
	__u32	ciphers;
	__u32	directions;
	__u16	tx_connection_size;
	__u16	rx_connection_size;
	__u16	tx_ancillary_size;
	__u16	rx_ancillary_size;
	__u16	max_conn_id_length;
	__u16	max_packets;
	__u32	__reserved;
};

/**
 * struct quic_flow_info - what UDP_QUIC_FLOW_INFO tells of a flow
 * @key: the flow, as it was added.
 * @direction: QUIC_CAP_TX or QUIC_CAP_RX.  This and @key are what the caller
 *	asks for, the rest is the answer.
 * @conn_payload_key_gen: the newest key generation.
 * @key_gens: generations that have a key: 1, or 2 with the one before.
 * @device_gens: how many of these keys a network device has.
 * @cipher_type: TLS_CIPHER_*.
 * @__reserved2: zero.
 * @next_pkt_num: largest packet number that was sent or received, plus one.
 * @packets_left: packets that the newest generation may still protect, or fail
 *	to open (RFC 9001 section 6.6).
 * @packets: packets that were protected or opened, with all generations; some
 *	of those that were opened may not have been delivered.
 * @bytes: bytes in them, with tags, without UDP's header.
 */
struct quic_flow_info {
	struct quic_connection_info_key key;
	__u8		direction;
	__u8		conn_payload_key_gen;
	__u8		key_gens;
	__u8		device_gens;
	__u16		cipher_type;
	__u16		__reserved2;
	__aligned_u64	next_pkt_num;
	__aligned_u64	packets_left;
	__aligned_u64	packets;
	__aligned_u64	bytes;
};

/**
 * enum quic_info - what INET_ULP_INFO_QUIC of inet_diag consists of
 * @QUIC_INFO_UNSPEC: not used.
 * @QUIC_INFO_PAD: aligns what follows.
 * @QUIC_INFO_TX_FLOWS: flows for sending that the socket has, u32.
 * @QUIC_INFO_TX_PACKETS: packets that it has protected, u64.
 * @QUIC_INFO_TX_BYTES: bytes in them, with tags, u64.
 * @QUIC_INFO_TX_ERRORS: sends that failed, as QuicTxSwError, u64.
 * @QUIC_INFO_RX_FLOWS: flows for receiving, u32.
 * @QUIC_INFO_RX_PACKETS: packets that it has opened, u64.
 * @QUIC_INFO_RX_BYTES: bytes in them, with tags, u64.
 * @QUIC_INFO_RX_ERRORS: packets that were not authentic, as QuicRxSwBadTag, u64.
 * @QUIC_INFO_TX_DEVICE: packets of QUIC_INFO_TX_PACKETS that network devices were
 *	given to protect, as QuicTxDevice, u64.
 * @__QUIC_INFO_MAX: their number.
 */
enum quic_info {
	QUIC_INFO_UNSPEC,
	QUIC_INFO_PAD,
	QUIC_INFO_TX_FLOWS,
	QUIC_INFO_TX_PACKETS,
	QUIC_INFO_TX_BYTES,
	QUIC_INFO_TX_ERRORS,
	QUIC_INFO_RX_FLOWS,
	QUIC_INFO_RX_PACKETS,
	QUIC_INFO_RX_BYTES,
	QUIC_INFO_RX_ERRORS,
	QUIC_INFO_TX_DEVICE,
	__QUIC_INFO_MAX,
};

#define QUIC_INFO_MAX (__QUIC_INFO_MAX - 1)

/* quic_tx_ancillary_data.flags: send this message as it is, unprotected. */
#define QUIC_BYPASS_ENCRYPTION		0x01

/**
 * struct quic_tx_ancillary_data - data of the UDP_QUIC_ENCRYPT control message
 * @next_pkt_num: full packet number of the first packet of the message.
 * @flags: 0 or QUIC_BYPASS_ENCRYPTION.
 * @conn_id_length: bytes of destination connection ID in the short header of
 *	each packet, 0 to 20.
 * @__reserved: not looked at.
 */
struct quic_tx_ancillary_data {
	__aligned_u64	next_pkt_num;
	__u8		flags;
	__u8		conn_id_length;
	__u8		__reserved[6];
};

/**
 * struct quic_rx_connection_info - argument of UDP_QUIC_ADD_RX_CONNECTION
 * @conn: the flow and a key generation of the peer, as for sending.
 *	UDP_QUIC_DEL_RX_CONNECTION reads nothing but @conn.key, and without an
 *	argument (optlen 0) deletes all flows of the socket for receiving.
 * @next_pkt_num: largest packet number received so far, plus one, or 0.  What
 *	the flow knows already may be higher.
 */
struct quic_rx_connection_info {
	struct quic_connection_info	conn;
	__aligned_u64			next_pkt_num;
};

/* quic_rx_ancillary_data.status: what has become of a datagram */

/* As it came: a long header, no flow matches, or it could not be looked at. */
#define QUIC_RX_NOT_OFFLOADED		0
/* Opened: header and payload are plaintext, the tag's bytes are zero. */
#define QUIC_RX_DECRYPTED		1
/* The flow has no key for the packet's key phase: the header is unprotected,
 * the payload and the tag are as they came.
 */
#define QUIC_RX_NO_KEY			2
/* As it came: a flow matches, but the packet is not authentic. */
#define QUIC_RX_BAD_TAG			3
/* As it came: the key has failed to open too many (RFC 9001 section 6.6). */
#define QUIC_RX_LIMIT			4

/**
 * struct quic_rx_ancillary_data - what recvmsg() tells of one datagram
 * @pkt_num: full packet number with QUIC_RX_DECRYPTED and QUIC_RX_NO_KEY, else
 *	zero.
 * @status: QUIC_RX_*.
 * @key_gen: generation of the key with QUIC_RX_DECRYPTED, else zero.
 * @conn_id_length: bytes in the connection ID of the flow, zero with
 *	QUIC_RX_NOT_OFFLOADED.
 * @__reserved: zero.
 *
 * The data of the UDP_QUIC_DECRYPT control message is an array of these, one
 * for each datagram of the message.
 */
struct quic_rx_ancillary_data {
	__aligned_u64	pkt_num;
	__u8		status;
	__u8		key_gen;
	__u8		conn_id_length;
	__u8		__reserved[5];
};

#endif /* _UAPI_LINUX_QUIC_H */
