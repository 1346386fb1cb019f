// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of 32 bits on a kernel of 64 that receive: their control messages
 * have shorter headers, and another alignment.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_compat.h"
#include "quic_rx_expect.h"
#include "quic_rx_pair.h"

#define COMPAT_LEN(len)		(sizeof(struct quic_compat_cmsg) + (len))
#define COMPAT_ENTRIES(n) \
	COMPAT_LEN((n) * sizeof(struct quic_rx_ancillary_data))

FIXTURE(rx_compat) {
	struct quic_rx_pair pair;
};

FIXTURE_VARIANT(rx_compat) {
	int family;
	const char *what;
};

FIXTURE_VARIANT_ADD(rx_compat, ipv4) { AF_INET, "receive" };
FIXTURE_VARIANT_ADD(rx_compat, ipv6) { AF_INET6, "receive" };
FIXTURE_VARIANT_ADD(rx_compat, mapped) { QUIC_MAPPED, "receive" };
FIXTURE_VARIANT_ADD(rx_compat, ipv4_io_uring) { AF_INET, "receive-uring" };
FIXTURE_VARIANT_ADD(rx_compat, ipv6_io_uring) { AF_INET6, "receive-uring" };

FIXTURE_SETUP(rx_compat)
{
	const char *why_not;

	ASSERT_EQ(0, quic_rx_pair_open(&self->pair, variant->family));
	self->pair.packet.len = 33;
	why_not = quic_compat_missing();
	if (why_not)
		SKIP(return, "%s", why_not);
}

FIXTURE_TEARDOWN(rx_compat)
{
	quic_rx_pair_close(&self->pair);
}

/* One message for each length of the control buffer: starts the program to
 * receive them on @fd, and returns a file with what it tells.
 */
static int receive32(const char *what, int fd, unsigned int from,
		     unsigned int to)
{
	int output = memfd_create("messages", 0), status;
	char first[16], last[16];

	snprintf(first, sizeof(first), "%u", from);
	snprintf(last, sizeof(last), "%u", to);
	status = quic_compat_finish(quic_compat_run(0, output, fd, what, first,
						    last));
	if (!status)
		return output;
	close(output);
	errno = status;
	return -1;
}

/* Takes the control message of @type that is next; NULL if it is another. */
static const struct quic_compat_cmsg *
take(const struct quic_compat_received *received, uint32_t *at, int type)
{
	const struct quic_compat_cmsg *cmsg = (void *)received->control + *at;

	if (*at + sizeof(*cmsg) > received->control_len ||
	    *at + cmsg->len > received->control_len ||
	    cmsg->level != SOL_UDP || cmsg->type != type)
		return NULL;
	*at += (cmsg->len + 3) & ~3;
	return cmsg;
}

/* NULL if all is as it must be, with the room there was, else what is not.
 * @flow: the socket has a flow for the message.
 */
static const char *differs32(const struct quic_compat_received *received,
			     const struct quic_sealed *sealed, bool flow)
{
	uint32_t enough = COMPAT_ENTRIES(sealed->count), rest, at = 0;
	const uint8_t *bytes = sealed->wire;
	const struct quic_compat_cmsg *cmsg;
	uint32_t flags = 0;
	int gro;

	rest = received->room;
	if (flow && rest < enough)
		flags = MSG_CTRUNC;
	if (flow && rest >= enough) {
		bytes = sealed->want;
		cmsg = take(received, &at, UDP_QUIC_DECRYPT);
		if (!cmsg || cmsg->len != enough)
			return "control message";
		if (memcmp(cmsg + 1, sealed->entry, enough - COMPAT_LEN(0)))
			return "entries";
		rest -= enough;
	}
	if (sealed->count > 1 && rest < COMPAT_LEN(sizeof(gro)))
		flags = MSG_CTRUNC;
	if (sealed->count > 1 && rest >= COMPAT_LEN(sizeof(gro))) {
		cmsg = take(received, &at, UDP_GRO);
		if (!cmsg || cmsg->len != COMPAT_LEN(sizeof(gro)))
			return "UDP_GRO";
		memcpy(&gro, cmsg + 1, sizeof(gro));
		if (gro != (int)sealed->at[1])
			return "stride";
	} else if (sealed->count > 1 && rest >= COMPAT_LEN(0)) {
		/* cut off */
		at += rest;
	}
	if (received->ret != (int)sealed->len)
		return "length";
	if (received->flags != flags)
		return "flags";
	if (received->control_len != at)
		return "length of control messages";
	return memcmp(received->buf, bytes, sealed->len) ? "bytes" : NULL;
}

static void expect_each(struct __test_metadata *_metadata,
			FIXTURE_DATA(rx_compat) *self, const char *what,
			unsigned int from, unsigned int to)
{
	static struct quic_compat_received received;
	const struct quic_sealed *sealed = &self->pair.sealed;
	struct quic_rx_counters counters = quic_rx_counters();
	int fds[] = { self->pair.env.rx, self->pair.plain };
	const char *differs;
	unsigned int room, i;
	int messages;

	for (room = from; room <= to; room++) {
		ASSERT_EQ(0, quic_rx_pair_send(&self->pair, sealed));
		if (room >= COMPAT_ENTRIES(sealed->count))
			quic_rx_counters_add(&counters, sealed);
	}
	for (i = 0; i < 2; i++) {
		messages = receive32(what, fds[i], from, to);
		ASSERT_LE(0, messages) {
			TH_LOG("compat32: %s", strerror(errno));
		}
		ASSERT_EQ(0, lseek(messages, 0, SEEK_SET));
		for (room = from; room <= to; room++) {
			ASSERT_EQ(sizeof(received), read(messages, &received,
							 sizeof(received)));
			ASSERT_EQ(room, received.room);
			differs = differs32(&received, sealed, !i);
			ASSERT_EQ(NULL, differs) {
				TH_LOG("%s: %s; %u datagrams, room for %u",
				       i ? "plain UDP" : "flow", differs,
				       sealed->count, room);
				TH_LOG("%d, flags %#x, control %u",
				       received.ret, received.flags,
				       received.control_len);
			}
		}
		close(messages);
	}
	quic_expect_rx_counters(_metadata, &counters);
}

/* Control buffers of every length */
TEST_F_TIMEOUT(rx_compat, every_length, 120)
{
	static const unsigned int counts[] = { 1, 2, 44 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		quic_rx_pair_seal(&self->pair, counts[i], 0);
		expect_each(_metadata, self, variant->what, 0,
			    COMPAT_ENTRIES(counts[i]) + 20);
	}
	quic_rx_pair_seal(&self->pair, QUIC_MAX_SEGMENTS, 0);
	expect_each(_metadata, self, variant->what, 0, 20);
	expect_each(_metadata, self, variant->what,
		    COMPAT_ENTRIES(QUIC_MAX_SEGMENTS) - 20,
		    COMPAT_ENTRIES(QUIC_MAX_SEGMENTS) + 20);
}

/* What is known of the flow, a packet that was not opened included */
TEST_F(rx_compat, told)
{
	int fd = self->pair.env.rx;
	struct quic_flow_info info = {
		.key = self->pair.info.key,
		.direction = QUIC_CAP_RX,
	}, seen = info;
	socklen_t len = sizeof(seen);
	const char *differs;

	quic_rx_pair_seal(&self->pair, 3, 0);
	quic_sealed_flip(&self->pair.sealed, 1, 100);
	quic_expect_opened(_metadata, &self->pair.env, &self->pair.sealed);
	differs = quic_compat_option(fd, UDP_QUIC_FLOW_INFO, &info,
				     sizeof(info));
	EXPECT_EQ(NULL, differs) {
		TH_LOG("UDP_QUIC_FLOW_INFO %s", differs);
	}
	ASSERT_EQ(0, getsockopt(fd, SOL_UDP, UDP_QUIC_FLOW_INFO, &seen, &len));
	EXPECT_EQ(2, seen.packets);
	EXPECT_EQ(self->pair.packet.pn, seen.next_pkt_num);
}

TEST_HARNESS_MAIN
