// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network devices that protect packets: which keys they have, and which skbs go
 * to them in plain text.
 *
 * This is always built in: an skb may wait in a qdisc when its socket is gone.
 */

#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tls.h>
#include <linux/udp.h>
#include <linux/wait_bit.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/xfrm.h>

#include "dev.h"

/**
 * DOC: devices
 *
 * A key is on one device at a time, @home.  quic_dev_mutex serialises what
 * drivers are asked for, and the lists of the keys that devices have.
 *
 * Who finds that a train leaves by another device sets QUIC_DEV_KEY_BUSY and owns
 * @offer until the work has cleared it.  The work starts a grace period after @on was
 * taken away, so that no driver is still using the key that key_del() forgets.
 *
 * Senders compare @on with the device that an skb has come to.  The skb holds
 * references on its keys: those whose last reference is gone are on the way of
 * no packet.
 */
struct quic_dev {
	struct net_device		*netdev;
	const struct quic_dev_ops	*ops;
	struct quic_dev_caps		caps;
	void				*priv;
	u64				id;
	u64				resets;
	atomic_t			offers;
	struct list_head		keys;
};

enum {
	QUIC_DEV_KEY_PINNED,	/* the module stays while the key is there */
	QUIC_DEV_KEY_BUSY,	/* offered to a device that has not answered */
	QUIC_DEV_KEY_OFFERED,	/* and has not been asked yet */
};

/* A train looks this often whether it may be left to a device by now. */
#define QUIC_DEV_RETRY		HZ

static DEFINE_MUTEX(quic_dev_mutex);

DEFINE_STATIC_KEY_FALSE(quic_dev_present);
EXPORT_SYMBOL_FOR_MODULES(quic_dev_present, "quic");

static void quic_dev_key_later(struct quic_dev_key *key)
{
	/* Zero means now. */
	WRITE_ONCE(key->retry, (jiffies + QUIC_DEV_RETRY) | 1);
}

/* The device has the key. */
static void quic_dev_key_place(struct quic_dev *qd, struct quic_dev_key *key)
{
	key->home = qd;
	list_add(&key->node, &qd->keys);
	key->user->count_keys(key->net, 1);
	/* Whoever sees it sees @priv. */
	smp_store_release(&key->on, qd);
	WRITE_ONCE(key->retry, 0);
}

/* No driver uses the key any more: @on went away a grace period ago. */
static void quic_dev_key_remove(struct quic_dev_key *key)
{
	struct quic_dev *qd = key->home;

	if (!qd)
		return;

	list_del(&key->node);
	qd->ops->key_del(qd, key);
	key->home = NULL;
	key->user->count_keys(key->net, -1);
	put_net(key->net);
}

/* All keys of a device, which has forgotten them or goes */
static void quic_dev_remove_all(struct quic_dev *qd)
{
	struct quic_dev_key *key, *next;

	mutex_lock(&quic_dev_mutex);
	qd->resets++;
	list_for_each_entry(key, &qd->keys, node)
		WRITE_ONCE(key->on, NULL);
	synchronize_net();
	list_for_each_entry_safe(key, next, &qd->keys, node)
		quic_dev_key_remove(key);
	mutex_unlock(&quic_dev_mutex);
}

static void quic_dev_key_destroy(struct quic_dev_key *key)
{
	struct module *owner = key->user->owner;

	mutex_lock(&quic_dev_mutex);
	quic_dev_key_remove(key);
	mutex_unlock(&quic_dev_mutex);

	key->user->free(key);
	module_put(owner);
}

/* The device has answered, and may have forgotten that since. */
static void quic_dev_key_answered(struct quic_dev_key *key)
{
	struct quic_dev *qd = key->offer;

	if (!key->err && key->resets == qd->resets) {
		key->net = key->offer_net;
		quic_dev_key_place(qd, key);
		return;
	}

	if (!key->err)
		qd->ops->key_del(qd, key);
	else if (key->err == -EOPNOTSUPP || key->err == -ENOSPC)
		WRITE_ONCE(key->refused_by, qd->id);
	put_net(key->offer_net);
}

static void quic_dev_key_work(struct work_struct *work)
{
	struct quic_dev_key *key = container_of(to_rcu_work(work),
						struct quic_dev_key, work);
	const struct quic_dev_user *user = key->user;
	struct quic_dev *qd = key->offer;
	int err;

	if (!test_bit(QUIC_DEV_KEY_BUSY, &key->flags)) {
		quic_dev_key_destroy(key);
		return;
	}

	mutex_lock(&quic_dev_mutex);
	if (test_and_clear_bit(QUIC_DEV_KEY_OFFERED, &key->flags)) {
		quic_dev_key_remove(key);
		key->resets = qd->resets;
		err = qd->ops->key_add(qd, key);
		if (err == -EINPROGRESS) {
			mutex_unlock(&quic_dev_mutex);
			return;
		}
		key->err = err;
	}
	quic_dev_key_answered(key);
	mutex_unlock(&quic_dev_mutex);

	clear_bit_unlock(QUIC_DEV_KEY_BUSY, &key->flags);
	user->put(key);
	if (atomic_dec_and_test(&qd->offers))
		wake_up_var(&qd->offers);
}

/**
 * quic_dev_key_ready - a device that was asked to take a key has done so, or not
 * @key: key for which key_add() has returned -EINPROGRESS, or is going to
 * @err: 0 or a negative errno, as key_add()
 *
 * To be called once for each of them, whatever happens to the device.
 *
 * Context: any.
 */
void quic_dev_key_ready(struct quic_dev_key *key, int err)
{
	key->err = err;
	queue_rcu_work(system_dfl_wq, &key->work);
}
EXPORT_SYMBOL_GPL(quic_dev_key_ready);

static u32 quic_dev_cipher(u16 cipher_type)
{
	switch (cipher_type) {
	case TLS_CIPHER_AES_GCM_128:
		return QUIC_CAP_AES_GCM_128;
	case TLS_CIPHER_AES_GCM_256:
		return QUIC_CAP_AES_GCM_256;
	case TLS_CIPHER_AES_CCM_128:
		return QUIC_CAP_AES_CCM_128;
	default:
		return QUIC_CAP_CHACHA20_POLY1305;
	}
}

static bool quic_dev_may_take(const struct quic_dev *qd,
			      const struct quic_dev_key *key)
{
	return qd->caps.ciphers & quic_dev_cipher(key->cipher_type) &&
	       qd->caps.conn_id_lengths & BIT(key->conn.conn_id_length) &&
	       READ_ONCE(key->refused_by) != qd->id;
}

/* Have a device take a key, which leaves the one that it is on.  RCU read side,
 * the caller has a reference on the key.
 */
static void quic_dev_offer(struct quic_dev *qd, struct quic_dev_key *key,
			   struct net *net)
{
	quic_dev_key_later(key);
	if (!quic_dev_may_take(qd, key))
		return;

	/* It may be going, and what is on its way last is not worth a key. */
	net = maybe_get_net(net);
	if (!net)
		return;
	if (test_and_set_bit_lock(QUIC_DEV_KEY_BUSY, &key->flags)) {
		put_net(net);
		return;
	}

	WRITE_ONCE(key->on, NULL);
	key->user->hold(key);
	atomic_inc(&qd->offers);
	key->offer = qd;
	key->offer_net = net;
	set_bit(QUIC_DEV_KEY_OFFERED, &key->flags);
	queue_rcu_work(system_dfl_wq, &key->work);
}

/* Is UDP's header where a device finds it, and the checksum left to the device? */
static bool quic_dev_plain_udp(const struct net_device *dev,
			       const struct sk_buff *skb)
{
	netdev_features_t csum = NETIF_F_HW_CSUM;
	int offset;

	if (skb->ip_summed != CHECKSUM_PARTIAL || skb->encapsulation ||
	    skb_vlan_tag_present(skb) || secpath_exists(skb))
		return false;

	offset = skb_checksum_start_offset(skb);
	if (offset + (int)sizeof(struct udphdr) > skb_headlen(skb))
		return false;

	offset -= skb_network_offset(skb);
	if (skb->protocol == htons(ETH_P_IP)) {
		csum |= NETIF_F_IP_CSUM;
		if (offset != ip_hdrlen(skb) || ip_is_fragment(ip_hdr(skb)) ||
		    ip_hdr(skb)->protocol != IPPROTO_UDP)
			return false;
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		csum |= NETIF_F_IPV6_CSUM;
		if (offset != sizeof(struct ipv6hdr) ||
		    ipv6_hdr(skb)->nexthdr != IPPROTO_UDP)
			return false;
	} else {
		return false;
	}

	return dev->features & csum;
}

/* Does the device protect all packets of the skb?  RCU read side. */
static bool quic_dev_takes(struct net_device *dev, const struct sk_buff *skb,
			   const struct quic_skb_ext *ext, struct net *net)
{
	struct quic_dev *qd = rcu_dereference(dev->quic_dev);
	bool suits = qd && quic_dev_plain_udp(dev, skb);
	bool takes = suits;
	unsigned int phase;

	for (phase = 0; phase < 2; phase++) {
		struct quic_dev_key *key = ext->keys[phase];

		if (!(ext->phases & BIT(phase)))
			continue;
		if (!suits) {
			quic_dev_key_later(key);
		} else if (READ_ONCE(key->on) != qd) {
			quic_dev_offer(qd, key, net);
			takes = false;
		}
	}

	return takes;
}

/**
 * quic_validate_xmit - protect packets that a device does not
 * @dev: device that the skb has come to; NULL if no device is going to protect it
 * @skb: skb with packets in plain text
 *
 * Context: any.
 * Return: the skb, or NULL if it had to be dropped.
 */
struct sk_buff *quic_validate_xmit(struct net_device *dev, struct sk_buff *skb)
{
	struct quic_skb_ext *ext = skb_ext_find(skb, SKB_EXT_QUIC);
	const struct quic_dev_user *user;
	struct net *net;

	user = (ext->keys[0] ?: ext->keys[1])->user;
	if (skb->sk)
		net = sock_net(skb->sk);
	else
		net = dev_net(dev ?: skb->dev ?: skb_dst(skb)->dev);

	rcu_read_lock();
	if (dev && quic_dev_takes(dev, skb, ext, net))
		user->passed(net, skb);
	else
		skb = user->protect(net, skb);
	rcu_read_unlock();

	return skb;
}
EXPORT_SYMBOL_GPL(quic_validate_xmit);

/**
 * quic_skb_ext_hold - the extension of an skb is copied
 * @ext: the copy
 */
void quic_skb_ext_hold(struct quic_skb_ext *ext)
{
	unsigned int phase;

	for (phase = 0; phase < 2; phase++) {
		if (ext->keys[phase])
			ext->keys[phase]->user->hold(ext->keys[phase]);
	}
}

/**
 * quic_skb_ext_put - the extension of an skb goes
 * @ext: the extension
 *
 * Context: any.
 */
void quic_skb_ext_put(struct quic_skb_ext *ext)
{
	unsigned int phase;

	/* The module may go a grace period after its last key. */
	rcu_read_lock();
	for (phase = 0; phase < 2; phase++) {
		if (ext->keys[phase])
			ext->keys[phase]->user->put(ext->keys[phase]);
	}
	rcu_read_unlock();
}

/**
 * quic_dev_key_init - prepare a key for devices
 * @key: key that has what the driver sees
 * @user: the module
 */
void quic_dev_key_init(struct quic_dev_key *key,
		       const struct quic_dev_user *user)
{
	key->user = user;
	INIT_RCU_WORK(&key->work, quic_dev_key_work);
}
EXPORT_SYMBOL_FOR_MODULES(quic_dev_key_init, "quic");

/**
 * quic_dev_key_pin - a key is about to be found by devices
 * @key: key, with a reference
 *
 * Context: the module can't go.
 */
void quic_dev_key_pin(struct quic_dev_key *key)
{
	if (!test_bit(QUIC_DEV_KEY_PINNED, &key->flags) &&
	    !test_and_set_bit(QUIC_DEV_KEY_PINNED, &key->flags))
		__module_get(key->user->owner);
}
EXPORT_SYMBOL_FOR_MODULES(quic_dev_key_pin, "quic");

/**
 * quic_dev_key_release - the last reference on a key is gone
 * @key: key
 *
 * Context: any.
 * Return: whether the key will be freed by the module's free(), when no device has
 * it any more and a grace period has passed.
 */
bool quic_dev_key_release(struct quic_dev_key *key)
{
	if (!test_bit(QUIC_DEV_KEY_PINNED, &key->flags))
		return false;

	WRITE_ONCE(key->on, NULL);
	queue_rcu_work(system_dfl_wq, &key->work);

	return true;
}
EXPORT_SYMBOL_FOR_MODULES(quic_dev_key_release, "quic");

/**
 * quic_dev_skb_key - the key of a packet
 * @qd: device that is to protect it
 * @ext: of its skb
 * @phase: its key phase
 *
 * Context: RCU read side, where the key may be used.
 * Return: the key, or NULL if the device does not have it any more: then the packet
 * must not leave.
 */
struct quic_dev_key *quic_dev_skb_key(const struct quic_dev *qd,
				      const struct quic_skb_ext *ext,
				      unsigned int phase)
{
	struct quic_dev_key *key = ext->keys[phase];

	/* Whoever sees it sees @priv, see quic_dev_key_place(). */
	return key && smp_load_acquire(&key->on) == qd ? key : NULL;
}
EXPORT_SYMBOL_GPL(quic_dev_skb_key);

/**
 * quic_dev_skb_done - the packets of an skb are protected
 * @skb: skb that is nobody else's
 */
void quic_dev_skb_done(struct sk_buff *skb)
{
	skb->decrypted = 0;
	skb_ext_del(skb, SKB_EXT_QUIC);
}
EXPORT_SYMBOL_GPL(quic_dev_skb_done);

/**
 * quic_dev_register - a network device can protect packets
 * @netdev: network device
 * @ops: what it provides
 * @caps: what it can do
 * @priv: for quic_dev_priv()
 *
 * Context: process context, may sleep.
 * Return: what identifies the device, or ERR_PTR(-ENOMEM).
 */
struct quic_dev *quic_dev_register(struct net_device *netdev,
				   const struct quic_dev_ops *ops,
				   const struct quic_dev_caps *caps, void *priv)
{
	static atomic64_t last_id;
	struct quic_dev *qd;

	qd = kzalloc_obj(*qd);
	if (!qd)
		return ERR_PTR(-ENOMEM);

	qd->netdev = netdev;
	qd->ops = ops;
	qd->caps = *caps;
	qd->priv = priv;
	qd->id = atomic64_inc_return(&last_id);
	INIT_LIST_HEAD(&qd->keys);
	static_branch_inc(&quic_dev_present);
	rcu_assign_pointer(netdev->quic_dev, qd);

	return qd;
}
EXPORT_SYMBOL_GPL(quic_dev_register);

/**
 * quic_dev_unregister - a network device does not protect packets any more
 * @qd: the device
 *
 * Waits for quic_dev_key_ready() of the keys that are being added, and has all
 * others deleted.
 *
 * Context: process context, may sleep.
 */
void quic_dev_unregister(struct quic_dev *qd)
{
	rcu_assign_pointer(qd->netdev->quic_dev, NULL);
	synchronize_net();
	wait_var_event(&qd->offers, !atomic_read(&qd->offers));
	quic_dev_remove_all(qd);
	static_branch_dec(&quic_dev_present);
	kfree(qd);
}
EXPORT_SYMBOL_GPL(quic_dev_unregister);

/**
 * quic_dev_reset - a device has forgotten all keys
 * @qd: the device
 *
 * Has each of them deleted; they are offered again when they are used.
 *
 * Context: process context, may sleep; not from key_add() or key_del().
 */
void quic_dev_reset(struct quic_dev *qd)
{
	quic_dev_remove_all(qd);
}
EXPORT_SYMBOL_GPL(quic_dev_reset);

/**
 * quic_dev_priv - what the driver has registered
 * @qd: the device
 *
 * Return: priv of quic_dev_register().
 */
void *quic_dev_priv(const struct quic_dev *qd)
{
	return qd->priv;
}
EXPORT_SYMBOL_GPL(quic_dev_priv);
