// SPDX-License-Identifier: GPL-2.0
/*
 * Races for what a reader learns beside the bytes: packet numbers, which readers
 * move for each other; and the source, which a BPF program may change.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "kselftest_harness.h"
#include "quic_race_pool.h"

/* With one byte a number is told if it is not so far from what has come. */
#define PN_LEN		1
#define UNDER_WAY	60	/* after the first that nobody has opened yet */
#define NUMBERS		4096	/* more than can be under way */
#define PACKETS_MAX	12
#define OTHER_PORT	htons(4433)

struct shared {
	struct quic_pool *pool;
	struct quic_addr from;
	int prog;			/* BPF */
	unsigned long sent, opened, low;
	bool done[NUMBERS];		/* from @low on */
	uint64_t sent_sum, opened_sum;
	unsigned long real, changed;	/* sources that readers have seen */
};

FIXTURE(race_receive) {
	struct quic_race race;
	struct shared *shared;
	struct quic_rx_counters before;
};

FIXTURE_VARIANT(race_receive) {
	int family;
};

FIXTURE_VARIANT_ADD(race_receive, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(race_receive, ipv6) { AF_INET6 };

FIXTURE_SETUP(race_receive)
{
	ASSERT_EQ(0, quic_race_open(&self->race, variant->family,
				    QUIC_POOL_FLOWS));
	self->race.brief = true;
	quic_audit_all_ports(self->race.audit, QUIC_AUDIT_BYTES);
	self->shared = quic_race_alloc(sizeof(*self->shared));
	self->race.own = self->shared;
	/* It takes the place of the other one. */
	close(self->race.env.rx);
	self->race.env.rx = quic_pool_receiver(&self->race,
					       &self->race.env.to);
	ASSERT_LE(0, self->race.env.rx);
	self->before = quic_rx_counters();
}

FIXTURE_TEARDOWN(race_receive)
{
	EXPECT_TRUE(quic_race_close(&self->race));
}

/* What packets are, after their numbers */
static struct quic_packet packet_of(const struct quic_race *race, uint64_t pn,
				    unsigned int len)
{
	return (struct quic_packet) {
		.pn = pn,
		.pn_len = PN_LEN,
		.len = len,
		.flags = QUIC_FIXED_BIT,
		.dcid = race->flows[0].dcid,
	};
}

/* Unlike for other numbers, even if they look alike */
static uint64_t sum_of(uint64_t pn)
{
	return (pn + 1) * 0x9e3779b97f4a7c15 ^ (pn << 7);
}

/* There is one of this party: numbers go out in order. */
static int send_next(struct quic_race *race, unsigned int *seed)
{
	static __thread struct quic_oracle *oracle;
	static __thread struct quic_sealed sealed;
	unsigned int count = 1 + rand_r(seed) % PACKETS_MAX;
	struct shared *shared = race->own;
	struct quic_packet packet;
	struct quic_keys keys;
	uint64_t pn, i;

	pn = shared->sent;
	while (__atomic_exchange_n(&shared->done[shared->low % NUMBERS], false,
				   __ATOMIC_ACQUIRE))
		shared->low++;
	if (pn - shared->low > UNDER_WAY) {
		usleep(100);
		return EAGAIN;
	}
	if (!oracle) {
		quic_audit_keys(&keys, race->flows[0].dcid.id, 0);
		oracle = quic_oracle_new(&keys);
	}
	packet = packet_of(race, pn, 50 + rand_r(seed) % 1000);
	quic_sealed_build(&sealed, oracle, 0, packet, count, 0);
	for (i = 0; i < count; i++)
		shared->sent_sum += sum_of(pn + i);
	__atomic_store_n(&shared->sent, pn + count, __ATOMIC_RELAXED);
	return quic_sealed_send(race->env.tx, &race->env.to, &sealed) < 0 ?
	       errno : 0;
}

static int judge(const struct quic_race *race, const uint8_t *datagram,
		 size_t len, const struct quic_rx_ancillary_data *entry)
{
	static __thread uint8_t want[2000];
	struct quic_packet packet;

	if (entry->status != QUIC_RX_DECRYPTED || len > sizeof(want))
		return EPROTO;
	packet = packet_of(race, entry->pkt_num, len - QUIC_TAG_SIZE);
	quic_packet_build(want, &packet);
	memset(want + packet.len, 0, QUIC_TAG_SIZE);
	return memcmp(want, datagram, len) ? EPROTO : 0;
}

static int read_next(struct quic_race *race, unsigned int *seed)
{
	static __thread struct quic_received received;
	struct shared *shared = race->own;
	size_t stride, at, len;
	unsigned int i;
	int err;

	if (quic_received_get(&received, race->env.rx, sizeof(received.buf),
			      sizeof(received.control),
			      rand_r(seed) & 1 ? MSG_DONTWAIT : 0) < 0)
		return errno;
	stride = received.gro ?: received.ret;
	for (i = 0, at = 0; at < (size_t)received.ret; i++, at += len) {
		len = received.ret - at < stride ? received.ret - at : stride;
		err = i < received.count ?
		      judge(race, received.buf + at, len, &received.entry[i]) :
		      ENOMSG;
		if (err)
			return err;
		/* Once more? */
		if (__atomic_exchange_n(&shared->done[received.entry[i].pkt_num %
						      NUMBERS], true,
					__ATOMIC_RELEASE))
			return EPROTO;
		__atomic_add_fetch(&shared->opened_sum,
				   sum_of(received.entry[i].pkt_num),
				   __ATOMIC_RELAXED);
		__atomic_add_fetch(&shared->opened, 1, __ATOMIC_RELAXED);
	}
	return 0;
}

/* It does not move the numbers back, nor forth. */
static int add_again(struct quic_race *race, unsigned int *seed)
{
	struct quic_connection_info info;
	struct shared *shared = race->own;
	struct quic_keys keys;
	uint64_t next;

	usleep(rand_r(seed) % 300);
	next = __atomic_load_n(&shared->opened, __ATOMIC_RELAXED);
	quic_audit_keys(&keys, race->flows[0].dcid.id, 0);
	quic_flow_info(&info, &keys, &race->flows[0].dcid, NULL);
	return quic_rx_flow_add(race->env.rx, &info,
				rand_r(seed) & 1 ? 0 : next) ? errno : 0;
}

static const int reads[] = { EAGAIN, 0 };

/* Each number is opened once, by one of the readers. */
TEST_F_TIMEOUT(race_receive, numbers, QUIC_RACE_TIMEOUT)
{
	static const struct quic_race_party parties[] = {
		{ "send", send_next, reads, 1 },
		{ "read", read_next, reads, 4 },
		{ "add again", add_again, NULL, 1 },
	};
	struct shared *shared = self->shared;
	struct quic_rx_counters now;
	unsigned int seed = 1;

	ASSERT_EQ(0, add_again(&self->race, &seed));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	while (shared->opened < shared->sent && !read_next(&self->race, &seed))
		;
	EXPECT_EQ(shared->sent, shared->opened);
	EXPECT_EQ(shared->sent_sum, shared->opened_sum);
	now = quic_rx_counters();
	EXPECT_EQ(shared->sent, now.packets - self->before.packets);
	EXPECT_EQ(0, now.bad_tag - self->before.bad_tag);
}

/* A program tells readers of another port, now and then; flows are those of the
 * peer who has sent.
 */

static int load_program(int family)
{
	const struct bpf_insn insns[] = {
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_2, .imm = OTHER_PORT },
		{ BPF_STX | BPF_MEM | BPF_W, BPF_REG_1, BPF_REG_2,
		  offsetof(struct bpf_sock_addr, user_port) },
		{ BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, .imm = 1 },
		{ BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
		.expected_attach_type = family == AF_INET6 ?
			BPF_CGROUP_UDP6_RECVMSG : BPF_CGROUP_UDP4_RECVMSG,
		.insns = (uintptr_t)insns,
		.insn_cnt = ARRAY_SIZE(insns),
		.license = (uintptr_t)"GPL",
	};

	return syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
}

static int attach_program(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;
	union bpf_attr link = {};
	int fd, cgroup;

	cgroup = open("/sys/fs/cgroup", O_RDONLY);
	link.link_create.attach_type = race->env.family == AF_INET6 ?
		BPF_CGROUP_UDP6_RECVMSG : BPF_CGROUP_UDP4_RECVMSG;
	link.link_create.target_fd = cgroup;
	link.link_create.prog_fd = shared->prog;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
	close(cgroup);
	if (fd < 0)
		return errno;
	usleep(rand_r(seed) % 2000);
	close(fd);
	usleep(rand_r(seed) % 2000);
	return 0;
}

static int send_first(struct quic_race *race, unsigned int *seed)
{
	struct shared *shared = race->own;

	return quic_pool_offer(shared->pool, race->env.rx, &race->env.to, seed);
}

static int read_and_see_source(struct quic_race *race, unsigned int *seed)
{
	static __thread struct quic_received received;
	const struct sockaddr_in6 *from;
	struct shared *shared = race->own;

	if (quic_received_get(&received, race->env.rx, sizeof(received.buf),
			      sizeof(received.control), MSG_DONTWAIT) < 0)
		return errno;
	from = (const void *)&shared->from.ss;
	if (received.from.sin6_port == OTHER_PORT)
		__atomic_add_fetch(&shared->changed, 1, __ATOMIC_RELAXED);
	else if (received.from.sin6_port == from->sin6_port)
		__atomic_add_fetch(&shared->real, 1, __ATOMIC_RELAXED);
	else
		return EPROTO;
	return quic_pool_judge(shared->pool, &received, QUIC_POOL_OPENED, true,
			       false);
}

TEST_F_TIMEOUT(race_receive, source, QUIC_RACE_TIMEOUT)
{
	static const struct quic_race_party parties[] = {
		{ "send", send_first, reads, 2 },
		{ "read", read_and_see_source, reads, 2 },
		{ "attach and detach", attach_program, NULL, 1 },
	};
	struct shared *shared = self->shared;
	struct sockaddr_in6 *from, bound;
	socklen_t len = sizeof(bound);
	unsigned int seed = 1, flow;

	shared->prog = load_program(variant->family);
	if (shared->prog < 0 || attach_program(&self->race, &seed))
		SKIP(return, "needs cgroup2 and CONFIG_CGROUP_BPF");
	shared->pool = quic_pool_new(&self->race);
	/* The first message gives the sender its port. */
	ASSERT_EQ(0, send_first(&self->race, &seed));
	shared->from = self->race.env.to;
	from = (void *)&shared->from.ss;
	ASSERT_EQ(0, getsockname(self->race.env.tx, (void *)&bound, &len));
	/* Both families have the port in one place. */
	from->sin6_port = bound.sin6_port;
	for (flow = 0; flow < QUIC_POOL_FLOWS; flow++)
		ASSERT_EQ(0, quic_pool_add_from(shared->pool,
						self->race.env.rx, flow,
						&shared->from));
	EXPECT_TRUE(quic_race_run(&self->race, parties, ARRAY_SIZE(parties)));
	while (!read_and_see_source(&self->race, &seed))
		;
	EXPECT_LT(0, shared->real);
	EXPECT_LT(0, shared->changed);
	EXPECT_TRUE(quic_pool_adds_up(shared->pool, 0));
	EXPECT_TRUE(quic_pool_counters(shared->pool, &self->before));
	quic_pool_free(shared->pool);
}

TEST_HARNESS_MAIN
