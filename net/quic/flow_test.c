// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <uapi/linux/tls.h>

#include "flow.h"

static const u8 quic_flow_test_dcid[] = { 1, 2, 3, 4, 5 };

static struct quic_connection_info quic_flow_test_info(u8 generation)
{
	struct quic_connection_info info = {
		.cipher_type = TLS_CIPHER_AES_GCM_128,
		.conn_payload_key_gen = generation,
		.key.conn_id_length = sizeof(quic_flow_test_dcid),
		.header_key = { 1 },
		.payload_key = { generation },
	};

	memcpy(info.key.conn_id + sizeof(info.key.conn_id) -
	       sizeof(quic_flow_test_dcid), quic_flow_test_dcid,
	       sizeof(quic_flow_test_dcid));

	return info;
}

static int quic_flow_test_add(struct kunit *test, u8 generation)
{
	struct quic_connection_info info = quic_flow_test_info(generation);

	return quic_flow_add(test->priv, &init_net, QUIC_TX, &info, 0);
}

/* The generations of both phases, -1 for none. */
static void quic_flow_test_expect(struct kunit *test, int even, int odd)
{
	struct quic_peer dest = { .port = htons(1) };
	struct quic_key *keys[2];

	KUNIT_ASSERT_EQ(test, 0,
			quic_flow_get_keys(test->priv, &dest,
					   quic_flow_test_dcid,
					   sizeof(quic_flow_test_dcid), keys));
	KUNIT_EXPECT_EQ(test, even, keys[0] ? keys[0]->generation : -1);
	KUNIT_EXPECT_EQ(test, odd, keys[1] ? keys[1]->generation : -1);
	quic_key_put(keys[0]);
	quic_key_put(keys[1]);
}

static void quic_flow_test_generations(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 254), 1);
	quic_flow_test_expect(test, 254, -1);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 254), -EEXIST);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 253), -EINVAL);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 0), -EINVAL);

	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 255), 0);
	quic_flow_test_expect(test, 254, 255);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 254), -EEXIST);

	/* The oldest makes room; after 255 comes 0. */
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 0), 0);
	quic_flow_test_expect(test, 0, 255);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 254), -EINVAL);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 2), -EINVAL);
	quic_flow_test_expect(test, 0, 255);
}

static void quic_flow_test_update(struct kunit *test)
{
	struct quic_connection_info info = quic_flow_test_info(8);

	KUNIT_ASSERT_EQ(test, quic_flow_test_add(test, 7), 1);

	info.header_key[15] ^= 1;
	KUNIT_EXPECT_EQ(test, quic_flow_add(test->priv, &init_net, QUIC_TX, &info, 0),
			-EINVAL);
	info = quic_flow_test_info(8);
	info.cipher_type = TLS_CIPHER_AES_CCM_128;
	KUNIT_EXPECT_EQ(test, quic_flow_add(test->priv, &init_net, QUIC_TX, &info, 0),
			-EINVAL);
	quic_flow_test_expect(test, -1, 7);

	/* What stands behind the key does not matter. */
	info = quic_flow_test_info(8);
	info.header_key[16] ^= 1;
	KUNIT_EXPECT_EQ(test, 0, quic_flow_add(test->priv, &init_net, QUIC_TX,
					       &info, 0));
	quic_flow_test_expect(test, 8, 7);
}

static void quic_flow_test_match(struct kunit *test)
{
	struct quic_connection_info info = quic_flow_test_info(1);
	struct quic_peer dest = { .port = htons(4433) };
	struct quic_sock *qs = test->priv;
	struct quic_key *keys[2];

	ipv6_addr_set(&dest.addr, htonl(0xfe800000), 0, 0, htonl(1));

	/* generation 1 for any destination, 3 for this one, 5 on interface 7 */
	KUNIT_ASSERT_EQ(test, quic_flow_add(qs, &init_net, QUIC_TX, &info, 0),
			1);
	quic_match_set(&info.key, &dest, QUIC_MATCH_PEER);
	info.conn_payload_key_gen = 3;
	KUNIT_ASSERT_EQ(test, quic_flow_add(qs, &init_net, QUIC_TX, &info, 0),
			1);
	info.key.scope_id = 7;
	info.conn_payload_key_gen = 5;
	KUNIT_ASSERT_EQ(test, quic_flow_add(qs, &init_net, QUIC_TX, &info, 0),
			1);

#define EXPECT_GENERATION(gen)						\
	do {								\
		KUNIT_ASSERT_EQ(test, 0, quic_flow_get_keys(qs, &dest,	\
				quic_flow_test_dcid,			\
				sizeof(quic_flow_test_dcid), keys));	\
		KUNIT_EXPECT_EQ(test, keys[1]->generation, gen);	\
		quic_key_put(keys[1]);					\
	} while (0)

	EXPECT_GENERATION(3);
	dest.scope_id = 8;
	EXPECT_GENERATION(3);
	dest.scope_id = 7;
	EXPECT_GENERATION(5);
	dest.port = htons(4434);
	EXPECT_GENERATION(1);

	KUNIT_EXPECT_EQ(test, quic_flow_get_keys(qs, &dest, quic_flow_test_dcid,
						 4, keys), -ENOENT);

	/* Deleting takes the one that is named. */
	KUNIT_EXPECT_EQ(test, quic_flow_del(qs, &init_net, QUIC_TX, &info.key),
			0);
	KUNIT_EXPECT_EQ(test, quic_flow_del(qs, &init_net, QUIC_TX, &info.key),
			-ENOENT);
	dest.port = htons(4433);
	EXPECT_GENERATION(3);
}

/* Flows of each kind, and so many that the table grows before */
static void quic_flow_test_del_all(struct kunit *test)
{
	struct quic_connection_info info = quic_flow_test_info(1);
	struct quic_peer dest = { .port = htons(4433), .scope_id = 7 };
	struct quic_sock *qs = test->priv;
	struct quic_key *keys[2];
	unsigned int i;
	int err;

	quic_flow_del_all(qs, &init_net, QUIC_TX);
	ipv6_addr_set(&dest.addr, htonl(0xfe800000), 0, 0, htonl(1));
	for (i = 0; i < 300; i++) {
		info.key.conn_id[sizeof(info.key.conn_id) - 1] = i;
		info.key.conn_id[sizeof(info.key.conn_id) - 2] = i >> 8;
		quic_match_set(&info.key, &dest, i % QUIC_MATCH_NUM);
		err = quic_flow_add(qs, &init_net, QUIC_TX, &info, 0);
		if (err == -ENOBUFS)
			kunit_skip(test, "user.max_quic_flows is too small");
		KUNIT_ASSERT_EQ(test, err, 1);
	}

	quic_flow_del_all(qs, &init_net, QUIC_TX);
	KUNIT_EXPECT_EQ(test, atomic_read(&qs->table.nelems), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&qs->flows[QUIC_TX].list));
	for (i = 0; i < QUIC_MATCH_NUM; i++)
		KUNIT_EXPECT_EQ(test, qs->flows[QUIC_TX].nr_kind[i], 0);
	KUNIT_EXPECT_EQ(test, qs->flows[QUIC_TX].lengths, 0);

	KUNIT_EXPECT_EQ(test, quic_flow_test_add(test, 5), 1);
	quic_flow_test_expect(test, -1, 5);
	quic_flow_del_all(qs, &init_net, QUIC_TX);
	KUNIT_EXPECT_EQ(test, quic_flow_get_keys(qs, &dest, quic_flow_test_dcid,
						 sizeof(quic_flow_test_dcid),
						 keys), -ENOENT);
}

static int quic_flow_test_add_rx(struct kunit *test,
				 const struct quic_connection_info *info,
				 u64 next_pkt_num)
{
	return quic_flow_add(test->priv, &init_net, QUIC_RX, info,
			     next_pkt_num);
}

static struct quic_flow *quic_flow_test_find_rx(struct kunit *test)
{
	const struct quic_peer peer = { .port = htons(1) };
	struct quic_flow *flow;

	/* Nobody else uses the flows of a test. */
	rcu_read_lock();
	flow = quic_flow_lookup(test->priv, QUIC_RX, &peer, quic_flow_test_dcid,
				sizeof(quic_flow_test_dcid));
	rcu_read_unlock();
	KUNIT_ASSERT_NOT_NULL(test, flow);

	return flow;
}

/* Directions do not see each other. */
static void quic_flow_test_directions(struct kunit *test)
{
	struct quic_connection_info info = quic_flow_test_info(3);
	struct quic_sock *qs = test->priv;

	KUNIT_EXPECT_FALSE(test, qs->rx);
	KUNIT_ASSERT_EQ(test, quic_flow_test_add(test, 1), 1);
	KUNIT_EXPECT_FALSE(test, qs->rx);
	KUNIT_EXPECT_EQ(test, -ENOENT, quic_flow_del(qs, &init_net, QUIC_RX,
						     &info.key));
	KUNIT_ASSERT_EQ(test, quic_flow_test_add_rx(test, &info, 0), 1);
	KUNIT_EXPECT_TRUE(test, qs->rx);
	KUNIT_EXPECT_EQ(test, qs->flows[QUIC_RX].lengths,
			BIT(sizeof(quic_flow_test_dcid)));
	quic_flow_test_expect(test, -1, 1);

	quic_flow_del_all(qs, &init_net, QUIC_TX);
	KUNIT_EXPECT_EQ(test, quic_flow_test_find_rx(test)->generation, 3);
	quic_flow_del_all(qs, &init_net, QUIC_RX);
	KUNIT_EXPECT_FALSE(test, qs->rx);
}

/* What a receive flow has may be added again, and moves its number upwards. */
static void quic_flow_test_add_again(struct kunit *test)
{
	struct quic_connection_info info = quic_flow_test_info(7);
	struct quic_connection_info other;
	struct quic_flow *flow;

	KUNIT_ASSERT_EQ(test, quic_flow_test_add_rx(test, &info, 5), 1);
	flow = quic_flow_test_find_rx(test);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->next_pkt_num), 5);

	KUNIT_EXPECT_EQ(test, quic_flow_test_add_rx(test, &info, 9), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->next_pkt_num), 9);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add_rx(test, &info, 8), 0);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->next_pkt_num), 9);
	/* What stands behind the key does not matter. */
	info.payload_key[16] ^= 1;
	info.header_key[16] ^= 1;
	KUNIT_EXPECT_EQ(test, quic_flow_test_add_rx(test, &info, 10), 0);

#define EXPECT_EXISTS(change)						\
	do {								\
		other = info;						\
		change;							\
		KUNIT_EXPECT_EQ(test, -EEXIST,				\
				quic_flow_test_add_rx(test, &other, 99)); \
	} while (0)

	EXPECT_EXISTS(other.payload_key[15] ^= 1);
	EXPECT_EXISTS(other.payload_iv[11] ^= 1);
	EXPECT_EXISTS(other.header_key[0] ^= 1);
	EXPECT_EXISTS(other.cipher_type = TLS_CIPHER_AES_CCM_128);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->next_pkt_num), 10);

	/* The next generation; the older of two is still the same. */
	other = info;
	other.conn_payload_key_gen++;
	KUNIT_EXPECT_EQ(test, quic_flow_test_add_rx(test, &other, 20), 0);
	KUNIT_EXPECT_EQ(test, quic_flow_test_add_rx(test, &info, 21), 0);
	KUNIT_EXPECT_EQ(test, flow->generation, 8);
	KUNIT_EXPECT_EQ(test, atomic64_read(&flow->next_pkt_num), 21);
}

static int quic_flow_test_init(struct kunit *test)
{
	test->priv = quic_sock_alloc();

	return test->priv ? 0 : -ENOMEM;
}

static void quic_flow_test_exit(struct kunit *test)
{
	if (test->priv)
		quic_sock_free(test->priv, &init_net);
}

static struct kunit_case quic_flow_test_cases[] = {
	KUNIT_CASE(quic_flow_test_generations),
	KUNIT_CASE(quic_flow_test_update),
	KUNIT_CASE(quic_flow_test_match),
	KUNIT_CASE(quic_flow_test_del_all),
	KUNIT_CASE(quic_flow_test_directions),
	KUNIT_CASE(quic_flow_test_add_again),
	{}
};

static struct kunit_suite quic_flow_test_suite = {
	.name = "quic-flow",
	.init = quic_flow_test_init,
	.exit = quic_flow_test_exit,
	.test_cases = quic_flow_test_cases,
};

kunit_test_suite(quic_flow_test_suite);
