// SPDX-License-Identifier: GPL-2.0
/*
 * Receive flows come and go: the socket options, and what happens to packets
 * and readers meanwhile.
 */

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/tls.h>

#include "kselftest_harness.h"
#include "quic_rx_expect.h"

#define DCID_LEN	8
#define GENERATION	4
#define FLOW_LIMIT	"/proc/sys/user/max_quic_flows"

FIXTURE(flows) {
	struct quic_rx_env env;
	struct quic_keys keys[4];	/* generations from GENERATION on */
	struct quic_oracle *oracle;	/* of the first */
	struct quic_rx_connection_info info[4];
	struct quic_packet packet;
	struct quic_sealed sealed;
};

FIXTURE_VARIANT(flows) {
	int cipher;
	int family;
};

FIXTURE_VARIANT_ADD(flows, aes_gcm_128_ipv4) { QUIC_AES_GCM_128, AF_INET };
FIXTURE_VARIANT_ADD(flows, chacha20_poly1305_ipv6) {
	QUIC_CHACHA20_POLY1305, AF_INET6 };
FIXTURE_VARIANT_ADD(flows, aes_gcm_128_mapped) {
	QUIC_AES_GCM_128, QUIC_MAPPED };

FIXTURE_SETUP(flows)
{
	int i;

	ASSERT_EQ(0, quic_rx_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < 4; i++) {
		quic_keys_derive(&self->keys[i], &quic_ciphers[variant->cipher],
				 1, GENERATION + i);
		quic_flow_info(&self->info[i].conn, &self->keys[i],
			       &self->packet.dcid, NULL);
		self->info[i].next_pkt_num = 1000;
	}
	self->oracle = quic_oracle_new(&self->keys[0]);
}

FIXTURE_TEARDOWN(flows)
{
	quic_oracle_free(self->oracle);
	quic_rx_env_close(&self->env);
}

static int set(int fd, int option, const void *value, socklen_t len)
{
	return setsockopt(fd, SOL_UDP, option, value, len);
}

#define EXPECT_FAILURE(err, call)					\
	do {								\
		EXPECT_EQ(-1, call);					\
		EXPECT_EQ(err, errno) {					\
			TH_LOG("%s instead of %s", strerrorname_np(errno), \
			       strerrorname_np(err));			\
		}							\
	} while (0)

#define ADD(fd, info) \
	set(fd, UDP_QUIC_ADD_RX_CONNECTION, info, sizeof(*(info)))
#define DEL(fd, info) \
	set(fd, UDP_QUIC_DEL_RX_CONNECTION, info, sizeof(*(info)))

static void seal(FIXTURE_DATA(flows) *self, unsigned int count)
{
	quic_sealed_build(&self->sealed, self->oracle, GENERATION, self->packet,
			  count, 0);
	self->packet.pn += count;
}

/* The same message once no flow matches it; counted if there are others */
static void unmatched(struct quic_sealed *sealed, bool counted)
{
	quic_sealed_as_wire(sealed);
	sealed->unknown = counted ? sealed->count : 0;
}

static bool has_ulp(int fd)
{
	char name[16];
	socklen_t len = sizeof(name);

	return !getsockopt(fd, SOL_UDP, UDP_ULP, name, &len) && len;
}

TEST_F(flows, optlen)
{
	struct {
		struct quic_rx_connection_info info;
		char surplus[8192 - sizeof(struct quic_rx_connection_info)];
	} longer = { .info = self->info[0] };
	int fd = self->env.rx;
	socklen_t len;

	for (len = 0; len < sizeof(longer.info); len++)
		EXPECT_FAILURE(EINVAL, set(fd, UDP_QUIC_ADD_RX_CONNECTION,
					   &longer, len));
	EXPECT_FALSE(has_ulp(fd));
	EXPECT_FAILURE(E2BIG, set(fd, UDP_QUIC_ADD_RX_CONNECTION, &longer, 4097));
	longer.surplus[0] = 1;
	EXPECT_FAILURE(E2BIG, set(fd, UDP_QUIC_ADD_RX_CONNECTION, &longer, 137));
	longer.surplus[0] = 0;
	EXPECT_EQ(0, set(fd, UDP_QUIC_ADD_RX_CONNECTION, &longer, 4096));
	EXPECT_TRUE(has_ulp(fd));
	EXPECT_EQ(0, set(fd, UDP_QUIC_ADD_RX_CONNECTION, &longer, 137));

	/* DEL reads no more than the key. */
	memset(&longer.info.conn.header_key, 0xa5, sizeof(longer.info) -
	       offsetof(struct quic_connection_info, header_key));
	for (len = 1; len < 52; len++)
		EXPECT_FAILURE(EINVAL, set(fd, UDP_QUIC_DEL_RX_CONNECTION,
					   &longer, len));
	EXPECT_EQ(0, set(fd, UDP_QUIC_DEL_RX_CONNECTION, &longer, 52));
	EXPECT_FAILURE(ENOENT, DEL(fd, &longer.info));
	EXPECT_FAILURE(E2BIG, set(fd, UDP_QUIC_DEL_RX_CONNECTION, &longer, 4097));
	EXPECT_FAILURE(EFAULT, set(fd, UDP_QUIC_ADD_RX_CONNECTION, (void *)1, 136));
}

/* What is wrong with the structure is told before the socket gets the ULP. */
TEST_F(flows, refused)
{
	struct quic_rx_connection_info bad;
	int fd = self->env.rx;

#define EXPECT_REFUSED(err, change)					\
	do {								\
		bad = self->info[0];					\
		change;							\
		EXPECT_FAILURE(err, ADD(fd, &bad));			\
	} while (0)

	EXPECT_REFUSED(ERANGE, bad.next_pkt_num = (1ULL << 62) + 1);
	EXPECT_REFUSED(ERANGE, bad.next_pkt_num = ~0ULL);
	EXPECT_REFUSED(EOPNOTSUPP, bad.conn.cipher_type = 0);
	EXPECT_REFUSED(EINVAL, bad.conn.key.conn_id_length = 21);
	EXPECT_REFUSED(EINVAL, bad.conn.key.conn_id[0] = 1);
	EXPECT_REFUSED(EINVAL, bad.conn.key.__reserved1 = 1);
	EXPECT_REFUSED(EINVAL, bad.conn.key.__reserved2 = 1);
	EXPECT_REFUSED(EINVAL, bad.conn.key.family = AF_UNIX);
	EXPECT_REFUSED(EINVAL, bad.conn.key.udp_port = htons(4433));
	EXPECT_FALSE(has_ulp(fd));
	EXPECT_EQ(0, quic_stat("QuicCurrRxSw"));
	EXPECT_EQ(0, quic_stat("QuicRxSw"));

	bad = self->info[0];
	bad.next_pkt_num = 1ULL << 62;
	EXPECT_EQ(0, ADD(fd, &bad));
	EXPECT_EQ(1, quic_stat("QuicCurrRxSw"));
	EXPECT_EQ(1, quic_stat("QuicRxSw"));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
}

TEST_F(flows, generations)
{
	struct quic_rx_connection_info other;
	int fd = self->env.rx;

	EXPECT_EQ(0, ADD(fd, &self->info[0]));
	EXPECT_FAILURE(EINVAL, ADD(fd, &self->info[2]));
	EXPECT_EQ(0, ADD(fd, &self->info[1]));
	/* Both are there, with these keys: as often as you like. */
	EXPECT_EQ(0, ADD(fd, &self->info[0]));
	EXPECT_EQ(0, ADD(fd, &self->info[1]));
	EXPECT_EQ(0, ADD(fd, &self->info[2]));
	EXPECT_FAILURE(EINVAL, ADD(fd, &self->info[0]));

#define EXPECT_OTHER(err, field)					\
	do {								\
		other = self->info[(err) == EEXIST ? 2 : 3];		\
		other.conn.field ^= 1;					\
		EXPECT_FAILURE(err, ADD(fd, &other));			\
	} while (0)

	EXPECT_OTHER(EEXIST, payload_key[0]);
	EXPECT_OTHER(EEXIST, payload_key[15]);
	EXPECT_OTHER(EEXIST, payload_iv[11]);
	EXPECT_OTHER(EEXIST, header_key[0]);
	EXPECT_OTHER(EINVAL, header_key[15]);
	other = self->info[2];
	other.conn.cipher_type = TLS_CIPHER_AES_CCM_128;
	EXPECT_FAILURE(EEXIST, ADD(fd, &other));
	EXPECT_EQ(1, quic_stat("QuicRxSw"));
	EXPECT_EQ(1, quic_stat("QuicCurrRxSw"));
}

/* Two tables: neither direction sees or deletes flows of the other. */
TEST_F(flows, directions)
{
	int fd = self->env.rx;

	EXPECT_FAILURE(ENOPROTOOPT, DEL(fd, &self->info[0]));
	EXPECT_FAILURE(EINVAL, set(fd, UDP_QUIC_DEL_RX_CONNECTION, NULL, 0));
	EXPECT_EQ(0, ADD(fd, &self->info[0]));
	EXPECT_FAILURE(ENOENT, quic_flow_del(fd, &self->info[0].conn));
	EXPECT_EQ(0, quic_flow_add(fd, &self->info[0].conn));
	EXPECT_EQ(0, set(fd, UDP_QUIC_DEL_TX_CONNECTION, NULL, 0));
	EXPECT_EQ(1, quic_stat("QuicCurrRxSw"));
	EXPECT_EQ(0, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(0, quic_flow_add(fd, &self->info[0].conn));
	EXPECT_EQ(0, set(fd, UDP_QUIC_DEL_RX_CONNECTION, NULL, 0));
	EXPECT_EQ(0, set(fd, UDP_QUIC_DEL_RX_CONNECTION, NULL, 0));
	EXPECT_EQ(0, quic_stat("QuicCurrRxSw"));
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(2, quic_stat("QuicTxSw"));
	EXPECT_EQ(1, quic_stat("QuicRxSw"));
}

TEST_F(flows, one_limit_for_both_directions)
{
	struct quic_rx_connection_info other = self->info[0];
	int fd = self->env.rx;
	char before[32];

	snprintf(before, sizeof(before), "%lu",
		 quic_env_read_number(FLOW_LIMIT, NULL));
	ASSERT_EQ(0, quic_env_write_file(FLOW_LIMIT, "2"));
	other.conn.key.conn_id[19] ^= 1;
	EXPECT_EQ(0, quic_flow_add(fd, &self->info[0].conn));
	EXPECT_EQ(0, ADD(fd, &self->info[0]));
	EXPECT_FAILURE(ENOBUFS, ADD(fd, &other));
	EXPECT_FAILURE(ENOBUFS, quic_flow_add(fd, &other.conn));
	EXPECT_EQ(0, DEL(fd, &self->info[0]));
	EXPECT_EQ(0, quic_flow_add(fd, &other.conn));
	EXPECT_FAILURE(ENOBUFS, ADD(fd, &self->info[0]));
	ASSERT_EQ(0, quic_env_write_file(FLOW_LIMIT, before));
}

/* Packets in the queue when their flow goes arrive as they came. */
TEST_F(flows, del_with_packets_queued)
{
	struct quic_rx_connection_info other = self->info[0];

	ASSERT_EQ(0, ADD(self->env.rx, &self->info[0]));
	other.conn.key.conn_id[19] ^= 1;
	ASSERT_EQ(0, ADD(self->env.rx, &other));
	seal(self, 5);
	ASSERT_EQ(self->sealed.len, quic_sealed_send(self->env.tx, &self->env.to,
						     &self->sealed));
	ASSERT_EQ(0, DEL(self->env.rx, &self->info[0]));
	unmatched(&self->sealed, true);
	quic_expect_received(_metadata, &self->env, &self->sealed);

	/* the last flow, and one that comes while they wait */
	ASSERT_EQ(0, DEL(self->env.rx, &other));
	seal(self, 5);
	ASSERT_EQ(self->sealed.len, quic_sealed_send(self->env.tx, &self->env.to,
						     &self->sealed));
	ASSERT_EQ(0, ADD(self->env.rx, &self->info[0]));
	quic_expect_received(_metadata, &self->env, &self->sealed);
	ASSERT_EQ(0, DEL(self->env.rx, &self->info[0]));
	seal(self, 5);
	unmatched(&self->sealed, false);
	quic_expect_opened(_metadata, &self->env, &self->sealed);
}

TEST_F(flows, close_with_packets_queued)
{
	int i;

	ASSERT_EQ(0, ADD(self->env.rx, &self->info[0]));
	for (i = 0; i < 10; i++) {
		seal(self, 5);
		ASSERT_EQ(self->sealed.len,
			  quic_sealed_send(self->env.tx, &self->env.to,
					   &self->sealed));
	}
	close(self->env.rx);
	EXPECT_EQ(0, quic_stat("QuicCurrRxSw"));
	self->env.rx = -1;
}

struct reader {
	const struct quic_rx_env *env;
	struct quic_received received;
	const struct quic_sealed *sealed;
	const char *differs;
};

static void *reader_run(void *arg)
{
	struct reader *reader = arg;

	quic_received_get(&reader->received, reader->env->rx,
			  sizeof(reader->received.buf),
			  sizeof(reader->received.control), 0);
	reader->differs = quic_received_differs(&reader->received,
						reader->sealed);
	return NULL;
}

/* A reader that waits has what was added meanwhile, on a socket with flows. */
TEST_F(flows, add_while_a_reader_waits)
{
	static struct reader reader;
	struct quic_rx_connection_info other = self->info[0];
	pthread_t thread;

	other.conn.key.conn_id[19] ^= 1;
	ASSERT_EQ(0, ADD(self->env.rx, &other));
	seal(self, 3);
	reader.env = &self->env;
	reader.sealed = &self->sealed;
	ASSERT_EQ(0, pthread_create(&thread, NULL, reader_run, &reader));
	/* Whether it waits already or not, it must come out the same. */
	usleep(100000);
	ASSERT_EQ(0, ADD(self->env.rx, &self->info[0]));
	ASSERT_EQ(self->sealed.len, quic_sealed_send(self->env.tx, &self->env.to,
						     &self->sealed));
	ASSERT_EQ(0, pthread_join(thread, NULL));
	EXPECT_EQ(NULL, reader.differs) {
		TH_LOG("%s", reader.differs);
	}
}

/* Two processes read from one socket: each message goes to one of them, whole,
 * and is counted once.
 */
TEST_F(flows, two_readers)
{
	enum { MESSAGES = 100, DATAGRAMS = 7 };
	static struct quic_sealed sealed[MESSAGES];
	static struct quic_received received;
	struct quic_rx_counters counters;
	unsigned int i, *taken;
	pid_t pids[2];
	int status;

	ASSERT_EQ(0, ADD(self->env.rx, &self->info[0]));
	taken = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, taken);
	self->packet.pn_len = 4;
	counters = quic_rx_counters();
	for (i = 0; i < MESSAGES; i++) {
		self->packet.len = 100 + i;
		seal(self, DATAGRAMS);
		sealed[i] = self->sealed;
		quic_rx_counters_add(&counters, &sealed[i]);
	}

	for (i = 0; i < 2; i++) {
		pids[i] = fork();
		ASSERT_LE(0, pids[i]);
		if (pids[i])
			continue;
		/* Messages differ in length, which tells them apart. */
		while (__atomic_add_fetch(taken, 1, __ATOMIC_SEQ_CST) <= MESSAGES) {
			unsigned int which;
			ssize_t len;

			len = quic_received_get(&received, self->env.rx,
						sizeof(received.buf),
						sizeof(received.control), 0);
			which = len / DATAGRAMS - 100 - QUIC_TAG_SIZE;
			if (len < 0 || which >= MESSAGES)
				_exit(2);
			if (quic_received_differs(&received, &sealed[which]))
				_exit(3);
		}
		_exit(0);
	}
	for (i = 0; i < MESSAGES; i++)
		ASSERT_EQ(sealed[i].len,
			  quic_sealed_send(self->env.tx, &self->env.to,
					   &sealed[i]));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(pids[i], waitpid(pids[i], &status, 0));
		EXPECT_EQ(0, status);
	}
	quic_expect_rx_counters(_metadata, &counters);
}

/* UDP_QUIC_RX_DROP */

TEST_F(flows, rx_drop_option)
{
	int fd = self->env.rx, val = 1;
	static const int on = 1;
	socklen_t len = sizeof(val);

	EXPECT_FAILURE(ENOPROTOOPT, set(fd, UDP_QUIC_RX_DROP, &val, sizeof(val)));
	EXPECT_FAILURE(ENOPROTOOPT, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP,
					       &val, &len));
	ASSERT_EQ(0, set(fd, UDP_ULP, "quic-crypto", 11));
	EXPECT_EQ(0, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP, &val, &len));
	EXPECT_EQ(0, val);
	EXPECT_EQ(sizeof(val), len);

	val = 2;
	EXPECT_FAILURE(EINVAL, set(fd, UDP_QUIC_RX_DROP, &val, sizeof(val)));
	val = -1;
	EXPECT_FAILURE(EINVAL, set(fd, UDP_QUIC_RX_DROP, &val, sizeof(val)));
	val = 1;
	EXPECT_FAILURE(EINVAL, set(fd, UDP_QUIC_RX_DROP, &val, 3));
	EXPECT_FAILURE(EFAULT, set(fd, UDP_QUIC_RX_DROP, (void *)1, sizeof(val)));
	EXPECT_EQ(0, set(fd, UDP_QUIC_RX_DROP, &val, sizeof(val)));
	val = 0;
	len = 1;
	EXPECT_EQ(0, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP, &val, &len));
	EXPECT_EQ(1, len);
	EXPECT_EQ(0, memcmp(&val, &on, len));
	len = -1;
	EXPECT_FAILURE(EINVAL, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP, &val,
					  &len));
	len = 100;
	EXPECT_EQ(0, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP, &val, &len));
	EXPECT_EQ(sizeof(val), len);
	EXPECT_FAILURE(EFAULT, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP,
					  (void *)1, &len));
	/* Neither is it lost when flows come and go. */
	EXPECT_EQ(0, ADD(fd, &self->info[0]));
	EXPECT_EQ(0, DEL(fd, &self->info[0]));
	EXPECT_EQ(0, getsockopt(fd, SOL_UDP, UDP_QUIC_RX_DROP, &val, &len));
	EXPECT_EQ(1, val);
}

/* Which messages are dropped, and that one after them is read */
TEST_F(flows, rx_drop)
{
	uint8_t stranger[200] = { QUIC_FIXED_BIT, 1, 2 }, byte;
	uint8_t long_header[200] = { QUIC_LONG_HEADER, 1, 2 };
	struct quic_sealed *sealed = &self->sealed;
	struct quic_rx_counters counters;
	static struct quic_sealed dropped;
	int fd = self->env.rx, on = 1;
	unsigned int i, peek;

	ASSERT_EQ(0, set(fd, UDP_ULP, "quic-crypto", 11));
	ASSERT_EQ(0, set(fd, UDP_QUIC_RX_DROP, &on, sizeof(on)));
	quic_sealed_start(&dropped);
	for (i = 0; i < 9; i++)
		quic_sealed_raw(&dropped, stranger, sizeof(stranger), true);

	/* without flows, then with one; found by a read, then by a peek */
	for (i = 0; i < 2; i++) {
		for (peek = 0; peek < 2; peek++) {
			counters = quic_rx_counters();
			ASSERT_EQ(dropped.len,
				  quic_sealed_send(self->env.tx, &self->env.to,
						   &dropped));
			EXPECT_FAILURE(EAGAIN, recv(fd, &byte, peek, MSG_DONTWAIT |
						    (peek ? MSG_PEEK : 0)));
			counters.dropped += dropped.count;
			quic_expect_rx_counters(_metadata, &counters);
			EXPECT_FAILURE(EAGAIN, recv(fd, &byte, 1, MSG_DONTWAIT));
		}
		ASSERT_EQ(0, ADD(fd, &self->info[0]));
	}

	/* A long header, and a packet of a flow, save what is with them. */
	quic_sealed_start(sealed);
	quic_sealed_raw(sealed, stranger, sizeof(stranger), true);
	quic_sealed_raw(sealed, long_header, sizeof(long_header), false);
	quic_sealed_raw(sealed, stranger, sizeof(stranger), true);
	quic_expect_opened(_metadata, &self->env, sealed);

	self->packet.len = sizeof(stranger) - QUIC_TAG_SIZE;
	quic_sealed_start(sealed);
	quic_sealed_raw(sealed, stranger, sizeof(stranger), true);
	quic_sealed_add(sealed, self->oracle, GENERATION, &self->packet);
	quic_expect_opened(_metadata, &self->env, sealed);

	/* The same where only the wire's bytes can be delivered */
	ASSERT_EQ(sealed->len, quic_sealed_send(self->env.tx, &self->env.to,
						sealed));
	EXPECT_EQ(1, recv(fd, &byte, 1, 0));

	/* What was dropped is as if it had not come. */
	ASSERT_EQ(dropped.len, quic_sealed_send(self->env.tx, &self->env.to,
						&dropped));
	counters = quic_rx_counters();
	ASSERT_EQ(sealed->len, quic_sealed_send(self->env.tx, &self->env.to,
						sealed));
	quic_rx_counters_add(&counters, sealed);
	counters.dropped += dropped.count;
	{
		static struct quic_received received;

		quic_received_get(&received, fd, sizeof(received.buf),
				  sizeof(received.control), 0);
		EXPECT_EQ(NULL, quic_received_differs(&received, sealed));
	}
	quic_expect_rx_counters(_metadata, &counters);

	on = 0;
	ASSERT_EQ(0, set(fd, UDP_QUIC_RX_DROP, &on, sizeof(on)));
	quic_expect_opened(_metadata, &self->env, &dropped);
}

TEST_HARNESS_MAIN
