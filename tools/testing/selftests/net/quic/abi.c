// SPDX-License-Identifier: GPL-2.0
/*
 * The structures of the interface, byte by byte.  Nothing of this is run: the
 * Makefile has it compiled, for 32 bits too where there is a libc for that.
 */

#include <stddef.h>

#include <linux/quic.h>
#include <linux/udp.h>

#define FIELD(type, field, offset, size) \
	_Static_assert(offsetof(type, field) == (offset) && \
		       sizeof(((type *)0)->field) == (size), #type "." #field)

#define KEY struct quic_connection_info_key
FIELD(KEY, conn_id, 0, 20);
FIELD(KEY, conn_id_length, 20, 1);
FIELD(KEY, __reserved1, 21, 1);
FIELD(KEY, udp_port, 22, 2);
FIELD(KEY, family, 24, 2);
FIELD(KEY, __reserved2, 26, 2);
FIELD(KEY, scope_id, 28, 4);
FIELD(KEY, addr, 32, 16);
FIELD(KEY, addr.ipv4_addr, 32, 4);
FIELD(KEY, addr.ipv6_addr, 32, 16);
_Static_assert(sizeof(KEY) == 48 && _Alignof(KEY) == 4, "connection_info_key");

#define INFO struct quic_connection_info
FIELD(INFO, cipher_type, 0, 2);
FIELD(INFO, conn_payload_key_gen, 2, 1);
FIELD(INFO, __pad, 3, 1);
FIELD(INFO, key, 4, 48);
FIELD(INFO, header_key, 52, 32);
FIELD(INFO, payload_key, 84, 32);
FIELD(INFO, payload_iv, 116, 12);
_Static_assert(sizeof(INFO) == 128 && _Alignof(INFO) == 4, "connection_info");

#define DATA struct quic_tx_ancillary_data
FIELD(DATA, next_pkt_num, 0, 8);
FIELD(DATA, flags, 8, 1);
FIELD(DATA, conn_id_length, 9, 1);
FIELD(DATA, __reserved, 10, 6);
_Static_assert(sizeof(DATA) == 16 && _Alignof(DATA) == 8, "tx_ancillary_data");

#define CAPS struct quic_capabilities
FIELD(CAPS, ciphers, 0, 4);
FIELD(CAPS, directions, 4, 4);
FIELD(CAPS, tx_connection_size, 8, 2);
FIELD(CAPS, rx_connection_size, 10, 2);
FIELD(CAPS, tx_ancillary_size, 12, 2);
FIELD(CAPS, rx_ancillary_size, 14, 2);
FIELD(CAPS, max_conn_id_length, 16, 2);
FIELD(CAPS, max_packets, 18, 2);
FIELD(CAPS, __reserved, 20, 4);
_Static_assert(sizeof(CAPS) == 24 && _Alignof(CAPS) == 4, "capabilities");

#define RX_INFO struct quic_rx_connection_info
FIELD(RX_INFO, conn, 0, 128);
FIELD(RX_INFO, next_pkt_num, 128, 8);
_Static_assert(sizeof(RX_INFO) == 136 && _Alignof(RX_INFO) == 8,
	       "rx_connection_info");

#define RX_DATA struct quic_rx_ancillary_data
FIELD(RX_DATA, pkt_num, 0, 8);
FIELD(RX_DATA, status, 8, 1);
FIELD(RX_DATA, key_gen, 9, 1);
FIELD(RX_DATA, conn_id_length, 10, 1);
FIELD(RX_DATA, __reserved, 11, 5);
_Static_assert(sizeof(RX_DATA) == 16 && _Alignof(RX_DATA) == 8,
	       "rx_ancillary_data");

_Static_assert(QUIC_MAX_CONNECTION_ID_SIZE == 20, "size of a connection ID");
_Static_assert(QUIC_BYPASS_ENCRYPTION == 1, "flag");
_Static_assert(UDP_ULP == 105 && UDP_QUIC_ADD_TX_CONNECTION == 106 &&
	       UDP_QUIC_DEL_TX_CONNECTION == 107 && UDP_QUIC_ENCRYPT == 108 &&
	       UDP_QUIC_ADD_RX_CONNECTION == 109 &&
	       UDP_QUIC_DEL_RX_CONNECTION == 110 && UDP_QUIC_DECRYPT == 111 &&
	       UDP_QUIC_RX_DROP == 112 && UDP_QUIC_CAPABILITIES == 114,
	       "options");
_Static_assert(QUIC_CAP_AES_GCM_128 == 1 && QUIC_CAP_AES_GCM_256 == 2 &&
	       QUIC_CAP_AES_CCM_128 == 4 && QUIC_CAP_CHACHA20_POLY1305 == 8 &&
	       QUIC_CAP_TX == 1 && QUIC_CAP_RX == 2, "capabilities");
_Static_assert(QUIC_RX_NOT_OFFLOADED == 0 && QUIC_RX_DECRYPTED == 1 &&
	       QUIC_RX_NO_KEY == 2 && QUIC_RX_BAD_TAG == 3 &&
	       QUIC_RX_LIMIT == 4, "statuses");
