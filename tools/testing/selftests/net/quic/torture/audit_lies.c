// SPDX-License-Identifier: GPL-2.0
/*
 * The auditor of what readers are given sees what it is there for: else its
 * silence would mean nothing.
 */

#include <string.h>

#include "kselftest_harness.h"
#include "quic_audit.h"
#include "quic_rx_audit.h"

#define PACKET		100
#define GENERATION	1

FIXTURE(audit_lies) {
	struct quic_rx_audit *audit;
	struct quic_oracle *oracle;
	struct quic_packet packet;
	struct quic_sealed sealed;
	struct quic_received received;
	struct quic_rx_frame frame, after;
};

FIXTURE_VARIANT(audit_lies) {
	unsigned int cipher;
};

FIXTURE_VARIANT_ADD(audit_lies, gcm_128) { QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(audit_lies, chacha20) { QUIC_CHACHA20_POLY1305 };

FIXTURE_SETUP(audit_lies)
{
	struct quic_keys keys;

	self->audit = quic_rx_audit_new();
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = PACKET,
		.flags = QUIC_FIXED_BIT | QUIC_KEY_PHASE,
	};
	quic_dcid_init(&self->packet.dcid, QUIC_AUDIT_DCID_LEN, 0);
	self->packet.dcid.id[0] = variant->cipher;
	quic_audit_keys(&keys, self->packet.dcid.id, GENERATION);
	self->oracle = quic_oracle_new(&keys);
}

FIXTURE_TEARDOWN(audit_lies)
{
	quic_oracle_free(self->oracle);
	quic_rx_audit_free(self->audit);
}

/* A packet as readers could be given it, right and wrong */
struct lie {
	const char *name;
	uint8_t status;
	uint8_t generation;	/* that is told */
	int64_t away;		/* number that is told */
	bool opened;		/* plaintext is given */
	bool spoilt;		/* on the wire */
	size_t flip;		/* so many bits into what is given, 0: none */
	bool right;
};

static const struct lie lies[] = {
	{ "opened", QUIC_RX_DECRYPTED, 1, 0, true, false, 0, true },
	{ "as it came", QUIC_RX_BAD_TAG, 0, 0, false, true, 0, true },
	{ "no flow", QUIC_RX_NOT_OFFLOADED, 0, 0, false, false, 0, true },
	{ "not authentic", QUIC_RX_DECRYPTED, 1, 0, true, true },
	{ "generation", QUIC_RX_DECRYPTED, 3, 0, true },
	{ "number", QUIC_RX_DECRYPTED, 1, 1, true },
	{ "number of another window", QUIC_RX_DECRYPTED, 1, 1LL << 32, true },
	{ "header", QUIC_RX_DECRYPTED, 1, 0, true, false, 5 },
	{ "payload", QUIC_RX_DECRYPTED, 1, 0, true, false, (PACKET - 1) * 8 },
	{ "tag", QUIC_RX_DECRYPTED, 1, 0, true, false, PACKET * 8 + 1 },
	{ "not opened", QUIC_RX_DECRYPTED, 1, 0, false },
	{ "opened in secret", QUIC_RX_BAD_TAG, 0, 0, true },
	{ "opened without a flow", QUIC_RX_NOT_OFFLOADED, 0, 0, true },
	{ "opened without a key", QUIC_RX_NO_KEY, 0, 0, true },
	{ "changed", QUIC_RX_BAD_TAG, 0, 0, false, true, 300 },
	{ "no such status", QUIC_RX_LIMIT + 1, 0, 0, false },
};

/* What is given, and what @lie tells of it */
static void tell(FIXTURE_DATA(audit_lies) *self, const struct lie *lie)
{
	struct quic_received *received = &self->received;
	struct quic_sealed *sealed = &self->sealed;

	quic_sealed_build(sealed, self->oracle, GENERATION, self->packet, 1, 0);
	sealed->wire[sealed->len - 1] ^= lie->spoilt;
	self->frame.len = sealed->len;
	memcpy(self->frame.bytes, sealed->wire, sealed->len);

	memset(received, 0xa5, sizeof(*received));
	received->ret = sealed->len;
	received->gro = 0;
	received->count = 1;
	memcpy(received->buf, lie->opened ? sealed->want : sealed->wire,
	       sealed->len);
	if (lie->flip)
		received->buf[lie->flip / 8] ^= 1 << lie->flip % 8;
	received->entry[0] = (struct quic_rx_ancillary_data) {
		.status = lie->status,
		.key_gen = lie->generation,
		.conn_id_length = lie->status ? QUIC_AUDIT_DCID_LEN : 0,
	};
	if (lie->status == QUIC_RX_DECRYPTED || lie->status == QUIC_RX_NO_KEY)
		received->entry[0].pkt_num = self->packet.pn + lie->away;
}

TEST_F(audit_lies, lies)
{
	const struct quic_rx_audit_count *count;
	unsigned int i, wrong = 0;

	count = quic_rx_audit_count(self->audit);
	for (i = 0; i < ARRAY_SIZE(lies); i++) {
		tell(self, &lies[i]);
		quic_rx_audit_message(self->audit, &self->frame,
				      &self->received);
		wrong += !lies[i].right;
		ASSERT_EQ(wrong, count->forged) {
			TH_LOG("%s", lies[i].name);
		}
	}
}

TEST_F(audit_lies, behind_the_message)
{
	struct quic_received *received = &self->received;

	tell(self, &lies[0]);
	received->buf[received->ret + 10] = 0;
	quic_rx_audit_message(self->audit, &self->frame, received);
	EXPECT_EQ(1, quic_rx_audit_count(self->audit)->forged);
}

/* Half of a packet: as it came, or what it is if it is authentic */
TEST_F(audit_lies, before_a_fault)
{
	const struct quic_rx_audit_count *count;
	size_t half = PACKET / 2, all;

	count = quic_rx_audit_count(self->audit);
	tell(self, &lies[0]);
	all = self->sealed.len;
	quic_rx_audit_fault(self->audit, &self->frame, self->sealed.wire, half,
			    all);
	quic_rx_audit_fault(self->audit, &self->frame, self->sealed.want, half,
			    all);
	EXPECT_EQ(0, count->forged);
	self->frame.bytes[all - 1] ^= 1;
	quic_rx_audit_fault(self->audit, &self->frame, self->sealed.want, half,
			    all);
	EXPECT_EQ(1, count->forged);
}

TEST_F(audit_lies, a_frame_changes)
{
	const struct quic_rx_audit_count *count;

	count = quic_rx_audit_count(self->audit);
	tell(self, &lies[0]);
	self->after = self->frame;
	quic_rx_audit_frames(self->audit, &self->frame, &self->after);
	EXPECT_EQ(0, count->changed);
	self->after.bytes[self->frame.len - 1] ^= 1;
	quic_rx_audit_frames(self->audit, &self->frame, &self->after);
	EXPECT_EQ(1, count->changed);
}

TEST_HARNESS_MAIN
