// SPDX-License-Identifier: GPL-2.0
/*
 * The published code example of the interface, word for word: programs that
 * were written after it must work.  Only the variables it uses are ours.
 */

#include <string.h>

#include <netinet/in.h>

#include <linux/quic.h>
#include <linux/tls.h>
#include <linux/udp.h>

#include "quic_example.h"

#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif

/* glibc's CMSG_DATA() is an unsigned char *, the example assigns it as it is. */
#pragma GCC diagnostic ignored "-Wincompatible-pointer-types"

const uint8_t conn_id[5] = { 8, 6, 7, 5, 3 };
const size_t conn_id_len = sizeof(conn_id);
const uint8_t conn_key[16] = "example key 0123";
const uint8_t conn_iv[12] = "example iv 0";
const uint8_t conn_hdr_key[16] = "example hp key 0";

/* Fills the stack where the example is about to put its variables. */
static __attribute__((noinline)) void poison_stack(void)
{
	volatile uint8_t garbage[4096];
	size_t i;

	for (i = 0; i < sizeof(garbage); i++)
		garbage[i] = 0xff;
}

static __attribute__((noinline)) int example_add(int fd)
{
	return
/* As published, but for the braces around it. */
({
struct quic_connection_info conn_info;
conn_info.conn_payload_key_gen = 0;
conn_info.cipher_type = TLS_CIPHER_AES_GCM_128;
memset(&conn_info.key, 0, sizeof(struct quic_connection_info_key));
conn_info.key.conn_id_length = 5;
memcpy(&conn_info.key.conn_id[QUIC_MAX_CONNECTION_ID_SIZE - conn_id_len],
       &conn_id, conn_id_len);
memcpy(&conn_info.payload_key, conn_key, sizeof(conn_key));      /* 16 */
memcpy(&conn_info.payload_iv, conn_iv, sizeof(conn_iv));         /* 12 */
memcpy(&conn_info.header_key, conn_hdr_key, sizeof(conn_hdr_key));
setsockopt(fd, SOL_UDP, UDP_QUIC_ADD_TX_CONNECTION, &conn_info, sizeof(conn_info));
});
}

int quic_example_add(int fd)
{
	poison_stack();
	return example_add(fd);
}

void quic_example_cmsg(struct cmsghdr *cmsg_hdr)
{
	struct quic_tx_ancillary_data *anc_data;

/* As published. */
anc_data = CMSG_DATA(cmsg_hdr);       /* cmsg_level IPPROTO_UDP, nothing cleared */
anc_data->flags = 0;
anc_data->next_pkt_num = 0x0d65c9;
anc_data->conn_id_length = conn_id_len;
}
