/* SPDX-License-Identifier: GPL-2.0-only */
/* Network devices that protect QUIC packets: what drivers see, see "Devices" in
 * Documentation/networking/quic.rst.
 */
#ifndef _NET_QUIC_DEV_H
#define _NET_QUIC_DEV_H

#include <linux/jump_label.h>
#include <linux/list.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <uapi/linux/quic.h>

struct quic_dev;
struct quic_dev_user;

/**
 * struct quic_dev_key - one key generation of a flow
 * @cipher_type: TLS_CIPHER_*
 * @phase: key phase of the packets that it protects
 * @conn: what the flow matches; addresses in their IPv6 form, family AF_UNSPEC if
 *	the flow is not of one peer
 * @header_key: header protection key (RFC 9001 section 5.4)
 * @payload_key: packet protection key
 * @payload_iv: packet protection IV
 * @priv: the driver's
 */
struct quic_dev_key {
	u16				cipher_type;
	u8				phase;
	struct quic_connection_info_key	conn;
	u8				header_key[QUIC_MAX_HEADER_KEY_SIZE];
	u8				payload_key[QUIC_MAX_PAYLOAD_KEY_SIZE];
	u8				payload_iv[QUIC_PAYLOAD_IV_SIZE];
	void				*priv;

	/* private: of net/quic/dev.c */
	const struct quic_dev_user	*user;
	struct quic_dev			*on;
	struct quic_dev			*home;
	struct quic_dev			*offer;
	struct net			*net;
	struct net			*offer_net;
	struct list_head		node;
	struct rcu_work			work;
	unsigned long			flags;
	unsigned long			retry;
	u64				refused_by;
	u64				resets;
	int				err;
};

/**
 * struct quic_skb_ext - what an skb says of the packets in it, SKB_EXT_QUIC
 * @keys: the keys of the flow by phase, with references; those that no packet uses
 *	may be NULL, or anywhere
 * @pkt_num: number of the first packet of the train
 * @next_pkt_num: number of its last packet, plus one
 * @len: bytes in the packets of the train, room for tags included
 * @stride: bytes from packet to packet, with tags; the last may be shorter
 * @dcid_len: bytes in the destination connection ID of each
 * @phases: bit n is set if a packet has key phase n
 *
 * The skb may have all of the train, and then gso_size is @stride, or be one
 * packet of it.  The number of a packet is the smallest that is not below
 * @pkt_num and has the low bits that stand in its header.
 */
struct quic_skb_ext {
	struct quic_dev_key	*keys[2];
	u64			pkt_num;
	u64			next_pkt_num;
	u16			len;
	u16			stride;
	u8			dcid_len;
	u8			phases;
};

/**
 * struct quic_dev_ops - what a driver provides
 * @key_add: take a key.  Return 0; -EINPROGRESS if quic_dev_key_ready() will be
 *	called; -EOPNOTSUPP or -ENOSPC, after which the key is not offered again.
 *	May sleep.  @priv of the key may be set.
 * @key_del: forget a key, once for each that was added successfully, also after a
 *	reset.  No skb on its way uses the key any more.  May sleep.
 *
 * One call at a time, for all devices.
 */
struct quic_dev_ops {
	int	(*key_add)(struct quic_dev *qd, struct quic_dev_key *key);
	void	(*key_del)(struct quic_dev *qd, struct quic_dev_key *key);
};

/**
 * struct quic_dev_caps - what a device can do
 * @ciphers: QUIC_CAP_AES_GCM_128 and others
 * @conn_id_lengths: bit n is set if connection IDs may have n bytes
 *
 * Whether it segments trains is told by NETIF_F_GSO_UDP_L4, and by
 * ndo_features_check() if it can't do both.
 */
struct quic_dev_caps {
	u32	ciphers;
	u32	conn_id_lengths;
};

#ifdef CONFIG_QUIC_DEV
struct quic_dev *quic_dev_register(struct net_device *netdev,
				   const struct quic_dev_ops *ops,
				   const struct quic_dev_caps *caps, void *priv);
void quic_dev_unregister(struct quic_dev *qd);
void *quic_dev_priv(const struct quic_dev *qd);
void quic_dev_reset(struct quic_dev *qd);
void quic_dev_key_ready(struct quic_dev_key *key, int err);
struct quic_dev_key *quic_dev_skb_key(const struct quic_dev *qd,
				      const struct quic_skb_ext *ext,
				      unsigned int phase);
void quic_dev_skb_done(struct sk_buff *skb);

/**
 * quic_dev_skb - what is to be protected
 * @skb: skb that a driver is to send
 *
 * Return: what is known of its packets, or NULL if there is nothing to do.
 */
static inline struct quic_skb_ext *quic_dev_skb(const struct sk_buff *skb)
{
	if (!skb_is_decrypted(skb))
		return NULL;

	return skb_ext_find(skb, SKB_EXT_QUIC);
}

/* Plain text on its way */

struct sk_buff *quic_validate_xmit(struct net_device *dev, struct sk_buff *skb);
void quic_skb_ext_hold(struct quic_skb_ext *ext);
void quic_skb_ext_put(struct quic_skb_ext *ext);

/**
 * quic_skb_plain - are there packets in plain text?
 * @skb: skb
 *
 * Return: whether the packets of the skb were left to a device.
 */
static inline bool quic_skb_plain(const struct sk_buff *skb)
{
	return skb_ext_exist(skb, SKB_EXT_QUIC);
}

/**
 * quic_skb_forget_keys - an skb with packets in plain text is only looked at
 * @skb: clone of an skb that is sent; does not leave by any device
 */
static inline void quic_skb_forget_keys(struct sk_buff *skb)
{
	skb_ext_del(skb, SKB_EXT_QUIC);
}

/**
 * quic_skb_fallback - protect packets that no device is going to
 * @skb: skb
 *
 * Context: any.
 * Return: @skb, or NULL if it had to be dropped.
 */
static inline struct sk_buff *quic_skb_fallback(struct sk_buff *skb)
{
	return unlikely(quic_skb_plain(skb)) ? quic_validate_xmit(NULL, skb) :
					       skb;
}
#else
static inline struct sk_buff *quic_validate_xmit(struct net_device *dev,
						 struct sk_buff *skb)
{
	return skb;
}

static inline bool quic_skb_plain(const struct sk_buff *skb)
{
	return false;
}

static inline void quic_skb_forget_keys(struct sk_buff *skb)
{
}

static inline struct sk_buff *quic_skb_fallback(struct sk_buff *skb)
{
	return skb;
}
#endif

#endif /* _NET_QUIC_DEV_H */
