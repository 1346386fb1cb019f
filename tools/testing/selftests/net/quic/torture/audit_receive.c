// SPDX-License-Identifier: GPL-2.0
/*
 * An auditor of what readers are given looks at packets of all kinds, read in
 * all ways, and at what taps see of them before and after.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_packet.h>

#include "kselftest_harness.h"
#include "quic_audit.h"
#include "quic_rx_audit.h"
#include "quic_rx_path.h"

#define FLOWS		8
#define MESSAGES	4	/* that wait at a time */
#define UDP_HEADER	8
#define NUMBERS		30000	/* two bytes are enough for them, always */

/* The generations that the kernel has of a flow, by bit */
static const unsigned int has[FLOWS] = { 3, 3, 3, 3, 1, 1, 6, 0 };

FIXTURE(audit_receive) {
	struct quic_rx_path path;
	struct quic_rx_env *env;
	struct quic_rx_audit *audit;
	int taps[2];		/* read before and after the message */
	bool veth;
	unsigned int seed;
	uint64_t next[FLOWS];
	struct quic_oracle *oracle[FLOWS][QUIC_RX_AUDIT_GENERATIONS];
	struct quic_sealed sealed;
	struct quic_received received;
	size_t stride[MESSAGES];
	struct quic_rx_frame frames[MESSAGES];
};

FIXTURE_VARIANT(audit_receive) {
	int family;
	bool veth;
};

FIXTURE_VARIANT_ADD(audit_receive, lo_ipv4) { AF_INET, false };
FIXTURE_VARIANT_ADD(audit_receive, lo_ipv6) { AF_INET6, false };
FIXTURE_VARIANT_ADD(audit_receive, veth_mapped) { QUIC_MAPPED, true };

static struct quic_dcid dcid_of(unsigned int flow)
{
	struct quic_dcid dcid;

	quic_dcid_init(&dcid, QUIC_AUDIT_DCID_LEN, flow);
	/* The first byte chooses the cipher. */
	dcid.id[0] = flow;
	return dcid;
}

static void add_flow(struct __test_metadata *_metadata,
		     FIXTURE_DATA(audit_receive) *self, unsigned int flow)
{
	struct quic_dcid dcid = dcid_of(flow);
	struct quic_connection_info info;
	struct quic_keys keys;
	unsigned int i;

	self->next[flow] = 1;
	for (i = 0; i < QUIC_RX_AUDIT_GENERATIONS; i++) {
		quic_audit_keys(&keys, dcid.id, i);
		self->oracle[flow][i] = quic_oracle_new(&keys);
		quic_flow_info(&info, &keys, &dcid, NULL);
		if (has[flow] & 1 << i)
			ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &info, 0));
	}
}

FIXTURE_SETUP(audit_receive)
{
	const char *seed = getenv("QUIC_SEED");
	unsigned int i;

	self->env = &self->path.env;
	self->veth = variant->veth;
	if (variant->veth) {
		ASSERT_EQ(0, quic_rx_path_open(&self->path, variant->family));
		quic_rx_path_untap(&self->path);
	} else {
		ASSERT_EQ(0, quic_rx_env_open(self->env, variant->family));
		close(self->env->wire);
	}
	for (i = 0; i < 2; i++) {
		self->taps[i] = quic_env_wire_open(self->veth ? "quic1" : "lo");
		ASSERT_LE(0, self->taps[i]);
	}
	for (i = 0; i < FLOWS; i++)
		add_flow(_metadata, self, i);
	self->audit = quic_rx_audit_new();
	self->seed = seed ? atoi(seed) : time(NULL);
	TH_LOG("QUIC_SEED=%u", self->seed);
}

FIXTURE_TEARDOWN(audit_receive)
{
	unsigned int i, j;

	for (i = 0; i < FLOWS; i++)
		for (j = 0; j < QUIC_RX_AUDIT_GENERATIONS; j++)
			quic_oracle_free(self->oracle[i][j]);
	quic_rx_audit_free(self->audit);
	close(self->taps[0]);
	close(self->taps[1]);
}

static unsigned int below(FIXTURE_DATA(audit_receive) *self, unsigned int limit)
{
	return rand_r(&self->seed) % limit;
}

/* The next frame with UDP in it that comes in, or goes out on the loopback */
static void read_tap(struct __test_metadata *_metadata,
		     const FIXTURE_DATA(audit_receive) *self, int tap,
		     struct quic_rx_frame *frame)
{
	unsigned int type = self->veth ? PACKET_HOST : PACKET_OUTGOING;
	static uint8_t bytes[1 << 17];
	struct sockaddr_ll sll;
	socklen_t sll_len;
	size_t header;
	ssize_t len;

	do {
		sll_len = sizeof(sll);
		len = recvfrom(tap, bytes, sizeof(bytes), MSG_DONTWAIT,
			       (void *)&sll, &sll_len);
		ASSERT_LT(0, len);
	} while (sll.sll_pkttype != type || !quic_env_is_udp(bytes, len));

	header = UDP_HEADER + (bytes[0] >> 4 == 6 ? 40 : 20);
	frame->len = len - header;
	memcpy(frame->bytes, bytes + header, frame->len);
}

/* Packets of a flow, some in the other phase; one of them may be spoilt. */
static void build_packets(FIXTURE_DATA(audit_receive) *self)
{
	unsigned int flow = below(self, FLOWS), generation, count, bit;
	struct quic_sealed *sealed = &self->sealed;
	struct quic_packet packet = {
		.pn_len = 2 + below(self, 3),
		.len = 40 + below(self, below(self, 2) ? 100 : 1300),
		.dcid = dcid_of(flow),
	};

	count = below(self, 2) ? 1 : 1 + below(self, 20);
	for (; count; count--) {
		generation = below(self, 4) ? below(self, 2) :
			     below(self, QUIC_RX_AUDIT_GENERATIONS);
		packet.flags = below(self, 4) << 5 |
			       (generation & 1) * QUIC_KEY_PHASE;
		packet.pn = self->next[flow]++ % NUMBERS;
		quic_sealed_add(sealed, self->oracle[flow][generation],
				generation, &packet);
	}
	if (below(self, 3))
		return;
	bit = below(self, sealed->len * 8);
	sealed->wire[bit / 8] ^= 1 << bit % 8;
}

/* Something that is no packet, or looks like one */
static void build_garbage(FIXTURE_DATA(audit_receive) *self)
{
	struct quic_dcid dcid = dcid_of(below(self, FLOWS));
	uint8_t bytes[100];
	size_t len, i;

	len = 1 + below(self, sizeof(bytes));
	for (i = 0; i < len; i++)
		bytes[i] = below(self, 256);
	if (below(self, 2)) {
		bytes[0] &= ~QUIC_LONG_HEADER;
		memcpy(bytes + 1, dcid.id, dcid.len);
	}
	quic_sealed_raw(&self->sealed, bytes, len, false);
}

static void send_message(struct __test_metadata *_metadata,
			 FIXTURE_DATA(audit_receive) *self, size_t *stride)
{
	struct quic_sealed *sealed = &self->sealed;

	quic_sealed_start(sealed);
	if (below(self, 4))
		build_packets(self);
	else
		build_garbage(self);
	*stride = sealed->at[1];
	ASSERT_EQ(sealed->len,
		  quic_sealed_send(self->env->tx, &self->env->to, sealed));
}

/* With little room, in data or control messages, or none that can be used */
static ssize_t read_message(FIXTURE_DATA(audit_receive) *self, size_t *good,
			    int flags)
{
	struct quic_received *received = &self->received;
	struct iovec iov[2];
	struct msghdr mh;

	quic_received_msghdr(received, &mh, iov, sizeof(received->buf),
			     sizeof(received->control));
	*good = sizeof(received->buf);
	switch (below(self, 6)) {
	case 0:
		iov[0].iov_len = below(self, 3000);
		break;
	case 1:
		mh.msg_controllen = below(self, 100);
		break;
	case 2:
		*good = below(self, 9000);
		iov[0].iov_len = *good;
		iov[1] = (struct iovec) { (void *)8, 1 << 16 };
		mh.msg_iovlen = 2;
		break;
	}
	received->ret = recvmsg(self->env->rx, &mh, flags);
	if (received->ret >= 0)
		quic_received_parse(received, &mh);
	return received->ret;
}

static void audit_one(struct __test_metadata *_metadata,
		      FIXTURE_DATA(audit_receive) *self,
		      const struct quic_rx_frame *frame, size_t stride,
		      int flags)
{
	struct quic_received *received = &self->received;
	size_t good;

	if (read_message(self, &good, flags) < 0) {
		ASSERT_EQ(EFAULT, errno);
		quic_rx_audit_fault(self->audit, frame, received->buf, good,
				    stride);
		return;
	}
	/* The stride may not have had room among control messages. */
	if (stride < frame->len)
		received->gro = stride;
	quic_rx_audit_message(self->audit, frame, received);
}

static void play(struct __test_metadata *_metadata,
		 FIXTURE_DATA(audit_receive) *self)
{
	unsigned int count = 1 + below(self, MESSAGES), i;
	static struct quic_rx_frame after;

	for (i = 0; i < count; i++) {
		send_message(_metadata, self, &self->stride[i]);
		read_tap(_metadata, self, self->taps[0], &self->frames[i]);
	}
	for (i = 0; i < count; i++) {
		if (!below(self, 4))
			audit_one(_metadata, self, &self->frames[i],
				  self->stride[i], MSG_DONTWAIT | MSG_PEEK);
		audit_one(_metadata, self, &self->frames[i], self->stride[i],
			  MSG_DONTWAIT);
	}
	for (i = 0; i < count; i++) {
		read_tap(_metadata, self, self->taps[1], &after);
		quic_rx_audit_frames(self->audit, &self->frames[i], &after);
	}
}

TEST_F_TIMEOUT(audit_receive, messages, 7200)
{
	const char *seconds = getenv("QUIC_TORTURE_SECONDS") ?: "1";
	const struct quic_rx_audit_count *count;
	time_t end = time(NULL) + atoi(seconds);
	unsigned int rounds;

	for (rounds = 0; rounds < 300 || time(NULL) < end; rounds++)
		play(_metadata, self);

	count = quic_rx_audit_count(self->audit);
	TH_LOG("%lu opened, %lu bad tag, %lu no key, %lu not offloaded, %lu cut, %lu faults",
	       count->status[QUIC_RX_DECRYPTED],
	       count->status[QUIC_RX_BAD_TAG], count->status[QUIC_RX_NO_KEY],
	       count->status[QUIC_RX_NOT_OFFLOADED], count->cut, count->faults);
	EXPECT_EQ(0, count->forged);
	EXPECT_EQ(0, count->changed);
	/* It had something to look at. */
	EXPECT_LT(100, count->status[QUIC_RX_DECRYPTED]);
	EXPECT_LT(10, count->status[QUIC_RX_BAD_TAG]);
	EXPECT_LT(10, count->status[QUIC_RX_NO_KEY]);
	EXPECT_LT(10, count->status[QUIC_RX_NOT_OFFLOADED]);
	EXPECT_LT(0, count->cut);
	EXPECT_LT(0, count->faults);
}

TEST_HARNESS_MAIN
