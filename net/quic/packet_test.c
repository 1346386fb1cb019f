// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>

#include "quic.h"

static void quic_packet_test_number(struct kunit *test)
{
	static const struct {
		u64	expected;
		u64	pn;
		u8	pn_len;
		u8	bytes[4];
	} cases[] = {
		/* RFC 9000 section A.3 */
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
	u8 packet[1 + 3 + 4] = { 0, 1, 2, 3 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		packet[0] = cases[i].pn_len - 1;
		memcpy(packet + 4, cases[i].bytes, sizeof(cases[i].bytes));
		KUNIT_EXPECT_EQ_MSG(test, cases[i].pn,
				    quic_packet_number(packet, 3,
						       cases[i].expected),
				    "case %u", i);
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
	KUNIT_CASE(quic_packet_test_check),
	KUNIT_CASE(quic_packet_test_first_byte),
	{}
};

static struct kunit_suite quic_packet_test_suite = {
	.name = "quic-packet",
	.test_cases = quic_packet_test_cases,
};

kunit_test_suite(quic_packet_test_suite);
