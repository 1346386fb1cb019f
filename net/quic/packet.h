/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets with a short header: RFC 9000 section 17.3.1. */
#ifndef _NET_QUIC_PACKET_H
#define _NET_QUIC_PACKET_H

#include <linux/types.h>

/* Every cipher has a tag of this size. */
#define QUIC_TAG_SIZE		16

/* What header protection looks at (RFC 9001 section 5.4.2) */
#define QUIC_SAMPLE_SIZE	16

/* RFC 9000 section 17.3.1, first byte of a short header */
#define QUIC_HDR_FORM		0x80
#define QUIC_HDR_KEY_PHASE	0x04
#define QUIC_HDR_PN_LEN		0x03
/* What header protection hides of it (RFC 9001 section 5.4.1) */
#define QUIC_HDR_PROTECTED	0x1f

#define QUIC_MAX_PN_LEN		4
#define QUIC_MAX_PKT_NUM	((1ULL << 62) - 1)

int quic_packet_check(const u8 *packet, unsigned int len, const u8 *dcid,
		      unsigned int dcid_len);
u64 quic_packet_number(const u8 *packet, unsigned int dcid_len, u64 expected);
u64 quic_packet_decode_number(const u8 *packet, unsigned int dcid_len,
			      u64 expected);
void quic_packet_mask_header(u8 *packet, unsigned int dcid_len,
			     unsigned int pn_len, const u8 *mask);

static inline unsigned int quic_packet_pn_len(u8 first_byte)
{
	return (first_byte & QUIC_HDR_PN_LEN) + 1;
}

static inline unsigned int quic_packet_phase(u8 first_byte)
{
	return !!(first_byte & QUIC_HDR_KEY_PHASE);
}

/* Where the sample starts: as if the packet number had its full length */
static inline unsigned int quic_packet_sample(unsigned int dcid_len)
{
	return 1 + dcid_len + QUIC_MAX_PN_LEN;
}

#endif /* _NET_QUIC_PACKET_H */
