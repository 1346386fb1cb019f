// SPDX-License-Identifier: GPL-2.0-only
/*
 * A flow: one direction of a registered connection, and its key generations.
 */

#include <linux/cred.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "flow.h"

/* Servers have many: kmalloc() would round them up. */
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

static struct quic_key *quic_flow_create_key(const struct quic_flow *flow,
					     const struct quic_cipher *cipher,
					     const struct quic_connection_info *info)
{
	struct quic_key *key = quic_key_create(cipher, info);

	if (IS_ERR(key))
		return key;

	key->counts = quic_counts_get(flow->counts);
	if (flow->key.dir == QUIC_RX)
		key->opening.fingerprint = quic_key_fingerprint(cipher, info);
	else
		quic_key_tell_devices(key, info);

	return key;
}

/**
 * quic_flow_create - a flow with its first key generation
 * @dir: direction of the flow
 * @info: what it is found by, and the key generation
 *
 * Context: process context, may sleep.
 * Return: the flow, charged to the user; or ERR_PTR() of -EOPNOTSUPP if the
 * cipher is not available, -ENOBUFS if the user has no flow left, -ENOMEM.
 */
struct quic_flow *quic_flow_create(enum quic_dir dir,
				   const struct quic_connection_info *info)
{
	const struct quic_cipher *cipher = quic_cipher_find(info->cipher_type);
	struct quic_flow *flow;
	struct quic_key *first;
	int err;

	if (!cipher)
		return ERR_PTR(-EOPNOTSUPP);

	flow = kmem_cache_zalloc(quic_flow_cache, GFP_KERNEL);
	if (!flow)
		return ERR_PTR(-ENOMEM);

	err = -ENOMEM;
	flow->counts = quic_counts_alloc();
	if (!flow->counts)
		goto err_free;

	err = -ENOBUFS;
	flow->ucounts = inc_ucount(current_user_ns(), current_euid(),
				   UCOUNT_QUIC_FLOWS);
	if (!flow->ucounts)
		goto err_put_counts;

	flow->key.conn = info->key;
	flow->key.dir = dir;
	first = quic_flow_create_key(flow, cipher, info);
	err = PTR_ERR_OR_ZERO(first);
	if (err)
		goto err_dec_ucount;

	flow->generation = info->conn_payload_key_gen;
	RCU_INIT_POINTER(flow->keys[flow->generation & 1], first);

	return flow;

err_dec_ucount:
	dec_ucount(flow->ucounts, UCOUNT_QUIC_FLOWS);
err_put_counts:
	quic_counts_put(flow->counts);
err_free:
	kmem_cache_free(quic_flow_cache, flow);
	return ERR_PTR(err);
}

/**
 * quic_flow_free - undo quic_flow_create()
 * @flow: flow that can't be found any more
 *
 * Context: process context.
 */
void quic_flow_free(struct quic_flow *flow)
{
	/* Its keys keep the counters until no reader has the flow any more. */
	quic_counts_put(flow->counts);
	quic_key_put(rcu_dereference_protected(flow->keys[0], true));
	quic_key_put(rcu_dereference_protected(flow->keys[1], true));
	dec_ucount(flow->ucounts, UCOUNT_QUIC_FLOWS);
	kfree_rcu(flow, rcu);
}

/* A receive flow may be given a generation that it has again. */
static bool quic_flow_same_key(const struct quic_flow *flow,
			       const struct quic_key *key,
			       const struct quic_connection_info *info)
{
	const struct quic_cipher *cipher = key->cipher;

	return flow->key.dir == QUIC_RX &&
	       cipher->type == info->cipher_type &&
	       key->opening.fingerprint == quic_key_fingerprint(cipher, info) &&
	       !memcmp(key->iv, info->payload_iv, sizeof(key->iv)) &&
	       quic_cipher_is_header_key(cipher, &key->keys, info->header_key);
}

/**
 * quic_flow_update - the next key generation of a flow
 * @flow: flow of a locked socket
 * @info: the key generation
 *
 * RFC 9001 section 6: an update replaces packet protection key and IV.
 *
 * Context: process context, may sleep.
 * Return: 1, or 0 if a receive flow has just that generation; -EOPNOTSUPP if
 * the cipher is not available, -EEXIST if the flow has that generation,
 * -EINVAL if it can't get that generation, cipher or header key, -ENOMEM.
 */
int quic_flow_update(struct quic_flow *flow,
		     const struct quic_connection_info *info)
{
	const struct quic_cipher *cipher = quic_cipher_find(info->cipher_type);
	u8 ahead = info->conn_payload_key_gen - flow->generation;
	unsigned int phase = info->conn_payload_key_gen & 1;
	struct quic_key *key, *newest, *old;

	if (!cipher)
		return -EOPNOTSUPP;

	old = rcu_dereference_protected(flow->keys[phase], true);
	if (old && old->generation == info->conn_payload_key_gen)
		return quic_flow_same_key(flow, old, info) ? 0 : -EEXIST;

	newest = rcu_dereference_protected(flow->keys[!phase], true);
	if (ahead != 1 || cipher != newest->cipher ||
	    !quic_cipher_is_header_key(cipher, &newest->keys, info->header_key))
		return -EINVAL;

	key = quic_flow_create_key(flow, cipher, info);
	if (IS_ERR(key))
		return PTR_ERR(key);

	rcu_assign_pointer(flow->keys[phase], key);
	flow->generation = key->generation;
	/* Those that stay may have protected nothing. */
	if (old && flow->key.dir == QUIC_TX)
		atomic64_set(&flow->next_pkt_num,
			     max(atomic64_read(&flow->next_pkt_num),
				 atomic64_read(&old->guard.next)));
	quic_key_put(old);

	return 1;
}

/**
 * quic_flow_received - packets of a flow have been received
 * @flow: receive flow
 * @next_pkt_num: largest number of theirs, plus one
 *
 * Context: any.
 */
void quic_flow_received(struct quic_flow *flow, u64 next_pkt_num)
{
	s64 next = atomic64_read(&flow->next_pkt_num);

	while (next < (s64)next_pkt_num &&
	       !atomic64_try_cmpxchg(&flow->next_pkt_num, &next, next_pkt_num))
		;
}

/**
 * quic_flow_describe - tell what is known of a flow
 * @flow: flow of a locked socket
 * @info: receives it, but for direction and key
 *
 * Senders and receivers take no lock: the numbers need not be of one moment.
 */
void quic_flow_describe(const struct quic_flow *flow,
			struct quic_flow_info *info)
{
	unsigned int phase = flow->generation & 1;
	const struct quic_key *newest, *before;
	u64 next, used, limit;

	next = atomic64_read(&flow->next_pkt_num);
	newest = rcu_dereference_protected(flow->keys[phase], true);
	before = rcu_dereference_protected(flow->keys[!phase], true);

	if (flow->key.dir == QUIC_TX) {
		next = max_t(u64, next, atomic64_read(&newest->guard.next));
		if (before)
			next = max_t(u64, next,
				     atomic64_read(&before->guard.next));
		used = atomic64_read(&newest->guard.packets);
		limit = quic_cipher_limit(newest->cipher);
	} else {
		used = atomic64_read(&newest->opening.failed);
		limit = quic_cipher_integrity_limit(newest->cipher);
	}

	info->conn_payload_key_gen = flow->generation;
	info->key_gens = before ? 2 : 1;
	info->device_gens = quic_key_on_device(newest) +
			    (before && quic_key_on_device(before));
	info->cipher_type = newest->cipher->type;
	info->next_pkt_num = next;
	/* Readers who fail at once may overdo it. */
	info->packets_left = limit - min(used, limit);
	info->packets = atomic64_read(&flow->counts->packets);
	info->bytes = atomic64_read(&flow->counts->bytes);
}

/**
 * quic_flow_hold_keys - take references on all keys of a flow
 * @flow: flow that was found
 * @keys: receives them, by phase
 *
 * An update under way may empty a slot for a moment: the generation that was
 * there is retired then.
 *
 * Context: RCU read side.
 * Return: whether there was any key: not if the flow has been deleted since it
 * was found.
 */
bool quic_flow_hold_keys(const struct quic_flow *flow,
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
