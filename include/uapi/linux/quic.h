/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * QUIC packet protection in the UDP socket: user API.
 *
 * The socket options and the control message are named in <linux/udp.h>, the
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
 * struct quic_connection_info_key - what selects a transmit flow of a socket
 * @conn_id: destination connection ID, right-aligned: its last byte is the last
 *	of the array, what stands before its first byte is zero.
 * @conn_id_length: bytes in the connection ID, 0 to 20.
 * @__reserved1: zero.
 * @udp_port: destination port, network byte order.
 * @family: AF_INET or AF_INET6 for one destination; AF_UNSPEC, with port and
 *	address zero, for any.
 * @__reserved2: zero.
 * @scope_id: interface of a link-local IPv6 destination, 0 for any interface;
 *	zero for other addresses.
 * @addr: destination address, what @family does not use of it is zero.  An
 *	IPv4 address and its IPv4-mapped IPv6 form are the same destination.
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

#endif /* _UAPI_LINUX_QUIC_H */
