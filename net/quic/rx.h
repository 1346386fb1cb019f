/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages on their way in. */
#ifndef _NET_QUIC_RX_H
#define _NET_QUIC_RX_H

#include <linux/skbuff.h>
#include <linux/socket.h>

#include "flow.h"

/**
 * struct quic_cursor - where in an skb bytes are read, ever further on
 * @skb: the skb, or the one of its list, that has the next of them
 * @start: where in the whole its own bytes start
 */
struct quic_cursor {
	struct sk_buff	*skb;
	unsigned int	start;
};

/**
 * struct quic_finder - finds the flows of a message's datagrams
 * @qs: flows of the socket
 * @source: where the message comes from
 * @flow: what was found last, or NULL
 * @dcid: with these bytes
 * @dcid_len: as many as the longest connection ID in use has
 * @valid: @flow was found in this RCU read side section
 */
struct quic_finder {
	struct quic_sock	*qs;
	struct quic_peer	source;
	struct quic_flow	*flow;
	u8			dcid[QUIC_MAX_CONNECTION_ID_SIZE];
	unsigned int		dcid_len;
	bool			valid;
};

/**
 * struct quic_progress - how far a message has brought a flow
 * @flow: the flow, or NULL; while peeking it outlives the RCU read side section
 *	in which it was found, to be compared
 * @next_pkt_num: what comes next
 * @packets: opened since the flow was entered
 * @bytes: in them
 * @failed: packets that a key, by phase, could not open while peeking
 */
struct quic_progress {
	struct quic_flow	*flow;
	u64			next_pkt_num;
	unsigned int		packets;
	unsigned int		bytes;
	unsigned int		failed[2];
};

/**
 * struct quic_rx - a message on its way to the caller of recvmsg()
 * @skb: the message as it came; nobody may write to it
 * @msg: what the caller has room in
 * @len: bytes that go to the caller
 * @stride: bytes from datagram to datagram
 * @total: datagrams in the message
 * @datagrams: how many go to the caller, the last one maybe in part
 * @peek: what happens must leave no trace
 * @finder: finds flows
 * @at: progress of the packet before's flow
 * @progress: of that flow; while peeking of all flows of the message, which
 *	there are at most as many as datagrams
 * @count: datagrams of each status; not offloaded: short headers without a flow
 * @bytes: in those that were opened
 * @matched: a flow matches at least one of the datagrams
 * @reqsize: bytes behind @req
 * @req: for one packet after the other
 * @entries: what the caller is told of each datagram
 * @buf: where datagrams are opened
 * @buf_len: bytes in @buf, whole datagrams
 */
struct quic_rx {
	struct sk_buff			*skb;
	struct msghdr			*msg;
	unsigned int			len;
	unsigned int			stride;
	unsigned int			total;
	unsigned int			datagrams;
	bool				peek;
	struct quic_finder		finder;
	struct quic_progress		*at;
	struct quic_progress		*progress;
	unsigned int			count[QUIC_RX_LIMIT + 1];
	unsigned int			bytes;
	bool				matched;
	unsigned int			reqsize;
	struct aead_request		*req;
	struct quic_rx_ancillary_data	*entries;
	u8				*buf;
	unsigned int			buf_len;
};

/* cursor.c */

int quic_cursor_copy(struct quic_cursor *cursor, const struct sk_buff *root,
		     unsigned int pos, u8 *to, unsigned int len);

/* open.c */

struct quic_flow *quic_finder_find(struct quic_finder *finder, const u8 *packet,
				   unsigned int len);
void quic_rx_open(struct quic_rx *rx, unsigned int pos, unsigned int len);

#endif /* _NET_QUIC_RX_H */
