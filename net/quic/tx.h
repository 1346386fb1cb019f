/* SPDX-License-Identifier: GPL-2.0-only */
/* Trains of packets on their way out. */
#ifndef _NET_QUIC_TX_H
#define _NET_QUIC_TX_H

#include <linux/socket.h>

#include "flow.h"

/* train.c */

/**
 * struct quic_train - a message, and how it is cut into packets
 * @keys: of the flow, by phase, with references
 * @dest: where it goes
 * @dcid: destination connection ID of each packet
 * @dcid_len: bytes in @dcid
 * @stride: bytes from packet to packet, without tags
 * @len: bytes in all packets, without tags
 * @wire_len: bytes in all packets, with tags
 * @next_pkt_num: number of the first packet
 * @phase: what seems to be the key phase of the first packet
 * @plain: it is left to a device
 */
struct quic_train {
	struct quic_key		*keys[2];
	struct quic_peer	dest;
	u8			dcid[QUIC_MAX_CONNECTION_ID_SIZE];
	unsigned int		dcid_len;
	unsigned int		stride;
	unsigned int		len;
	unsigned int		wire_len;
	u64			next_pkt_num;
	unsigned int		phase;
	bool			plain;
};

/**
 * struct quic_tx - a train on its way
 * @msg: what UDP is called with; its iterator is at the packet after the ones
 *	that have been protected
 * @name: its destination, which a BPF program may rewrite: the caller may
 *	come back with the original
 * @train: the train
 * @left: bytes of packets not yet protected
 * @asked: bytes of protected packets that UDP has got
 * @next: smallest number that the next packet can have
 * @spare: where a packet is protected that UDP wants in pieces
 * @spare_at: what UDP wants next of it
 * @spare_len: how much is left of it
 * @failed: UDP does not want it any more, packets are only checked
 * @err: what stopped it
 * @ext: what the skb says of packets that are left to a device, tags included
 * @use: packet numbers used of each key
 * @req_size: bytes in @req and the AEAD's context behind it
 * @req: for one packet after the other
 */
struct quic_tx {
	struct msghdr		msg;
	struct sockaddr_in6	name;
	const struct quic_train	*train;
	unsigned int		left;
	unsigned int		asked;
	u64			next;
	u8			*spare;
	u8			*spare_at;
	unsigned int		spare_len;
	bool			failed;
	int			err;
	struct quic_skb_ext	*ext;
	struct quic_use		use[2];
	size_t			req_size;
	struct aead_request	req;
};

static inline unsigned int quic_train_packets(const struct quic_train *train)
{
	return (train->wire_len - train->len) / QUIC_TAG_SIZE;
}

struct quic_tx *quic_tx_start(const struct quic_train *train,
			      const struct msghdr *msg);
int quic_tx_getfrag(void *from, char *to, int offset, int len, int odd,
		    struct sk_buff *skb);
int quic_tx_finish(struct quic_tx *tx, int ret, bool *by_udp);

/* device.c */

#ifdef CONFIG_QUIC_DEV
bool quic_tx_wanted_by_device(const struct quic_train *train);
void quic_tx_leave_to_device(struct quic_tx *tx, struct sk_buff *skb);
int quic_tx_left_packet(struct quic_tx *tx, u8 *packet, unsigned int len,
			u64 pn);
#else
static inline bool quic_tx_wanted_by_device(const struct quic_train *train)
{
	return false;
}

static inline void quic_tx_leave_to_device(struct quic_tx *tx,
					   struct sk_buff *skb)
{
}

static inline int quic_tx_left_packet(struct quic_tx *tx, u8 *packet,
				      unsigned int len, u64 pn)
{
	return 0;
}
#endif

/* cause.c */

void quic_tx_refused(struct sock *sk, const struct quic_train *train, int err,
		     bool by_udp);

#endif /* _NET_QUIC_TX_H */
