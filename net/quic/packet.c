// SPDX-License-Identifier: GPL-2.0-only
/*
 * The short header: RFC 9000 section 17.3.1.
 *
 * What header protection hides must not show in the time that a packet takes
 * (RFC 9001 section 9.5): where it is in use nothing branches on it, at least
 * where the processor has 64 bits.
 */

#include <linux/errno.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "packet.h"

/**
 * quic_packet_check - is this a packet that can be protected?
 * @packet: short header and payload
 * @len: bytes in the packet, without tag
 * @dcid: destination connection ID that it must have
 * @dcid_len: bytes in @dcid
 *
 * The "fixed" bit may be anything (RFC 9287).
 *
 * Return: 0 or -EINVAL.
 */
int quic_packet_check(const u8 *packet, unsigned int len, const u8 *dcid,
		      unsigned int dcid_len)
{
	/* The tag provides all of the sample but what follows a packet number
	 * that is shorter than it could be.
	 */
	if (len < quic_packet_sample(dcid_len))
		return -EINVAL;

	if (packet[0] & QUIC_HDR_FORM)
		return -EINVAL;

	if (memcmp(packet + 1, dcid, dcid_len))
		return -EINVAL;

	return 0;
}

/* The truncated number, and how many numbers it can tell apart. */
static u64 quic_packet_truncated(const u8 *packet, unsigned int dcid_len,
				 u64 *window)
{
	unsigned int bits = 8 * quic_packet_pn_len(packet[0]);

	*window = 1ULL << bits;
	return get_unaligned_be32(packet + 1 + dcid_len) >>
	       (8 * QUIC_MAX_PN_LEN - bits);
}

/**
 * quic_packet_number - full number of a packet that is sent
 * @packet: packet that passed quic_packet_check()
 * @dcid_len: bytes in its destination connection ID
 * @expected: smallest number that it can have
 *
 * Return: the smallest number, not below @expected, whose low bits are those
 * in the header.
 */
u64 quic_packet_number(const u8 *packet, unsigned int dcid_len, u64 expected)
{
	u64 truncated, window;

	truncated = quic_packet_truncated(packet, dcid_len, &window);

	return expected + ((truncated - expected) & (window - 1));
}

/**
 * quic_packet_decode_number - full number of a packet that was received
 * @packet: packet with an unprotected header, long enough for a sample
 * @dcid_len: bytes in its destination connection ID
 * @expected: the number that comes next, at most 2^62
 *
 * RFC 9000 section A.3.
 *
 * Return: the number closest to @expected whose low bits are those in the
 * header, among those that a packet can have.
 */
u64 quic_packet_decode_number(const u8 *packet, unsigned int dcid_len,
			      u64 expected)
{
	u64 lowest, pn, truncated, window;

	truncated = quic_packet_truncated(packet, dcid_len, &window);

	/* Both may be below zero. */
	lowest = expected - window / 2 + 1;
	pn = lowest + ((truncated - lowest) & (window - 1));

	pn += window & -(u64)((s64)pn < 0);
	pn -= window & -(u64)(pn > QUIC_MAX_PKT_NUM);

	return pn;
}

/**
 * quic_packet_mask_header - protect a header, or unprotect it
 * @packet: packet, long enough for a sample
 * @dcid_len: bytes in its destination connection ID
 * @pn_len: bytes in its packet number
 * @mask: 1 + QUIC_MAX_PN_LEN bytes
 *
 * RFC 9001 section 5.4.1.
 */
void quic_packet_mask_header(u8 *packet, unsigned int dcid_len,
			     unsigned int pn_len, const u8 *mask)
{
	u32 pn_mask = ~0U << (8 * (QUIC_MAX_PN_LEN - pn_len));
	u8 *p = packet + 1 + dcid_len;

	packet[0] ^= mask[0] & QUIC_HDR_PROTECTED;
	pn_mask &= get_unaligned_be32(mask + 1);
	put_unaligned_be32(get_unaligned_be32(p) ^ pn_mask, p);
}
