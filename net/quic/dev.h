/* SPDX-License-Identifier: GPL-2.0-only */
/* What the module and the part of the kernel that is always there, dev.c, tell
 * each other about packets that are left to a device.
 */
#ifndef _NET_QUIC_DEV_INTERNAL_H
#define _NET_QUIC_DEV_INTERNAL_H

#include <linux/jiffies.h>
#include <net/quic_dev.h>

/**
 * struct quic_dev_user - what the module provides
 * @owner: the module: each key that a device or an skb may have pins it
 * @hold: take a reference on a key
 * @put: drop it
 * @free: after the last one: no device has the key, nobody finds it
 * @protect: protect the packets of an skb; returns it, or NULL
 * @passed: an skb goes to the device that protects it.  RCU read side
 * @count_keys: there are so many more keys on devices
 */
struct quic_dev_user {
	struct module	*owner;
	void		(*hold)(struct quic_dev_key *key);
	void		(*put)(struct quic_dev_key *key);
	void		(*free)(struct quic_dev_key *key);
	struct sk_buff	*(*protect)(struct net *net, struct sk_buff *skb);
	void		(*passed)(struct net *net, const struct sk_buff *skb);
	void		(*count_keys)(struct net *net, int n);
};

#ifdef CONFIG_QUIC_DEV
DECLARE_STATIC_KEY_FALSE(quic_dev_present);

void quic_dev_key_init(struct quic_dev_key *key,
		       const struct quic_dev_user *user);
void quic_dev_key_pin(struct quic_dev_key *key);
bool quic_dev_key_release(struct quic_dev_key *key);

/**
 * quic_dev_wanted - shall a train be left to a device?
 * @key: key of its first packet
 *
 * Where it leaves is not known yet.  If no device takes it software protects it
 * there, and the next ones in time.
 *
 * Return: whether a device has the key, or may be found that takes it.
 */
static inline bool quic_dev_wanted(const struct quic_dev_key *key)
{
	unsigned long retry;

	if (!static_branch_unlikely(&quic_dev_present))
		return false;

	retry = READ_ONCE(key->retry);
	return !retry || time_after_eq(jiffies, retry);
}
#endif

#endif /* _NET_QUIC_DEV_INTERNAL_H */
