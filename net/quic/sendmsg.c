// SPDX-License-Identifier: GPL-2.0-only
/*
 * sendmsg() of a socket with the ULP: what a message asks for, and UDP called
 * to send it.
 */

#include <linux/err.h>
#include <net/ip.h>
#include <net/udp.h>

#include "quic.h"
#include "tx.h"

/* What the control messages of a message ask for */
struct quic_tx_request {
	struct cmsghdr	*encrypt;	/* NULL for plain UDP */
	u64		next_pkt_num;
	unsigned int	dcid_len;
	u16		gso_size;	/* as UDP takes it, tags included */
	bool		bypass;
	bool		by_udp;		/* it is UDP that did not send it */
};

/* UDP's own sendmsg(), which fetches the bytes it sends with @getfrag */
static int quic_udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len,
			    int getfrag(void *from, char *to, int offset,
					int len, int odd, struct sk_buff *skb))
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return __udpv6_sendmsg(sk, msg, len, getfrag);
#endif
	return __udp_sendmsg(sk, msg, len, getfrag);
}

static int quic_cmsg_parse_encrypt(struct msghdr *msg, struct cmsghdr *cmsg,
				   struct quic_tx_request *tr)
{
	struct quic_tx_ancillary_data data;
	bool again = tr->encrypt;

	tr->encrypt = cmsg;
	if (again || !CMSG_OK(msg, cmsg) ||
	    cmsg->cmsg_len != CMSG_LEN(sizeof(data)))
		return -EINVAL;

	/* Control messages are aligned like long, this may need more. */
	memcpy(&data, CMSG_DATA(cmsg), sizeof(data));

	tr->bypass = data.flags & QUIC_BYPASS_ENCRYPTION;
	tr->next_pkt_num = data.next_pkt_num;
	tr->dcid_len = data.conn_id_length;
	if (data.flags & ~QUIC_BYPASS_ENCRYPTION ||
	    tr->dcid_len > QUIC_MAX_CONNECTION_ID_SIZE)
		return -EINVAL;

	return 0;
}

/* Goes on after an error as far as the list can be followed, so that a message
 * that asks for protection is not mistaken for one that does not.
 */
static int quic_cmsg_parse(struct sock *sk, struct msghdr *msg,
			   struct quic_tx_request *tr)
{
	struct cmsghdr *cmsg;
	int err = 0;

	tr->encrypt = NULL;
	tr->bypass = false;
	tr->by_udp = false;
	tr->gso_size = READ_ONCE(udp_sk(sk)->gso_size);

	for_each_cmsghdr(cmsg, msg) {
		bool udp = cmsg->cmsg_level == SOL_UDP;

		if (udp && cmsg->cmsg_type == UDP_QUIC_ENCRYPT)
			err = quic_cmsg_parse_encrypt(msg, cmsg, tr) ?: err;

		if (!CMSG_OK(msg, cmsg))
			return -EINVAL;

		if (udp && cmsg->cmsg_type == UDP_SEGMENT) {
			if (cmsg->cmsg_len == CMSG_LEN(sizeof(u16)))
				tr->gso_size = *(u16 *)CMSG_DATA(cmsg);
			else
				err = -EINVAL;
		}
	}

	/* What is wrong with a plain message is for UDP to find. */
	return tr->encrypt ? err : 0;
}

/* The last one may end where its data ends, without padding. */
static_assert(CMSG_SPACE(sizeof(struct quic_tx_ancillary_data)) ==
	      CMSG_LEN(sizeof(struct quic_tx_ancillary_data)));

/* Call UDP without the UDP_QUIC_ENCRYPT control message.  When the message has
 * been protected a UDP_SEGMENT takes its place, with the size it was protected
 * for, whatever happens to the socket option meanwhile.  The caller may retry
 * with the same control messages: they are put back.
 */
static int quic_call_udp(struct sock *sk, struct msghdr *msg, size_t len,
			 const struct quic_tx_request *tr)
{
	u8 saved[CMSG_SPACE(sizeof(struct quic_tx_ancillary_data))];
	struct cmsghdr *cmsg = tr->encrypt;
	size_t put, rest;
	void *tail;
	int ret;

	put = tr->bypass ? 0 : CMSG_SPACE(sizeof(u16));
	tail = (void *)cmsg + sizeof(saved);
	rest = msg->msg_control + msg->msg_controllen - tail;

	memcpy(saved, cmsg, sizeof(saved));
	if (put) {
		cmsg->cmsg_type = UDP_SEGMENT;
		cmsg->cmsg_len = CMSG_LEN(sizeof(u16));
		*(u16 *)CMSG_DATA(cmsg) = tr->gso_size;
	}
	memmove((void *)cmsg + put, tail, rest);
	msg->msg_controllen -= sizeof(saved) - put;

	ret = quic_udp_sendmsg(sk, msg, len, tr->bypass ? ip_generic_getfrag :
							  quic_tx_getfrag);

	msg->msg_controllen += sizeof(saved) - put;
	memmove(tail, (void *)cmsg + put, rest);
	memcpy(cmsg, saved, sizeof(saved));

	return ret;
}

/* How the message is cut into packets, and how long they get. */
static int quic_train_size(struct quic_train *train, size_t len, u16 gso_size)
{
	unsigned int packets, max = U16_MAX - sizeof(struct udphdr);

	if (gso_size && gso_size <= QUIC_TAG_SIZE)
		return -EINVAL;

	if (ipv6_addr_v4mapped(&train->dest.addr))
		max -= sizeof(struct iphdr);
	if (len > max)
		return -EMSGSIZE;

	train->stride = gso_size ? gso_size - QUIC_TAG_SIZE : max;
	packets = DIV_ROUND_UP(len, train->stride);
	train->len = len;
	train->wire_len = len + packets * QUIC_TAG_SIZE;
	if (packets > UDP_MAX_SEGMENTS || train->wire_len > max)
		return -EMSGSIZE;

	return packets ? 0 : -EINVAL;
}

/* The connection ID of the first packet, which the others must share. */
static int quic_train_peek_dcid(struct quic_train *train,
				const struct msghdr *msg, size_t len,
				unsigned int dcid_len)
{
	u8 start[1 + QUIC_MAX_CONNECTION_ID_SIZE];
	struct iov_iter from = msg->msg_iter;

	if (len < 1 + dcid_len)
		return -EINVAL;
	if (!copy_from_iter_full(start, 1 + dcid_len, &from))
		return -EFAULT;

	memcpy(train->dcid, start + 1, dcid_len);
	train->dcid_len = dcid_len;
	train->phase = quic_packet_phase(start[0]);
	return 0;
}

static int quic_tx_train(const struct quic_train *train, struct sock *sk,
			 struct msghdr *msg, struct quic_tx_request *tr)
{
	struct quic_tx *tx;
	int err;

	tx = quic_tx_start(train, msg);
	if (!tx)
		return -ENOBUFS;

	err = quic_call_udp(sk, &tx->msg, train->wire_len, tr);
	err = quic_tx_finish(tx, err, &tr->by_udp);
	if (err)
		return err;

	iov_iter_advance(&msg->msg_iter, train->len);

	return 0;
}

static void quic_tx_count(const struct quic_train *train, struct net *net,
			  struct quic_totals *totals)
{
	unsigned int packets = quic_train_packets(train);

	QUIC_ADD_STATS(net, TX_SW_PACKETS, packets);
	QUIC_ADD_STATS(net, TX_SW_BYTES, train->wire_len);
	atomic64_add(packets, &totals->packets);
	atomic64_add(train->wire_len, &totals->bytes);
}

static int quic_send_train(struct quic_train *train, struct sock *sk,
			   struct msghdr *msg, size_t len,
			   struct quic_tx_request *tr)
{
	struct quic_sock *qs = quic_sock_used(sk);
	int err;

	train->next_pkt_num = tr->next_pkt_num;
	err = quic_match_dest(sk, msg, &train->dest);
	if (err)
		return err;

	err = quic_train_size(train, len, tr->gso_size);
	if (err)
		return err;

	err = quic_train_peek_dcid(train, msg, len, tr->dcid_len);
	if (err)
		return err;

	if (!qs)
		return -ENOENT;
	err = quic_flow_get_keys(qs, &train->dest, train->dcid, train->dcid_len,
				 train->keys);
	if (err)
		return err;

	train->plain = quic_tx_wanted_by_device(train);
	err = quic_tx_train(train, sk, msg, tr);
	if (err == -ECANCELED && train->plain) {
		/* It turned out to be none for a device. */
		train->plain = false;
		err = quic_tx_train(train, sk, msg, tr);
	}
	if (!err)
		quic_tx_count(train, sock_net(sk), &qs->totals[QUIC_TX]);
	quic_key_put(train->keys[0]);
	quic_key_put(train->keys[1]);

	return err;
}

/* What makes UDP keep the message, take pages, or not send at all, instead of
 * copying and sending it.
 */
static bool quic_tx_unsupported(struct sock *sk, const struct msghdr *msg)
{
	return msg->msg_flags & (MSG_MORE | MSG_OOB | MSG_PROBE |
				 MSG_ZEROCOPY | MSG_SPLICE_PAGES) ||
	       msg->msg_ubuf || udp_test_bit(CORK, sk) ||
	       READ_ONCE(udp_sk(sk)->pending);
}

/* @err: what is wrong with the control messages, if anything is */
static int quic_send_protected(struct sock *sk, struct msghdr *msg, size_t len,
			       struct quic_tx_request *tr, int err)
{
	struct quic_train train = {};

	if (quic_tx_unsupported(sk, msg))
		err = -EOPNOTSUPP;
	if (!err)
		err = quic_send_train(&train, sk, msg, len, tr);
	if (!err)
		return len;

	if (err != -EAGAIN && err != -EINTR && err != -ERESTARTSYS)
		quic_tx_refused(sk, &train, err, tr->by_udp);

	return err;
}

/**
 * quic_sendmsg - sendmsg() of a socket with the ULP
 * @sk: UDP socket
 * @msg: message; with a UDP_QUIC_ENCRYPT control message, a train of packets
 *	to protect (RFC 9001 section 5), else plain UDP
 * @len: bytes in the message
 *
 * Context: process context, may sleep unless MSG_DONTWAIT; socket not locked.
 * Return: @len; or a negative errno, see Documentation/networking/quic.rst.
 * Nothing has left the host then, unless the error is one of UDP after it had
 * taken the whole train.
 */
int quic_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	struct quic_tx_request tr;
	int err;

	if (!msg->msg_controllen)
		return quic_udp_sendmsg(sk, msg, len, ip_generic_getfrag);

	err = quic_cmsg_parse(sk, msg, &tr);
	/* A list that can't be followed to its end may ask for protection. */
	if (!tr.encrypt)
		return err ?: quic_udp_sendmsg(sk, msg, len,
					       ip_generic_getfrag);
	if (tr.bypass)
		return err ?: quic_call_udp(sk, msg, len, &tr);

	return quic_send_protected(sk, msg, len, &tr, err);
}
