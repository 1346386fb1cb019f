// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>
#include <linux/unaligned.h>

#include "packet.h"

struct quic_packet_test_case {
	u64	expected;
	u64	pn;
	u8	pn_len;
	u8	bytes[4];
};

/* @number of each packet is what the case says. */
static void
quic_packet_test_cases_run(struct kunit *test,
			   const struct quic_packet_test_case *cases,
			   unsigned int nr,
			   u64 number(const u8 *packet, unsigned int dcid_len,
				      u64 expected))
{
	u8 packet[1 + 3 + 4] = { 0, 1, 2, 3 };
	unsigned int i;

	for (i = 0; i < nr; i++) {
		packet[0] = cases[i].pn_len - 1;
		memcpy(packet + 4, cases[i].bytes, sizeof(cases[i].bytes));
		KUNIT_EXPECT_EQ_MSG(test, cases[i].pn,
				    number(packet, 3, cases[i].expected),
				    "case %u", i);
	}
}

static void quic_packet_test_number(struct kunit *test)
{
	static const struct quic_packet_test_case cases[] = {
		{ 0xa82f30eb, 0xa82f9b32, 2, { 0x9b, 0x32 } },
		{ 0, 0, 1, { 0 } },
		{ 0, 255, 1, { 0xff } },
		{ 5, 5, 1, { 5 } },
		{ 6, 0x105, 1, { 5 } },
		{ 0xff, 0x100, 1, { 0 } },
		{ 0x10000, 0x1ffff, 2, { 0xff, 0xff } },
		{ 0x123456, 0x1123455, 3, { 0x12, 0x34, 0x55 } },
		{ 0xffffffff, 0xffffffff, 4, { 0xff, 0xff, 0xff, 0xff } },
		{ 0x100000000, 0x1ffffffff, 4, { 0xff, 0xff, 0xff, 0xff } },
		{ QUIC_MAX_PKT_NUM, QUIC_MAX_PKT_NUM, 1, { 0xff } },
		{ QUIC_MAX_PKT_NUM, QUIC_MAX_PKT_NUM + 255, 1, { 0xfe } },
	};

	quic_packet_test_cases_run(test, cases, ARRAY_SIZE(cases),
				   quic_packet_number);
}

static void quic_packet_test_decode_number(struct kunit *test)
{
	static const struct quic_packet_test_case cases[] = {
		/* RFC 9000 section A.3 */
		{ 0xa82f30eb, 0xa82f9b32, 2, { 0x9b, 0x32 } },
		/* before the first packet nothing is behind */
		{ 0, 0, 1, { 0 } },
		{ 0, 255, 1, { 0xff } },
		{ 0, 0xffffffff, 4, { 0xff, 0xff, 0xff, 0xff } },
		{ 127, 255, 1, { 0xff } },
		{ 5, 200, 1, { 200 } },
		/* half a window back, excluded, to half ahead, included */
		{ 128, 256, 1, { 0 } },
		{ 128, 255, 1, { 0xff } },
		{ 128, 1, 1, { 1 } },
		{ 129, 257, 1, { 1 } },
		{ 129, 2, 1, { 2 } },
		{ 0x18000, 0x20000, 2, { 0, 0 } },
		{ 0x18000, 0x10001, 2, { 0, 1 } },
		{ 0x17fff, 0x10000, 2, { 0, 0 } },
		{ 0x1800000, 0x2000000, 3, { 0, 0, 0 } },
		{ 0x1800000, 0x1000001, 3, { 0, 0, 1 } },
		{ 0x180000000, 0x200000000, 4, { 0, 0, 0, 0 } },
		{ 0x180000000, 0x100000001, 4, { 0, 0, 0, 1 } },
		/* there is nothing above 2^62 - 1 */
		{ QUIC_MAX_PKT_NUM, QUIC_MAX_PKT_NUM, 1, { 0xff } },
		{ QUIC_MAX_PKT_NUM, QUIC_MAX_PKT_NUM - 255, 1, { 0 } },
		{ QUIC_MAX_PKT_NUM - 99, QUIC_MAX_PKT_NUM - 245, 1, { 10 } },
		{ QUIC_MAX_PKT_NUM, QUIC_MAX_PKT_NUM - 0xffffffff, 4, { 0 } },
		{ QUIC_MAX_PKT_NUM + 1, QUIC_MAX_PKT_NUM, 4,
		  { 0xff, 0xff, 0xff, 0xff } },
	};

	quic_packet_test_cases_run(test, cases, ARRAY_SIZE(cases),
				   quic_packet_decode_number);
}

/* Any number from any that is near enough, RFC 9000 section 17.1 */
static void quic_packet_test_round_trip(struct kunit *test)
{
	static const u64 expected[] = {
		0, 1, 127, 128, 129, 255, 256, 0x7fff, 0x8000, 0x800000,
		0x80000000, 0x123456789abc, QUIC_MAX_PKT_NUM - 300,
		QUIC_MAX_PKT_NUM, QUIC_MAX_PKT_NUM + 1,
	};
	unsigned int i, pn_len;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		for (pn_len = 1; pn_len <= 4; pn_len++) {
			s64 half = 1LL << (8 * pn_len - 1);
			s64 step = half > 1000 ? half / 997 : 1, d;

			for (d = 1 - half; d <= half; d += step) {
				u64 pn = expected[i] + d;
				u8 packet[5] = { pn_len - 1 };

				if (pn > QUIC_MAX_PKT_NUM)
					continue;
				put_unaligned_be32(pn << (32 - 8 * pn_len),
						   packet + 1);
				KUNIT_ASSERT_EQ(test, pn,
						quic_packet_decode_number(packet, 0,
									  expected[i]));
			}
		}
	}
}

static void quic_packet_test_mask_header(struct kunit *test)
{
	static const u8 mask[] = { 0xff, 0x11, 0x22, 0x33, 0x44 };
	static const u8 plain[] = { 0x40, 7, 8, 1, 2, 3, 4, 5 };
	static const u8 masked[][8] = {
		{ 0x5f, 7, 8, 0x10, 2, 3, 4, 5 },
		{ 0x5f, 7, 8, 0x10, 0x20, 3, 4, 5 },
		{ 0x5f, 7, 8, 0x10, 0x20, 0x30, 4, 5 },
		{ 0x5f, 7, 8, 0x10, 0x20, 0x30, 0x40, 5 },
	};
	unsigned int pn_len;
	u8 packet[8];

	for (pn_len = 1; pn_len <= 4; pn_len++) {
		memcpy(packet, plain, sizeof(plain));
		quic_packet_mask_header(packet, 2, pn_len, mask);
		KUNIT_EXPECT_MEMEQ(test, packet, masked[pn_len - 1], 8);
		quic_packet_mask_header(packet, 2, pn_len, mask);
		KUNIT_EXPECT_MEMEQ(test, packet, plain, 8);
	}
}

static void quic_packet_test_check(struct kunit *test)
{
	u8 packet[8] = { 0x40, 1, 2, 3 };
	static const u8 dcid[] = { 1, 2, 3 }, other[] = { 1, 2, 4 };

	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 8, dcid, 3), 0);
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 7, dcid, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 1, dcid, 3), -EINVAL);
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 8, other, 3), -EINVAL);
	/* no connection ID at all */
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 5, dcid, 0), 0);
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 4, dcid, 0), -EINVAL);

	/* RFC 9287: the fixed bit may be clear */
	packet[0] = 0;
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 8, dcid, 3), 0);
	packet[0] = 0xc0;
	KUNIT_EXPECT_EQ(test, quic_packet_check(packet, 8, dcid, 3), -EINVAL);
}

static void quic_packet_test_first_byte(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, quic_packet_pn_len(0x40), 1);
	KUNIT_EXPECT_EQ(test, quic_packet_pn_len(0xff), 4);
	KUNIT_EXPECT_EQ(test, quic_packet_phase(0x44), 1);
	KUNIT_EXPECT_EQ(test, quic_packet_phase(0xfb), 0);
}

static struct kunit_case quic_packet_test_cases[] = {
	KUNIT_CASE(quic_packet_test_number),
	KUNIT_CASE(quic_packet_test_decode_number),
	KUNIT_CASE(quic_packet_test_round_trip),
	KUNIT_CASE(quic_packet_test_mask_header),
	KUNIT_CASE(quic_packet_test_check),
	KUNIT_CASE(quic_packet_test_first_byte),
	{}
};

static struct kunit_suite quic_packet_test_suite = {
	.name = "quic-packet",
	.test_cases = quic_packet_test_cases,
};

kunit_test_suite(quic_packet_test_suite);
