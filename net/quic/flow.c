// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flows of a socket: registered connections and their key generations.
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "quic.h"

/**
 * struct quic_flow - a registered connection
 * @node: entry in the socket's table
 * @match: what the flow matches, normalised
 * @keys: its newest two generations, by key phase
 * @list: entry in the socket's list
 * @generation: the newest
 * @ucounts: user that the flow is charged to
 * @rcu: senders find the flow under RCU
 */
struct quic_flow {
	struct rhash_head		node;
	struct quic_connection_info_key	match;
	struct quic_key __rcu		*keys[2];
	struct list_head		list;
	u8				generation;
	struct ucounts			*ucounts;
	struct rcu_head			rcu;
};

/* Compared as bytes, hashed as words. */
static_assert(sizeof(struct quic_connection_info_key) == 48);
static_assert(offsetofend(struct quic_connection_info_key, addr) == 48);
static_assert(sizeof(struct quic_connection_info) == 128);
static_assert(sizeof(struct quic_tx_ancillary_data) == 16);

static const struct rhashtable_params quic_flow_params = {
	.key_len		= sizeof_field(struct quic_flow, match),
	.key_offset		= offsetof(struct quic_flow, match),
	.head_offset		= offsetof(struct quic_flow, node),
	.automatic_shrinking	= true,
};

static struct kmem_cache *quic_flow_cache;

/**
 * quic_flow_init - prepare to have flows
 *
 * Return: 0, or -ENOMEM.
 */
int __init quic_flow_init(void)
{
	quic_flow_cache = KMEM_CACHE(quic_flow, SLAB_ACCOUNT);

	return quic_flow_cache ? 0 : -ENOMEM;
}

/**
 * quic_flow_exit - undo quic_flow_init()
 */
void quic_flow_exit(void)
{
	kmem_cache_destroy(quic_flow_cache);
}

static void quic_flow_free(struct quic_flow *flow)
{
	quic_key_put(rcu_dereference_protected(flow->keys[0], true));
	quic_key_put(rcu_dereference_protected(flow->keys[1], true));
	dec_ucount(flow->ucounts, UCOUNT_QUIC_FLOWS);
	kfree_rcu(flow, rcu);
}

static struct quic_flow *quic_flow_alloc(const struct quic_cipher *cipher,
					 const struct quic_connection_info *info)
{
	struct quic_flow *flow;
	struct quic_key *key;
	int err;

	flow = kmem_cache_zalloc(quic_flow_cache, GFP_KERNEL);
	if (!flow)
		return ERR_PTR(-ENOMEM);

	err = -ENOBUFS;
	flow->ucounts = inc_ucount(current_user_ns(), current_euid(),
				   UCOUNT_QUIC_FLOWS);
	if (!flow->ucounts)
		goto err_free;

	key = quic_key_create(cipher, info);
	err = PTR_ERR_OR_ZERO(key);
	if (err)
		goto err_dec_ucount;

	flow->match = info->key;
	flow->generation = info->conn_payload_key_gen;
	RCU_INIT_POINTER(flow->keys[flow->generation & 1], key);

	return flow;

err_dec_ucount:
	dec_ucount(flow->ucounts, UCOUNT_QUIC_FLOWS);
err_free:
	kmem_cache_free(quic_flow_cache, flow);
	return ERR_PTR(err);
}

static struct quic_flow *quic_flow_find(struct quic_sock *qs,
					const struct quic_connection_info_key *key)
{
	return rhashtable_lookup_fast(&qs->flows, key, quic_flow_params);
}

/* RFC 9001 section 6: an update replaces packet protection key and IV. */
static int quic_flow_update(struct quic_flow *flow,
			    const struct quic_cipher *cipher,
			    const struct quic_connection_info *info)
{
	u8 ahead = info->conn_payload_key_gen - flow->generation;
	struct quic_key *key, *newest, *old;
	unsigned int phase;

	phase = info->conn_payload_key_gen & 1;
	old = rcu_dereference_protected(flow->keys[phase], true);
	if (old && old->generation == info->conn_payload_key_gen)
		return -EEXIST;

	newest = rcu_dereference_protected(flow->keys[!phase], true);
	if (ahead != 1 || cipher != newest->cipher)
		return -EINVAL;

	key = quic_key_create(cipher, info);
	if (IS_ERR(key))
		return PTR_ERR(key);

	if (!quic_cipher_same_header_key(cipher, &key->keys, &newest->keys)) {
		quic_key_put(key);
		return -EINVAL;
	}

	rcu_assign_pointer(flow->keys[phase], key);
	flow->generation = key->generation;
	quic_key_put(old);

	return 0;
}

/**
 * quic_flow_add - add a flow, or the next key generation of one
 * @qs: flows of the socket, locked
 * @net: network namespace of the socket
 * @info: the flow and its keys, @info->key normalised
 *
 * Context: process context, may sleep.
 * Return: 1 for a new flow, 0 for a new generation; -EOPNOTSUPP if the cipher
 * is not available, -EEXIST if the flow has that generation, -EINVAL if it
 * can't get that generation, cipher or header key, -ENOBUFS if the user has no
 * flow left, -ENOMEM.
 */
int quic_flow_add(struct quic_sock *qs, struct net *net,
		  const struct quic_connection_info *info)
{
	const struct quic_cipher *cipher;
	struct quic_flow *flow;
	unsigned int *nr;
	int err;

	cipher = quic_cipher_find(info->cipher_type);
	if (!cipher)
		return -EOPNOTSUPP;

	flow = quic_flow_find(qs, &info->key);
	if (flow)
		return quic_flow_update(flow, cipher, info);

	flow = quic_flow_alloc(cipher, info);
	if (IS_ERR(flow))
		return PTR_ERR(flow);

	err = rhashtable_insert_fast(&qs->flows, &flow->node, quic_flow_params);
	if (err) {
		quic_flow_free(flow);
		/* The table could not grow, whatever the reason. */
		return -ENOMEM;
	}

	list_add(&flow->list, &qs->list);
	nr = &qs->nr[quic_match_kind(&flow->match)];
	WRITE_ONCE(*nr, *nr + 1);
	QUIC_INC_STATS(net, CURR_TX_SW);

	return 1;
}

static void quic_flow_remove(struct quic_sock *qs, struct net *net,
			     struct quic_flow *flow)
{
	unsigned int *nr = &qs->nr[quic_match_kind(&flow->match)];

	rhashtable_remove_fast(&qs->flows, &flow->node, quic_flow_params);
	list_del(&flow->list);
	WRITE_ONCE(*nr, *nr - 1);
	QUIC_DEC_STATS(net, CURR_TX_SW);
	quic_flow_free(flow);
}

/**
 * quic_flow_del - delete a flow and its keys
 * @qs: flows of the socket, locked
 * @net: network namespace of the socket
 * @key: the flow, normalised
 *
 * Context: process context.
 * Return: 0, or -ENOENT.
 */
int quic_flow_del(struct quic_sock *qs, struct net *net,
		  const struct quic_connection_info_key *key)
{
	struct quic_flow *flow;

	flow = quic_flow_find(qs, key);
	if (!flow)
		return -ENOENT;

	quic_flow_remove(qs, net, flow);

	return 0;
}

/**
 * quic_flow_del_all - delete all flows of a socket
 * @qs: flows of the socket, locked, or not in use any more
 * @net: network namespace of the socket
 *
 * Context: process context, may sleep.
 */
void quic_flow_del_all(struct quic_sock *qs, struct net *net)
{
	struct quic_flow *flow, *next;

	list_for_each_entry_safe(flow, next, &qs->list, list) {
		quic_flow_remove(qs, net, flow);
		cond_resched();
	}
}

/* References on all keys of a flow; an update under way may empty a slot for a
 * moment: the generation that was there is retired then. Returns whether there
 * was any key: not if the flow has been deleted since it was found.
 */
static bool quic_flow_hold_keys(const struct quic_flow *flow,
				struct quic_key *keys[2])
{
	unsigned int phase;

	for (phase = 0; phase < 2; phase++) {
		struct quic_key *key = rcu_dereference(flow->keys[phase]);

		if (key && !refcount_inc_not_zero(&key->refcnt))
			key = NULL;
		keys[phase] = key;
	}

	return keys[0] || keys[1];
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
int quic_flow_get_keys(struct quic_sock *qs, const struct quic_dest *dest,
		       const u8 *dcid, unsigned int dcid_len,
		       struct quic_key *keys[2])
{
	struct quic_connection_info_key key = {};
	const struct quic_flow *flow;
	enum quic_match kind;

	key.conn_id_length = dcid_len;
	memcpy(key.conn_id + sizeof(key.conn_id) - dcid_len, dcid, dcid_len);

	for (kind = 0; kind < QUIC_MATCH_NUM; kind++) {
		if (!READ_ONCE(qs->nr[kind]) ||
		    (kind == QUIC_MATCH_SCOPED && !dest->scope_id))
			continue;

		quic_match_set(&key, dest, kind);
		rcu_read_lock();
		do {
			flow = rhashtable_lookup(&qs->flows, &key,
						 quic_flow_params);
		} while (flow && !quic_flow_hold_keys(flow, keys));
		rcu_read_unlock();
		if (flow)
			return 0;
	}

	return -ENOENT;
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

	if (rhashtable_init(&qs->flows, &quic_flow_params)) {
		kfree(qs);
		return NULL;
	}
	INIT_LIST_HEAD(&qs->list);

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
	quic_flow_del_all(qs, net);
	rhashtable_destroy(&qs->flows);
	kfree(qs);
}
