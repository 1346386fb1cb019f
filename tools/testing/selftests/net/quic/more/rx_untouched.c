// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing is written to what was received: a tap has the bytes of the wire, and
 * whoever's pages are in the datagrams finds them as they were.
 */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"
#include "quic_rx_path.h"
#include "quic_source.h"

#define DCID_LEN	8
#define UDP_HEADER	8
#define MTU		9100

/* What becomes of packets, each with a flow of its own */
enum {
	RIGHT_KEY,
	WRONG_KEY,
	NO_KEY,
	OUTCOMES,
};

static const char * const outcomes[OUTCOMES] = {
	"right key", "wrong key", "no key",
};

FIXTURE(untouched) {
	struct quic_rx_path path;
	struct quic_rx_env *env;
	struct quic_oracle *oracle[OUTCOMES];
	struct quic_packet packet;
	struct quic_sealed sealed;
};

FIXTURE_VARIANT(untouched) {
	int family;
	bool veth;
};

FIXTURE_VARIANT_ADD(untouched, lo_ipv4) { AF_INET, false };
FIXTURE_VARIANT_ADD(untouched, lo_ipv6) { AF_INET6, false };
FIXTURE_VARIANT_ADD(untouched, veth_ipv4) { AF_INET, true };
FIXTURE_VARIANT_ADD(untouched, veth_ipv6) { AF_INET6, true };

/* Generation 0 is there.  2 is another key of the same phase, 1 of the other. */
static const uint8_t sealed_with[OUTCOMES] = { 0, 2, 1 };

FIXTURE_SETUP(untouched)
{
	const struct quic_cipher *cipher = &quic_ciphers[QUIC_AES_GCM_128];
	struct quic_connection_info info;
	struct quic_keys keys;
	int i;

	self->env = &self->path.env;
	if (variant->veth) {
		ASSERT_EQ(0, quic_rx_path_open(&self->path, variant->family));
		ASSERT_EQ(0, quic_rx_path_mtu(&self->path, MTU));
	} else {
		ASSERT_EQ(0, quic_rx_env_open(self->env, variant->family));
	}
	ASSERT_EQ(0, connect(self->env->tx, (void *)&self->env->to.ss,
			     self->env->to.len));

	self->packet = (struct quic_packet) { .pn = 1000, .pn_len = 4 };
	for (i = 0; i < OUTCOMES; i++) {
		quic_dcid_init(&self->packet.dcid, DCID_LEN, i);
		quic_keys_derive(&keys, cipher, i, 0);
		quic_flow_info(&info, &keys, &self->packet.dcid, NULL);
		ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &info, 1000));

		quic_keys_derive(&keys, cipher, i, sealed_with[i]);
		self->oracle[i] = quic_oracle_new(&keys);
	}
}

FIXTURE_TEARDOWN(untouched)
{
	int i;

	for (i = 0; i < OUTCOMES; i++)
		quic_oracle_free(self->oracle[i]);
	if (variant->veth)
		quic_rx_path_close(&self->path);
	else
		quic_rx_env_close(self->env);
}

/* Nobody else has a share in what is received. */
static void untap(FIXTURE_DATA(untouched) *self,
		  const FIXTURE_VARIANT(untouched) *variant)
{
	if (variant->veth) {
		quic_rx_path_untap(&self->path);
	} else {
		close(self->env->wire);
		self->env->wire = -1;
	}
}

struct shape {
	unsigned int count;
	size_t len, last;	/* without tag */
};

static const struct shape shapes[] = {
	{ 1, 1 + DCID_LEN + 4 },
	{ 1, 1200 },
	{ 1, 20000 },
	{ 44, 1184, 300 },
	{ 5, 9000, 8000 },
};

static void build(FIXTURE_DATA(untouched) *self, const struct shape *shape,
		  int outcome)
{
	unsigned int i;

	quic_dcid_init(&self->packet.dcid, DCID_LEN, outcome);
	self->packet.flags = QUIC_FIXED_BIT |
			     (outcome == NO_KEY) * QUIC_KEY_PHASE;
	self->packet.len = shape->len;
	quic_sealed_build(&self->sealed, self->oracle[outcome], 0,
			  self->packet, shape->count, shape->last);
	self->packet.pn += shape->count;
	for (i = 0; i < shape->count && outcome != RIGHT_KEY; i++)
		quic_sealed_expect(&self->sealed, i, outcome == NO_KEY ?
				   QUIC_RX_NO_KEY : QUIC_RX_BAD_TAG);
}

/* The next message is the one built, for who looks at it and who reads it. */
static void expect_read(struct __test_metadata *_metadata,
			FIXTURE_DATA(untouched) *self)
{
	static struct quic_received peeked;
	const char *differs;

	ASSERT_EQ(self->sealed.len, quic_received_get(&peeked, self->env->rx,
						      sizeof(peeked.buf),
						      sizeof(peeked.control),
						      MSG_PEEK));
	differs = quic_received_differs(&peeked, &self->sealed);
	ASSERT_EQ(NULL, differs) {
		TH_LOG("MSG_PEEK: %s", differs);
	}
	quic_expect_received(_metadata, self->env, &self->sealed);
}

/* The next frame with UDP in it has the sealed datagrams. */
static bool tap_has_sealed(const FIXTURE_DATA(untouched) *self, int tap,
			   int flags)
{
	const struct quic_sealed *sealed = &self->sealed;
	static uint8_t frame[1 << 17];
	size_t headers;
	ssize_t len;

	for (;;) {
		len = recv(tap, frame, sizeof(frame), MSG_DONTWAIT | MSG_PEEK);
		if (len < 0)
			return false;
		if (quic_env_is_udp(frame, len))
			break;
		recv(tap, frame, sizeof(frame), 0);
	}
	len = recv(tap, frame, sizeof(frame), flags);
	headers = UDP_HEADER + (frame[0] >> 4 == 6 ? 40 : 20);
	return len == (ssize_t)(headers + sealed->len) &&
	       !memcmp(frame + headers, sealed->wire, sealed->len);
}

TEST_F(untouched, tap)
{
	/* The loopback shows each frame twice. */
	int taps[2] = { self->env->wire, self->env->wire };
	const struct quic_sealed *sealed = &self->sealed;
	unsigned int i, outcome;

	if (variant->veth)
		memcpy(taps, self->path.path.wire, sizeof(taps));

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (outcome = 0; outcome < OUTCOMES; outcome++) {
			if (shapes[i].len > MTU && variant->veth)
				continue;	/* not in one frame */
			build(self, &shapes[i], outcome);
			ASSERT_EQ(sealed->len,
				  quic_sealed_send(self->env->tx, NULL, sealed));
			ASSERT_TRUE(tap_has_sealed(self, taps[0], MSG_PEEK));
			ASSERT_TRUE(tap_has_sealed(self, taps[1], MSG_PEEK));
			expect_read(_metadata, self);
			ASSERT_TRUE(tap_has_sealed(self, taps[0], 0)) {
				TH_LOG("shape %u, %s", i, outcomes[outcome]);
			}
			ASSERT_TRUE(tap_has_sealed(self, taps[1], 0)) {
				TH_LOG("shape %u, %s", i, outcomes[outcome]);
			}
		}
	}
}

/* Sends the message from @at of the source; with @cut bytes of it apart, if
 * the source can do that.
 */
static void send_pages(struct __test_metadata *_metadata,
		       FIXTURE_DATA(untouched) *self,
		       const struct quic_source *source, size_t at, size_t cut)
{
	const struct quic_sealed *sealed = &self->sealed;
	int gso = sealed->count > 1 ? sealed->at[1] : 0;

	memcpy(source->mem + at, sealed->wire, sealed->len);
	ASSERT_EQ(0, setsockopt(self->env->tx, SOL_UDP, UDP_SEGMENT, &gso,
				sizeof(gso)));
	if (cut)
		ASSERT_EQ(cut, quic_source_send(source, self->env->tx, at, cut,
						true)) {
			TH_LOG("%s", strerror(errno));
		}
	ASSERT_EQ(sealed->len - cut,
		  quic_source_send(source, self->env->tx, at + cut,
				   sealed->len - cut, false)) {
		TH_LOG("%s: %s", quic_source_names[source->kind],
		       strerror(errno));
	}
}

static void expect_untouched(struct __test_metadata *_metadata,
			     FIXTURE_DATA(untouched) *self,
			     const struct quic_source *source)
{
	static const size_t at[] = { 0, 77, 4090 };
	static const size_t cuts[] = { 0, 5, 20, 1190 };
	const struct quic_sealed *sealed = &self->sealed;
	unsigned int i, j, outcome;

	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		for (j = 0; j < ARRAY_SIZE(at); j++) {
			outcome = (i + j) % OUTCOMES;
			build(self, &shapes[i], outcome);
			send_pages(_metadata, self, source, at[j], 0);
			expect_read(_metadata, self);
			ASSERT_TRUE(quic_source_is(source, at[j], sealed->wire,
						   sealed->len)) {
				TH_LOG("%s, shape %u, %s",
				       quic_source_names[source->kind], i,
				       outcomes[outcome]);
			}
		}
	}

	/* Every outcome, with a datagram that lies across pages and pieces */
	for (i = 0; i < OUTCOMES * ARRAY_SIZE(cuts); i++) {
		outcome = i % OUTCOMES;
		build(self, &shapes[1], outcome);
		send_pages(_metadata, self, source, 4090,
			   quic_source_shares(source) ? cuts[i / OUTCOMES] : 0);
		expect_read(_metadata, self);
		ASSERT_TRUE(quic_source_is(source, 4090, sealed->wire,
					   sealed->len)) {
			TH_LOG("%s, %s", quic_source_names[source->kind],
			       outcomes[outcome]);
		}
	}
}

/* With a tap, and with nobody looking */
TEST_F_TIMEOUT(untouched, pages, 60)
{
	struct quic_source source;
	unsigned int round, kind;

	for (round = 0; round < 2; round++) {
		for (kind = 0; kind < QUIC_SOURCE_KINDS; kind++) {
			ASSERT_EQ(0, quic_source_open(&source, kind)) {
				TH_LOG("%s: %s", quic_source_names[kind],
				       strerror(errno));
			}
			expect_untouched(_metadata, self, &source);
			quic_source_close(&source);
		}
		untap(self, variant);
	}
}

/* The pages are in the skb: what is changed after sending is what arrives.
 * Without that the test before would say nothing.
 */
TEST_F(untouched, pages_are_shared)
{
	struct quic_sealed *sealed = &self->sealed;
	struct quic_source source;
	unsigned int kind, i;
	size_t at;

	untap(self, variant);
	for (kind = 0; kind < QUIC_SOURCE_KINDS; kind++) {
		ASSERT_EQ(0, quic_source_open(&source, kind));
		/*
		 * Behind the sample, where the shortest packet has nothing.
		 * IP fragments have a checksum that would be wrong.
		 */
		for (i = 1; i < ARRAY_SIZE(shapes); i++) {
			if (shapes[i].count == 1 && shapes[i].len > MTU)
				continue;
			build(self, &shapes[i], RIGHT_KEY);
			send_pages(_metadata, self, &source, 4090, 0);
			at = sealed->at[sealed->count - 1] + 40;
			source.mem[4090 + at] ^= 1;
			if (quic_source_shares(&source))
				quic_sealed_flip(sealed, sealed->count - 1,
						 40 * 8);
			expect_read(_metadata, self);
			source.mem[4090 + at] ^= !quic_source_shares(&source);
			ASSERT_TRUE(quic_source_is(&source, 4090, sealed->wire,
						   sealed->len));
		}
		quic_source_close(&source);
	}
}

TEST_HARNESS_MAIN
