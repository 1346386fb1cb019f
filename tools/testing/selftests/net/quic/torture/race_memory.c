// SPDX-License-Identifier: GPL-2.0
/*
 * Races for the memory that a message comes from: data, iovecs, control
 * messages and destination change while they are sent, or are gone.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_race.h"

#define SLOTS		2	/* messages, each with its sender */
#define PIECES		4
#define DATA_SIZE	16384
#define PACKETS		3
#define PACKET_LEN	700
#define STEP		(1 << 16)

/* A message in shared memory; its data are in a file, which can be cut. */
struct message {
	struct msghdr mh;
	struct iovec iov[PIECES];
	struct quic_addr to;
	uint64_t control[16];
};

struct shared {
	int data;			/* file */
	uint8_t *mapped;		/* data, of slot after slot */
	struct message messages[SLOTS];
};

FIXTURE(race_memory) {
	struct quic_race race;
	struct shared *shared;
};

FIXTURE_VARIANT(race_memory) {
	int family;
};

FIXTURE_VARIANT_ADD(race_memory, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_memory, ipv6) { AF_INET6 };

FIXTURE_SETUP(race_memory)
{
	struct shared *shared = quic_race_alloc(sizeof(*shared));
	struct quic_race_flow *flow;
	unsigned int i;

	ASSERT_EQ(0, quic_race_open(&self->race, variant->family, SLOTS));
	self->shared = shared;
	self->race.own = shared;
	shared->data = memfd_create("data", MFD_CLOEXEC);
	ASSERT_LE(0, shared->data);
	ASSERT_EQ(0, ftruncate(shared->data, SLOTS * DATA_SIZE));
	shared->mapped = mmap(NULL, SLOTS * DATA_SIZE,
			      PROT_READ | PROT_WRITE, MAP_SHARED, shared->data,
			      0);
	ASSERT_NE(MAP_FAILED, shared->mapped);
	for (i = 0; i < SLOTS; i++) {
		/* They differ in one bit, and a hole does not read like that. */
		flow = &self->race.flows[i];
		quic_race_flow_init(flow, ~0);
		flow->dcid.id[0] = i;
		flow->next = STEP;
		ASSERT_EQ(0, quic_race_flow_add(self->race.env.tx, flow, 0));
		ASSERT_EQ(0, quic_race_flow_add(self->race.env.tx, flow, 1));
	}
}

FIXTURE_TEARDOWN(race_memory)
{
	close(self->shared->data);
	EXPECT_TRUE(quic_race_close(&self->race));
}

/*
 * Packet numbers are multiples of STEP.  Whatever is written to their lower
 * bytes they get larger from packet to packet, which keeps the auditor on
 * their track.
 */
static void write_message(struct quic_race *race, unsigned int slot,
			  unsigned int *seed)
{
	static __thread struct quic_train train;
	struct shared *shared = race->own;
	struct message *message = &shared->messages[slot];
	struct quic_race_flow *flow = &race->flows[slot];
	struct quic_packet packet = {
		.pn_len = 4,
		.len = PACKET_LEN,
		.flags = QUIC_FIXED_BIT,
		.dcid = flow->dcid,
	};
	size_t at = slot * DATA_SIZE, left, piece;
	struct quic_msghdr hdr;
	struct quic_msg msg;
	unsigned int i;

	packet.pn = __atomic_fetch_add(&flow->next, (PACKETS + 1) * STEP,
				       __ATOMIC_RELAXED);
	train.count = 0;
	for (i = 0; i < PACKETS; i++, packet.pn += STEP)
		quic_train_add(&train, &packet);
	pwrite(shared->data, train.buf, train.len, at);

	msg = quic_msg(race->env.tx, &race->env.to, &train);
	quic_msghdr_init(&hdr, &msg);
	message->to = race->env.to;
	memcpy(message->control, hdr.control, sizeof(message->control));
	for (i = 0, left = train.len; i < PIECES; i++, left -= piece) {
		piece = i < PIECES - 1 ? rand_r(seed) % (left / 2) : left;
		message->iov[i].iov_base = shared->mapped + at;
		message->iov[i].iov_len = piece;
		at += piece;
	}
	message->mh = (struct msghdr) {
		.msg_name = &message->to.ss,
		.msg_namelen = message->to.len,
		.msg_iov = message->iov,
		.msg_iovlen = PIECES,
		.msg_control = message->control,
		.msg_controllen = hdr.mh.msg_controllen,
	};
}

static int send_slot(struct quic_race *race, unsigned int slot,
		     unsigned int *seed)
{
	struct shared *shared = race->own;

	write_message(race, slot, seed);
	if (sendmsg(race->env.tx, &shared->messages[slot].mh, 0) < 0)
		return errno;
	return 0;
}

static int send_first(struct quic_race *race, unsigned int *seed)
{
	return send_slot(race, 0, seed);
}

static int send_second(struct quic_race *race, unsigned int *seed)
{
	return send_slot(race, 1, seed);
}

static void change_byte(struct shared *shared, size_t at, uint8_t bits)
{
	__atomic_xor_fetch(shared->mapped + at, bits, __ATOMIC_RELAXED);
}

static int change_data(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	size_t at = rand_r(seed) % SLOTS * DATA_SIZE +
		   rand_r(seed) % PACKETS * PACKET_LEN;
	/* Not the length of the packet number */
	static const uint8_t bits[] = { 0x80, 0x04, 0x40, 0x18 };

	switch (rand_r(seed) % 4) {
	case 0:
		change_byte(shared, at, bits[rand_r(seed) % sizeof(bits)]);
		break;
	case 1:
		change_byte(shared, at + 1, 1);		/* the other flow */
		break;
	case 2:
		change_byte(shared, at + 1 + QUIC_AUDIT_DCID_LEN + 2 +
			    rand_r(seed) % 2, rand_r(seed));
		break;
	default:
		change_byte(shared, at + PACKET_LEN - 1, rand_r(seed));
	}
	return 0;
}

/* Never so that the message does not ask for protection any more. */
static int change_message(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	struct message *message = &shared->messages[rand_r(seed) % SLOTS];
	struct iovec *iov = &message->iov[rand_r(seed) % PIECES];
	struct sockaddr_in6 *to = (void *)&message->to.ss;
	struct cmsghdr *cmsg = (void *)message->control;
	struct quic_tx_ancillary_data *anc = (void *)CMSG_DATA(cmsg);
	unsigned int bits = rand_r(seed);

	switch (rand_r(seed) % 8) {
	case 0:
		iov->iov_len ^= bits % PACKET_LEN;
		break;
	case 1:
		iov->iov_base = bits & 1 ? NULL : shared->mapped + bits %
						  (SLOTS * DATA_SIZE);
		break;
	case 2:
		message->mh.msg_iovlen = bits % (PIECES + 1);
		break;
	case 3:
		anc->next_pkt_num ^= bits % STEP;
		break;
	case 4:
		anc->conn_id_length ^= bits % 32;
		break;
	case 5:
		anc->flags ^= 0x02;
		break;
	case 6:
		cmsg->cmsg_len ^= bits % 64;
		break;
	default:
		to->sin6_port ^= bits % 8;
	}
	return 0;
}

/*
 * The rest of the page reads as zeros then.  Not from within a header on so that
 * the DCID is still that of the flow and the number is another: such a packet is
 * sent, far ahead of what the auditor and the other packets expect.
 */
static int take_away(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	size_t size = rand_r(seed) % (SLOTS * DATA_SIZE);
	size_t at = size % DATA_SIZE % PACKET_LEN;

	if (at > 1 && at < 1 + QUIC_AUDIT_DCID_LEN + 2)
		size -= at;
	ftruncate(shared->data, size);
	usleep(rand_r(seed) % 500);
	ftruncate(shared->data, SLOTS * DATA_SIZE);
	usleep(rand_r(seed) % 2000);
	return 0;
}

TEST_F_TIMEOUT(race_memory, changing_data, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { EINVAL, ENOENT, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_first, sends, 1 },
		{ "send the other flow", send_second, sends, 1 },
		{ "change data", change_data, NULL, 2 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

/* Zeros take their place, or nothing. */
TEST_F_TIMEOUT(race_memory, vanishing_data, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = { EINVAL, ENOENT, EFAULT, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_first, sends, 1 },
		{ "send the other flow", send_second, sends, 1 },
		{ "take pages away", take_away, NULL, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

TEST_F_TIMEOUT(race_memory, changing_message, QUIC_RACE_TIMEOUT)
{
	static const int sends[] = {
		EINVAL, ENOENT, EFAULT, EMSGSIZE, ERANGE, 0 };
	static const struct quic_race_party parties[] = {
		{ "send", send_first, sends, 1 },
		{ "send the other flow", send_second, sends, 1 },
		{ "change the message", change_message, NULL, 2 },
		{ "change data", change_data, NULL, 1 },
	};

	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
}

TEST_HARNESS_MAIN
