// SPDX-License-Identifier: GPL-2.0-only
/*
 * Packets that were left to a device, and that no device protects: it is done
 * where that shows, on their way.
 */

#include <linux/slab.h>
#include <net/ip6_checksum.h>
#include <net/udp.h>

#include "dev.h"
#include "key.h"
#include "quic.h"

/* UDP's header, wherever what was put in front of it ends */
static int quic_late_udp_offset(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_PARTIAL ?
	       skb_checksum_start_offset(skb) : skb_transport_offset(skb);
}

/* Is @len what the skb has of the train: all of it, or one packet?  Somebody may have
 * cut or filled it.
 */
static bool quic_late_has_packets(const struct quic_skb_ext *ext, int len)
{
	unsigned int last = ext->len % ext->stride ?: ext->stride;

	return len == ext->len || len == ext->stride || len == last;
}

/* Protect a packet, @len bytes with its tag, whose number is not below *@next.  It has
 * been checked, but may have been changed since.
 */
static int quic_late_packet(const struct quic_skb_ext *ext,
			    struct aead_request *req, u8 *packet,
			    unsigned int len, u64 *next)
{
	struct quic_dev_key *dev_key = ext->keys[quic_packet_phase(*packet)];
	const struct quic_connection_info_key *conn;
	int err;
	u64 pn;

	if (!dev_key)
		return -ENOKEY;
	if (len <= QUIC_TAG_SIZE)
		return -EINVAL;

	len -= QUIC_TAG_SIZE;
	conn = &dev_key->conn;
	err = quic_packet_check(packet, len, conn->conn_id +
				sizeof(conn->conn_id) - ext->dcid_len,
				ext->dcid_len);
	if (err)
		return err;

	pn = quic_packet_number(packet, ext->dcid_len, *next);
	if (pn >= ext->next_pkt_num)
		return -ERANGE;

	*next = pn + 1;

	return quic_key_protect(quic_key_of_device(dev_key), req, packet, len,
				ext->dcid_len, pn);
}

static int quic_late_packets(const struct quic_skb_ext *ext, u8 *packets,
			     unsigned int len)
{
	struct aead_request *req;
	u64 next = ext->pkt_num;
	unsigned int piece;
	int err = 0;

	req = kmalloc(sizeof(*req) + quic_key_max_reqsize(), GFP_ATOMIC);
	if (!req)
		return -ENOMEM;

	for (; len && !err; packets += piece, len -= piece) {
		piece = min_t(unsigned int, len, ext->stride);
		err = quic_late_packet(ext, req, packets, piece, &next);
	}
	kfree_sensitive(req);

	return err;
}

/* UDP's checksum of what is there, 0 if it has the right one */
static __sum16 quic_late_checksum(const struct sk_buff *skb, int offset)
{
	int len = skb->len - offset;
	__wsum sum = skb_checksum(skb, offset, len, 0);

	if (ip_hdr(skb)->version == 4)
		return udp_v4_check(len, ip_hdr(skb)->saddr,
				    ip_hdr(skb)->daddr, sum);

	return udp_v6_check(len, &ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr,
			    sum);
}

/* @len bytes of packets behind UDP's header */
static int quic_late_protect(struct sk_buff *skb,
			     const struct quic_skb_ext *ext, int udp_offset,
			     int len)
{
	int offset = udp_offset + (int)sizeof(struct udphdr), err;
	struct udphdr *uh;
	bool summed;

	if (udp_offset < 0 || !quic_late_has_packets(ext, len))
		return -EINVAL;

	/* Clones may have to see the plain text, others have the same pages. */
	err = skb_ensure_writable(skb, skb->len);
	if (err)
		return err;

	uh = (struct udphdr *)(skb->data + udp_offset);
	summed = skb->ip_summed != CHECKSUM_PARTIAL && uh->check;
	/* What is damaged may have the number of another packet. */
	if (summed && quic_late_checksum(skb, udp_offset))
		return -EBADMSG;

	err = quic_late_packets(ext, skb->data + offset, len);
	if (err || !summed)
		return err;

	uh->check = 0;
	uh->check = quic_late_checksum(skb, udp_offset) ?: CSUM_MANGLED_0;

	return 0;
}

/**
 * quic_late - protect the packets of an skb
 * @net: to count for
 * @skb: skb whose packets were left to a device
 *
 * Context: any.
 * Return: the skb, or NULL if it had to be dropped.
 */
struct sk_buff *quic_late(struct net *net, struct sk_buff *skb)
{
	const struct quic_skb_ext *ext = skb_ext_find(skb, SKB_EXT_QUIC);
	int udp_offset = quic_late_udp_offset(skb);
	unsigned int packets = 1;
	int len;

	len = (int)skb->len - udp_offset - (int)sizeof(struct udphdr);
	if (len > ext->stride)
		packets = DIV_ROUND_UP(len, ext->stride);

	if (quic_late_protect(skb, ext, udp_offset, len)) {
		QUIC_ADD_STATS(net, TX_DEVICE_DROP, packets);
		kfree_skb(skb);
		return NULL;
	}

	quic_dev_skb_done(skb);
	QUIC_ADD_STATS(net, TX_DEVICE_FALLBACK, packets);

	return skb;
}
