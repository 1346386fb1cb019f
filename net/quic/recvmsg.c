// SPDX-License-Identifier: GPL-2.0-only
/*
 * recvmsg() of a socket with the ULP: what a message is made of, and how it
 * gets to the caller.
 *
 * An skb that was received may be shared with a tap, with its sender, or have
 * pages of a file in it.  It is never written to, and what is delivered as
 * authentic has been read once: into a buffer, opened there, and copied to the
 * caller after that.
 */

#include <linux/slab.h>
#include <linux/uio.h>
#include <net/compat.h>
#include <net/udp.h>

#include "quic.h"
#include "rx.h"

/* Datagrams are opened several at once, as long as they stay in the cache. */
#define QUIC_RX_BUF_SIZE	6144

/* UDP's own recvmsg(), which copies the bytes to the caller with @copy, or by
 * itself if that is NULL
 */
static int quic_udp_recvmsg(struct sock *sk, struct msghdr *msg, size_t len,
			    int flags,
			    int copy(struct sock *sk, struct sk_buff *skb,
				     int off, struct msghdr *msg, int len,
				     int flags))
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return __udpv6_recvmsg(sk, msg, len, flags, copy);
#endif
	return __udp_recvmsg(sk, msg, len, flags, copy);
}

/* How the message is cut into datagrams.  More than UDP can send at once come
 * from nobody who means well.
 */
static bool quic_rx_size(struct quic_rx *rx)
{
	const struct skb_shared_info *shinfo = skb_shinfo(rx->skb);

	rx->stride = rx->skb->len;
	if (shinfo->gso_type & SKB_GSO_UDP_L4)
		rx->stride = shinfo->gso_size;
	if (!rx->stride)
		return false;

	rx->datagrams = DIV_ROUND_UP(rx->len, rx->stride);
	rx->total = DIV_ROUND_UP(rx->skb->len, rx->stride);

	return rx->total <= UDP_MAX_SEGMENTS;
}

/* Looks at the datagrams in the first @end bytes of the message.  Returns whether
 * a flow matches one of them; @unknown: how many are whole and have a short
 * header, and no flow.
 */
static bool quic_rx_scan(struct quic_rx *rx, unsigned int end,
			 unsigned int *unknown)
{
	struct quic_cursor cursor = { .skb = rx->skb };
	u8 start[1 + QUIC_MAX_CONNECTION_ID_SIZE];
	unsigned int pos, len, whole;
	bool matched = false;

	*unknown = 0;
	rcu_read_lock();
	for (pos = 0; pos < end; pos += rx->stride) {
		whole = min(rx->skb->len - pos, rx->stride);
		len = min(end - pos, whole);
		if (quic_cursor_copy(&cursor, rx->skb, pos, start,
				     min(len, sizeof(start))))
			break;
		if (start[0] & QUIC_HDR_FORM)
			continue;
		if (quic_finder_find(&rx->finder, start,
				     min(len, sizeof(start))))
			matched = true;
		else if (len == whole)
			++*unknown;
	}
	rcu_read_unlock();

	return matched;
}

static bool quic_rx_has_room(const struct quic_rx *rx)
{
	const struct msghdr *msg = rx->msg;
	size_t hdr_len = CMSG_LEN(0);

	if (msg->msg_flags & MSG_CMSG_COMPAT)
		hdr_len = sizeof(struct compat_cmsghdr);

	return msg->msg_control && msg->msg_controllen >=
	       hdr_len + rx->datagrams * sizeof(*rx->entries);
}

/* One allocation for all that opening takes */
static bool quic_rx_alloc(struct quic_rx *rx)
{
	size_t req_size, entries_size, progress_size;

	rx->reqsize = quic_key_max_reqsize();
	req_size = ALIGN(sizeof(*rx->req) + rx->reqsize,
			 __alignof__(*rx->entries));
	entries_size = rx->datagrams * sizeof(*rx->entries);
	progress_size = (rx->peek ? rx->datagrams : 1) * sizeof(*rx->progress);

	rx->buf_len = rx->stride;
	if (rx->stride < QUIC_RX_BUF_SIZE)
		rx->buf_len = rounddown(QUIC_RX_BUF_SIZE, rx->stride);
	rx->buf_len = min(rx->buf_len, rx->len);

	/* Whoever sends chooses the size: it is not worth much trouble. */
	rx->req = kmalloc(req_size + entries_size + progress_size +
			  rx->buf_len,
			  GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);
	if (!rx->req)
		return false;

	rx->entries = (void *)rx->req + req_size;
	rx->progress = (void *)rx->entries + entries_size;
	rx->buf = (void *)rx->progress + progress_size;
	memset(rx->entries, 0, entries_size + progress_size);
	rx->at = rx->progress;

	return true;
}

static void quic_rx_free(struct quic_rx *rx)
{
	/* Some AEADs leave keys of the last packet there. */
	memzero_explicit(rx->req, sizeof(*rx->req) + rx->reqsize);
	kfree(rx->req);
}

/* The control message comes before those of UDP, at @control. */
static int quic_rx_put_entries(const struct quic_rx *rx,
			       const struct msghdr *control)
{
	rx->msg->msg_control = control->msg_control;
	rx->msg->msg_controllen = control->msg_controllen;

	return put_cmsg(rx->msg, SOL_UDP, UDP_QUIC_DECRYPT,
			rx->datagrams * sizeof(*rx->entries), rx->entries);
}

/* No opened byte is copied before the control message is in its place.  It is
 * completed once all datagrams have been looked at.
 */
static int quic_rx_deliver(struct quic_rx *rx)
{
	struct quic_cursor cursor = { .skb = rx->skb };
	const struct msghdr control = *rx->msg;
	struct msghdr *msg = rx->msg;
	unsigned int pos, len;
	bool told = false;

	for (pos = 0; pos < rx->len; pos += len) {
		len = min(rx->len - pos, rx->buf_len);
		if (quic_cursor_copy(&cursor, rx->skb, pos, rx->buf, len))
			return -EFAULT;
		quic_rx_open(rx, pos, len);

		if (rx->matched && !told) {
			told = !quic_rx_put_entries(rx, &control);
			if (!told)
				break;
		}

		if (!copy_to_iter_full(rx->buf, len, &msg->msg_iter))
			return -EFAULT;
	}

	if (pos < rx->len) {
		/* The control buffer can't be written to. */
		memset(rx->count, 0, sizeof(rx->count));
		msg->msg_flags |= MSG_CTRUNC;
		return skb_copy_datagram_msg(rx->skb, pos, msg, rx->len - pos);
	}

	return told && len < rx->len ? quic_rx_put_entries(rx, &control) : 0;
}

static void quic_rx_count(const struct quic_rx *rx, struct net *net)
{
	struct quic_totals *totals = &rx->finder.qs->totals[QUIC_RX];

	if (rx->count[QUIC_RX_DECRYPTED]) {
		QUIC_ADD_STATS(net, RX_SW_PACKETS,
			       rx->count[QUIC_RX_DECRYPTED]);
		QUIC_ADD_STATS(net, RX_SW_BYTES, rx->bytes);
		atomic64_add(rx->count[QUIC_RX_DECRYPTED], &totals->packets);
		atomic64_add(rx->bytes, &totals->bytes);
	}
	if (rx->count[QUIC_RX_NO_KEY])
		QUIC_ADD_STATS(net, RX_SW_NO_KEY, rx->count[QUIC_RX_NO_KEY]);
	if (rx->count[QUIC_RX_BAD_TAG]) {
		QUIC_ADD_STATS(net, RX_SW_BAD_TAG, rx->count[QUIC_RX_BAD_TAG]);
		atomic64_add(rx->count[QUIC_RX_BAD_TAG], &totals->errors);
	}
	if (rx->count[QUIC_RX_LIMIT])
		QUIC_ADD_STATS(net, RX_SW_LIMIT, rx->count[QUIC_RX_LIMIT]);
	if (rx->count[QUIC_RX_NOT_OFFLOADED])
		QUIC_ADD_STATS(net, RX_SW_NO_FLOW,
			       rx->count[QUIC_RX_NOT_OFFLOADED]);
}

/* What to do with a message */
enum quic_rx_way {
	QUIC_RX_OPEN,
	QUIC_RX_AS_IT_CAME,
	QUIC_RX_DO_DROP,
};

static enum quic_rx_way quic_rx_decide(struct quic_rx *rx)
{
	const struct quic_sock *qs = rx->finder.qs;
	bool has_room = quic_rx_has_room(rx);
	bool drop = READ_ONCE(qs->rx_drop);
	unsigned int unknown;
	bool matched;

	/* Memory for a large datagram is for those that have a flow. */
	if (has_room && !drop && rx->stride <= QUIC_RX_BUF_SIZE)
		return QUIC_RX_OPEN;

	/* What is noise does not depend on the caller's room. */
	if (drop) {
		quic_rx_scan(rx, rx->skb->len, &unknown);
		if (unknown == rx->total)
			return QUIC_RX_DO_DROP;
	}

	matched = quic_rx_scan(rx, rx->len, &unknown);
	if (matched && has_room)
		return QUIC_RX_OPEN;
	if (matched)
		rx->msg->msg_flags |= MSG_CTRUNC;
	else if (READ_ONCE(qs->flows[QUIC_RX].lengths))
		rx->count[QUIC_RX_NOT_OFFLOADED] = unknown;

	return QUIC_RX_AS_IT_CAME;
}

/* Copies a message that may have packets to open.  UDP has verified its
 * checksum, and goes on to the next one if the result is positive.
 */
static int quic_rx_copy(struct sock *sk, struct sk_buff *skb, int off,
			struct msghdr *msg, int len, int flags)
{
	struct quic_rx rx = {
		.skb		= skb,
		.msg		= msg,
		.len		= len,
		.peek		= flags & MSG_PEEK,
		.finder.qs	= quic_sock_used(sk),
	};
	enum quic_rx_way way = QUIC_RX_AS_IT_CAME;
	struct net *net = sock_net(sk);
	int err;

	if (!off && quic_rx_size(&rx)) {
		quic_match_source(skb, &rx.finder.source);
		way = quic_rx_decide(&rx);
	}
	if (way == QUIC_RX_DO_DROP) {
		if (udp_ulp_drop_skb(sk, skb, flags))
			QUIC_ADD_STATS(net, RX_SW_DROPPED, rx.total);
		return 1;
	}
	if (way == QUIC_RX_AS_IT_CAME || !len || !quic_rx_alloc(&rx)) {
		err = skb_copy_datagram_msg(skb, off, msg, len);
	} else {
		err = quic_rx_deliver(&rx);
		quic_rx_free(&rx);
	}
	if (!err && !rx.peek)
		quic_rx_count(&rx, net);

	return err;
}

/**
 * quic_recvmsg - recvmsg() of a socket with the ULP
 * @sk: UDP socket
 * @msg: receives a message; with room for a UDP_QUIC_DECRYPT control message,
 *	its packets are opened (RFC 9001 section 5) if the socket has their flows
 * @len: bytes that there is room for
 * @flags: MSG_*
 *
 * Context: process context, may sleep; socket not locked.
 * Return: what UDP's recvmsg() returns.
 */
int quic_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	const struct quic_sock *qs = quic_sock_used(sk);

	return quic_udp_recvmsg(sk, msg, len, flags,
				qs && READ_ONCE(qs->rx) ? quic_rx_copy : NULL);
}
