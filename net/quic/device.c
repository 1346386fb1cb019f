// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trains that are left to a device, and their keys.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include "dev.h"
#include "quic.h"
#include "tx.h"

static void quic_device_hold_key(struct quic_dev_key *dev_key)
{
	refcount_inc(&quic_key_of_device(dev_key)->refcnt);
}

static void quic_device_put_key(struct quic_dev_key *dev_key)
{
	quic_key_put(quic_key_of_device(dev_key));
}

static void quic_device_free_key(struct quic_dev_key *dev_key)
{
	quic_key_free(&quic_key_of_device(dev_key)->rcu);
}

/* The socket of an skb, which may be closed, or another's: then NULL. */
static struct quic_sock *quic_device_sock(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	if (!sk || !sk_fullsock(sk) || !sk_is_udp(sk) ||
	    READ_ONCE(udp_sk(sk)->ulp_ops) != &quic_ulp_ops)
		return NULL;

	return rcu_dereference(udp_sk(sk)->ulp_data);
}

static void quic_device_passed(struct net *net, const struct sk_buff *skb)
{
	unsigned int packets = skb_shinfo(skb)->gso_segs ?: 1;
	struct quic_sock *qs = quic_device_sock(skb);

	QUIC_ADD_STATS(net, TX_DEVICE, packets);
	if (qs)
		atomic64_add(packets, &qs->device);
}

static void quic_device_count_keys(struct net *net, int n)
{
	QUIC_ADD_STATS(net, CURR_TX_DEVICE, n);
}

static const struct quic_dev_user quic_device_user = {
	.owner		= THIS_MODULE,
	.hold		= quic_device_hold_key,
	.put		= quic_device_put_key,
	.free		= quic_device_free_key,
	.protect	= quic_late,
	.passed		= quic_device_passed,
	.count_keys	= quic_device_count_keys,
};

/**
 * quic_key_tell_devices - remember what devices are to be told of a key
 * @key: key for sending, that nobody has seen yet
 * @info: the key as userspace gave it
 *
 * A device that takes it may come at any time.
 */
void quic_key_tell_devices(struct quic_key *key,
			   const struct quic_connection_info *info)
{
	struct quic_dev_key *dev_key = &key->dev;
	unsigned int key_size = key->cipher->key_size;

	dev_key->cipher_type = info->cipher_type;
	dev_key->phase = info->conn_payload_key_gen & 1;
	dev_key->conn = info->key;
	memcpy(dev_key->header_key, info->header_key, key_size);
	memcpy(dev_key->payload_key, info->payload_key, key_size);
	memcpy(dev_key->payload_iv, info->payload_iv,
	       sizeof(dev_key->payload_iv));
	quic_dev_key_init(dev_key, &quic_device_user);
}

/**
 * quic_tx_wanted_by_device - shall a train be left to a device?
 * @train: the train
 *
 * Return: whether to call quic_tx_leave_to_device() when there is an skb.
 */
bool quic_tx_wanted_by_device(const struct quic_train *train)
{
	const struct quic_key *key = train->keys[train->phase];

	return key && quic_dev_wanted(&key->dev);
}

/**
 * quic_tx_leave_to_device - leave a train to a device if UDP leaves it one
 * @tx: the train, none of it protected
 * @skb: where UDP puts it
 *
 * With a checksum that is left to the device all of the train comes to one skb, and
 * is not cut into fragments.
 *
 * Context: any.
 */
void quic_tx_leave_to_device(struct quic_tx *tx, struct sk_buff *skb)
{
	const struct quic_train *train = tx->train;
	struct quic_skb_ext *ext = NULL;
	unsigned int phase;

	if (skb->ip_summed == CHECKSUM_PARTIAL)
		ext = skb_ext_add(skb, SKB_EXT_QUIC);
	tx->ext = ext;
	if (!ext)
		return;

	*ext = (struct quic_skb_ext) {
		.pkt_num	= train->next_pkt_num,
		.next_pkt_num	= train->next_pkt_num,
		.len		= train->wire_len,
		.stride		= min(train->stride, train->len) +
				  QUIC_TAG_SIZE,
		.dcid_len	= train->dcid_len,
	};
	for (phase = 0; phase < 2; phase++) {
		struct quic_key *key = train->keys[phase];

		if (!key)
			continue;
		refcount_inc(&key->refcnt);
		quic_dev_key_pin(&key->dev);
		ext->keys[phase] = &key->dev;
	}
	skb->decrypted = 1;
}

/**
 * quic_tx_left_packet - a packet of a train is left to a device
 * @tx: the train
 * @packet: where it is copied to, with room for its tag
 * @len: bytes in it, without tag
 * @pn: its full packet number
 *
 * Return: 0; -ECANCELED if its number can't be told without those before, as when it is
 * cut off the train.
 */
int quic_tx_left_packet(struct quic_tx *tx, u8 *packet, unsigned int len,
			u64 pn)
{
	struct quic_skb_ext *ext = tx->ext;

	/* Taps may see it. */
	memset(packet + len, 0, QUIC_TAG_SIZE);

	ext->next_pkt_num = pn + 1;
	ext->phases |= BIT(quic_packet_phase(packet[0]));
	if ((pn - ext->pkt_num) >> (8 * quic_packet_pn_len(packet[0])))
		return -ECANCELED;

	return 0;
}
