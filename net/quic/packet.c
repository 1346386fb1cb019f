// SPDX-License-Identifier: GPL-2.0-only
/*
 * The unprotected short header: RFC 9000 section 17.3.1.
 */

#include <linux/errno.h>
#include <linux/string.h>

#include "quic.h"

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
	/* The sample is taken as if the packet number had four bytes, and
	 * the tag provides all of it but those.
	 */
	if (len < 1 + dcid_len + QUIC_MAX_PN_LEN)
		return -EINVAL;

	if (packet[0] & QUIC_HDR_FORM)
		return -EINVAL;

	if (memcmp(packet + 1, dcid, dcid_len))
		return -EINVAL;

	return 0;
}

/**
 * quic_packet_number - full number of a packet
 * @packet: packet that passed quic_packet_check()
 * @dcid_len: bytes in its destination connection ID
 * @expected: smallest number that it can have
 *
 * Return: the smallest number, not below @expected, whose low bits are those
 * in the header.
 */
u64 quic_packet_number(const u8 *packet, unsigned int dcid_len, u64 expected)
{
	unsigned int i, pn_len = quic_packet_pn_len(packet[0]);
	const u8 *p = packet + 1 + dcid_len;
	u64 window = 1ULL << (8 * pn_len);
	u64 truncated = 0;

	for (i = 0; i < pn_len; i++)
		truncated = truncated << 8 | p[i];

	return expected + ((truncated - expected) & (window - 1));
}
