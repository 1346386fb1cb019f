// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flows of a socket, both directions in one table.
 */

#include <linux/err.h>
#include <linux/slab.h>
#include <trace/events/udp_quic.h>

#include "flow.h"
#include "quic.h"

/* Compared as bytes, hashed as words. */
static_assert(sizeof(struct quic_connection_info_key) == 48);
static_assert(offsetofend(struct quic_connection_info_key, addr) == 48);
static_assert(sizeof(struct quic_flow_key) == 52);
static_assert(sizeof(struct quic_connection_info) == 128);
static_assert(sizeof(struct quic_tx_ancillary_data) == 16);
static_assert(sizeof(struct quic_rx_connection_info) == 136);
static_assert(sizeof(struct quic_rx_ancillary_data) == 16);
static_assert(sizeof(struct quic_capabilities) == 24);
static_assert(sizeof(struct quic_flow_info) == 88);

static const struct rhashtable_params quic_table_params = {
	.key_len		= sizeof_field(struct quic_flow, key),
	.key_offset		= offsetof(struct quic_flow, key),
	.head_offset		= offsetof(struct quic_flow, node),
	.automatic_shrinking	= true,
};

static struct quic_flow *
quic_table_find(struct quic_sock *qs, enum quic_dir dir,
		const struct quic_connection_info_key *conn)
{
	const struct quic_flow_key key = { .conn = *conn, .dir = dir };

	return rhashtable_lookup_fast(&qs->table, &key, quic_table_params);
}

/* The numbers by which readers tell which flows there can be */
static void quic_flows_count(struct quic_sock *qs, const struct quic_flow *flow,
			     int n)
{
	const struct quic_connection_info_key *conn = &flow->key.conn;
	struct quic_flows *flows = &qs->flows[flow->key.dir];
	unsigned int *nr;

	nr = &flows->nr_kind[quic_match_kind(conn)];
	WRITE_ONCE(*nr, *nr + n);

	nr = &flows->nr_length[conn->conn_id_length];
	*nr += n;
	WRITE_ONCE(flows->lengths,
		   (flows->lengths & ~BIT(conn->conn_id_length)) |
		   (u32)!!*nr << conn->conn_id_length);

	WRITE_ONCE(qs->rx, qs->flows[QUIC_RX].lengths || qs->rx_drop);
}

static u8 quic_flow_direction(const struct quic_flow *flow)
{
	return flow->key.dir == QUIC_TX ? QUIC_CAP_TX : QUIC_CAP_RX;
}

static int quic_flow_insert(struct quic_sock *qs, struct net *net,
			    struct quic_flow *flow)
{
	struct quic_flows *flows = &qs->flows[flow->key.dir];

	if (rhashtable_insert_fast(&qs->table, &flow->node, quic_table_params))
		/* The table could not grow, whatever the reason. */
		return -ENOMEM;

	list_add(&flow->list, &flows->list);
	quic_flows_count(qs, flow, 1);
	if (flow->key.dir == QUIC_TX)
		QUIC_INC_STATS(net, CURR_TX_SW);
	else
		QUIC_INC_STATS(net, CURR_RX_SW);
	trace_udp_quic_flow_add(quic_flow_direction(flow), &flow->key.conn,
				flow->generation);

	return 0;
}

static void quic_flow_remove(struct quic_sock *qs, struct net *net,
			     struct quic_flow *flow)
{
	rhashtable_remove_fast(&qs->table, &flow->node, quic_table_params);
	list_del(&flow->list);
	quic_flows_count(qs, flow, -1);
	if (flow->key.dir == QUIC_TX)
		QUIC_DEC_STATS(net, CURR_TX_SW);
	else
		QUIC_DEC_STATS(net, CURR_RX_SW);
	trace_udp_quic_flow_del(quic_flow_direction(flow), &flow->key.conn,
				flow->generation);
	quic_flow_free(flow);
}

static void quic_flow_updated(const struct quic_flow *flow, struct net *net)
{
	if (flow->key.dir == QUIC_TX)
		QUIC_INC_STATS(net, TX_SW_KEY_UPDATES);
	else
		QUIC_INC_STATS(net, RX_SW_KEY_UPDATES);
	trace_udp_quic_flow_update(quic_flow_direction(flow), &flow->key.conn,
				   flow->generation);
}

/**
 * quic_flow_add - add a flow, or the next key generation of one
 * @qs: flows of the socket, locked
 * @net: network namespace of the socket
 * @dir: direction of the flow
 * @info: the flow and its keys, @info->key normalised
 * @next_pkt_num: for a receive flow, largest number received so far, plus one;
 *	what the flow knows already may be higher
 *
 * Context: process context, may sleep.
 * Return: 1 for a new flow, 0 for a new generation, or one that a receive flow
 * has; -EOPNOTSUPP if the cipher is not available, -EEXIST if the flow has that
 * generation, -EINVAL if it can't get that generation, cipher or header key,
 * -ENOBUFS if the user has no flow left, -ENOMEM.
 */
int quic_flow_add(struct quic_sock *qs, struct net *net, enum quic_dir dir,
		  const struct quic_connection_info *info, u64 next_pkt_num)
{
	struct quic_flow *flow = quic_table_find(qs, dir, &info->key);
	int ret;

	if (flow) {
		ret = quic_flow_update(flow, info);
		if (ret >= 0)
			quic_flow_received(flow, next_pkt_num);
		if (ret > 0)
			quic_flow_updated(flow, net);
		return min(ret, 0);
	}

	flow = quic_flow_create(dir, info);
	if (IS_ERR(flow))
		return PTR_ERR(flow);

	atomic64_set(&flow->next_pkt_num, next_pkt_num);
	ret = quic_flow_insert(qs, net, flow);
	if (ret) {
		quic_flow_free(flow);
		return ret;
	}

	return 1;
}

/**
 * quic_flow_del - delete a flow and its keys
 * @qs: flows of the socket, locked
 * @net: network namespace of the socket
 * @dir: direction of the flow
 * @conn: the flow, normalised
 *
 * Context: process context.
 * Return: 0, or -ENOENT.
 */
int quic_flow_del(struct quic_sock *qs, struct net *net, enum quic_dir dir,
		  const struct quic_connection_info_key *conn)
{
	struct quic_flow *flow = quic_table_find(qs, dir, conn);

	if (!flow)
		return -ENOENT;

	quic_flow_remove(qs, net, flow);

	return 0;
}

/**
 * quic_flow_del_all - delete all flows of a socket
 * @qs: flows of the socket, locked, or not in use any more
 * @net: network namespace of the socket
 * @dir: direction of the flows
 *
 * Context: process context, may sleep.
 */
void quic_flow_del_all(struct quic_sock *qs, struct net *net,
		       enum quic_dir dir)
{
	struct quic_flow *flow, *next;

	list_for_each_entry_safe(flow, next, &qs->flows[dir].list, list) {
		quic_flow_remove(qs, net, flow);
		cond_resched();
	}
}

/**
 * quic_flow_get_info - what is known of a flow
 * @qs: flows of the socket, locked
 * @dir: direction of the flow
 * @conn: the flow, normalised
 * @info: receives it, but for direction and key
 *
 * Return: 0, or -ENOENT.
 */
int quic_flow_get_info(struct quic_sock *qs, enum quic_dir dir,
		       const struct quic_connection_info_key *conn,
		       struct quic_flow_info *info)
{
	const struct quic_flow *flow = quic_table_find(qs, dir, conn);

	if (!flow)
		return -ENOENT;

	quic_flow_describe(flow, info);

	return 0;
}

/**
 * quic_flow_count - how many flows does a socket have?
 * @qs: flows of the socket; need not be locked
 * @dir: of this direction
 *
 * Return: their number, at about this moment.
 */
unsigned int quic_flow_count(const struct quic_sock *qs, enum quic_dir dir)
{
	unsigned int kind, n = 0;

	for (kind = 0; kind < QUIC_MATCH_NUM; kind++)
		n += READ_ONCE(qs->flows[dir].nr_kind[kind]);

	return n;
}

/**
 * quic_flow_lookup - find the flow of a packet
 * @qs: flows of the socket; need not be locked
 * @dir: where the packet goes
 * @peer: its peer
 * @dcid: destination connection ID
 * @dcid_len: bytes in @dcid
 *
 * Context: RCU read side.
 * Return: the flow that matches most narrowly, or NULL.
 */
struct quic_flow *quic_flow_lookup(struct quic_sock *qs, enum quic_dir dir,
				   const struct quic_peer *peer,
				   const u8 *dcid, unsigned int dcid_len)
{
	struct quic_flow_key key = { .dir = dir };
	struct quic_flow *flow;
	enum quic_match kind;

	quic_match_set_dcid(&key.conn, dcid, dcid_len);
	for (kind = 0; kind < QUIC_MATCH_NUM; kind++) {
		if (!READ_ONCE(qs->flows[dir].nr_kind[kind]) ||
		    (kind == QUIC_MATCH_SCOPED && !peer->scope_id))
			continue;

		quic_match_set(&key.conn, peer, kind);
		flow = rhashtable_lookup(&qs->table, &key, quic_table_params);
		if (flow)
			return flow;
	}

	return NULL;
}

/**
 * quic_flow_get_keys - find the flow of a message, for its keys
 * @qs: flows of the socket; need not be locked
 * @dest: where the message goes
 * @dcid: destination connection ID
 * @dcid_len: bytes in @dcid
 * @keys: receives the flow's keys by phase, each NULL or with a reference
 *
 * Context: process context.
 * Return: 0; -ENOENT if no flow matches.
 */
int quic_flow_get_keys(struct quic_sock *qs, const struct quic_peer *dest,
		       const u8 *dcid, unsigned int dcid_len,
		       struct quic_key *keys[2])
{
	const struct quic_flow *flow;

	rcu_read_lock();
	do {
		flow = quic_flow_lookup(qs, QUIC_TX, dest, dcid, dcid_len);
	} while (flow && !quic_flow_hold_keys(flow, keys));
	rcu_read_unlock();

	return flow ? 0 : -ENOENT;
}

/**
 * quic_sock_alloc - what a socket needs to have flows
 *
 * Context: process context, may sleep.
 * Return: an empty flow table, or NULL without memory.
 */
struct quic_sock *quic_sock_alloc(void)
{
	struct quic_sock *qs;

	qs = kzalloc_obj(*qs, GFP_KERNEL_ACCOUNT);
	if (!qs)
		return NULL;

	if (rhashtable_init(&qs->table, &quic_table_params)) {
		kfree(qs);
		return NULL;
	}
	INIT_LIST_HEAD(&qs->flows[QUIC_TX].list);
	INIT_LIST_HEAD(&qs->flows[QUIC_RX].list);

	return qs;
}

/**
 * quic_sock_free - undo quic_sock_alloc(), delete all flows
 * @qs: flows; nobody uses them any more
 * @net: network namespace of the socket
 *
 * Context: process context, may sleep.
 */
void quic_sock_free(struct quic_sock *qs, struct net *net)
{
	quic_flow_del_all(qs, net, QUIC_TX);
	quic_flow_del_all(qs, net, QUIC_RX);
	rhashtable_destroy(&qs->table);
	kfree_rcu(qs, rcu);
}

/**
 * quic_sock_set_rx_drop - UDP_QUIC_RX_DROP
 * @qs: flows of the socket, locked
 * @drop: drop messages that match no receive flow
 */
void quic_sock_set_rx_drop(struct quic_sock *qs, bool drop)
{
	WRITE_ONCE(qs->rx_drop, drop);
	WRITE_ONCE(qs->rx, qs->flows[QUIC_RX].lengths || drop);
}
