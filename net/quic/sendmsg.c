// SPDX-License-Identifier: GPL-2.0-only
/*
 * sendmsg() of a socket with the ULP: takes a train of plaintext packets,
 * hands UDP a train of protected ones.
 */

#include <linux/err.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include <net/ip.h>
#include <net/udp.h>

#include "quic.h"

/* What the control messages of a message ask for */
struct quic_tx_request {
	struct cmsghdr	*encrypt;	/* NULL for plain UDP */
	u64		next_pkt_num;
	unsigned int	dcid_len;
	u16		gso_size;	/* as UDP takes it, tags included */
	bool		bypass;
};

/* What every packet of a train has in common, and how the train is cut */
struct quic_train {
	struct quic_key	*keys[2];	/* by phase, with references */
	u8		dcid[QUIC_MAX_CONNECTION_ID_SIZE];
	unsigned int	dcid_len;
	unsigned int	stride;		/* from packet to packet, no tags */
	unsigned int	wire_len;	/* of the train, with tags */
};

/**
 * struct quic_tx - a train on its way; too large for the stack
 * @use: packet numbers used of each key
 * @buf: the protected packets
 * @req_size: bytes in @req and the AEAD's context behind it
 * @req: for one packet after the other
 */
struct quic_tx {
	struct quic_use		use[2];
	struct quic_txbuf	buf;
	size_t			req_size;
	struct aead_request	req;
};

static int quic_udp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return udpv6_sendmsg(sk, msg, len);
#endif
	return udp_sendmsg(sk, msg, len);
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

	return err;
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

	ret = quic_udp_sendmsg(sk, msg, len);

	msg->msg_controllen += sizeof(saved) - put;
	memmove(tail, (void *)cmsg + put, rest);
	memcpy(cmsg, saved, sizeof(saved));

	return ret;
}

static bool quic_has_wmem(struct sock *sk)
{
	return sk_wmem_alloc_get(sk) < READ_ONCE(sk->sk_sndbuf);
}

/* Room in the send buffer, or an error that UDP will tell */
static bool quic_may_send(struct sock *sk)
{
	return quic_has_wmem(sk) || READ_ONCE(sk->sk_err) ||
	       READ_ONCE(sk->sk_shutdown) & SEND_SHUTDOWN;
}

/* Wait for room in the send buffer before anything is copied and encrypted.
 * UDP checks again, and waits if other senders were faster.
 */
static int quic_wait_for_wmem(struct sock *sk, const struct msghdr *msg)
{
	long timeo = sock_sndtimeo(sk, msg->msg_flags & MSG_DONTWAIT);
	long left;

	if (quic_has_wmem(sk))
		return 0;

	sk_set_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	left = wait_event_interruptible_timeout(*sk_sleep(sk),
						quic_may_send(sk), timeo);
	if (left < 0)
		return sock_intr_errno(timeo);

	return left ? 0 : -EAGAIN;
}

/* How the message is cut into packets, and how long they get. */
static int quic_train_size(struct quic_train *train, size_t len, u16 gso_size,
			   const struct quic_dest *dest)
{
	unsigned int packets, max = U16_MAX - sizeof(struct udphdr);

	if (gso_size && gso_size <= QUIC_TAG_SIZE)
		return -EINVAL;

	if (ipv6_addr_v4mapped(&dest->addr))
		max -= sizeof(struct iphdr);
	if (len > max)
		return -EMSGSIZE;

	train->stride = gso_size ? gso_size - QUIC_TAG_SIZE : max;
	packets = DIV_ROUND_UP(len, train->stride);
	train->wire_len = len + packets * QUIC_TAG_SIZE;
	if (packets > UDP_MAX_SEGMENTS || train->wire_len > max)
		return -EMSGSIZE;

	return packets ? 0 : -EINVAL;
}

/* The connection ID of the first packet, which the others must share. */
static int quic_train_peek_dcid(struct quic_train *train,
				const struct msghdr *msg, size_t len)
{
	u8 start[1 + QUIC_MAX_CONNECTION_ID_SIZE];
	struct iov_iter from = msg->msg_iter;

	if (len < 1 + train->dcid_len)
		return -EINVAL;
	if (!copy_from_iter_full(start, 1 + train->dcid_len, &from))
		return -EFAULT;

	memcpy(train->dcid, start + 1, train->dcid_len);
	return 0;
}

static struct quic_tx *quic_tx_alloc(const struct quic_train *train)
{
	unsigned int phase, ctx_size = 0;
	struct quic_tx *tx;

	for (phase = 0; phase < 2; phase++) {
		struct quic_key *key = train->keys[phase];

		if (key)
			ctx_size = max(ctx_size,
				       crypto_aead_reqsize(key->aead));
	}

	tx = kmalloc(sizeof(*tx) + ctx_size, GFP_KERNEL);
	if (!tx)
		return NULL;

	tx->req_size = sizeof(tx->req) + ctx_size;
	memset(tx->use, 0, sizeof(tx->use));
	quic_txbuf_init(&tx->buf, train->wire_len);

	return tx;
}

static void quic_tx_free(struct quic_tx *tx)
{
	quic_txbuf_release(&tx->buf);
	/* Some AEADs leave keys of the last packet there. */
	memzero_explicit(&tx->req, tx->req_size);
	kfree(tx);
}

/* Copy a packet of @len bytes, check the copy, and protect it.  Its number is
 * @next, if @first, or the smallest from there on that the header allows.
 */
static int quic_tx_packet(struct quic_tx *tx, const struct quic_train *train,
			  struct iov_iter *from, unsigned int len,
			  bool first, u64 *next)
{
	const struct quic_key *key;
	struct quic_use *use;
	unsigned int phase;
	const u8 *packet;
	int err;
	u64 pn;

	err = quic_txbuf_add(&tx->buf, from, len);
	if (err)
		return err;

	packet = sg_virt(tx->buf.sg);
	err = quic_packet_check(packet, len, train->dcid, train->dcid_len);
	if (err)
		return err;

	pn = quic_packet_number(packet, train->dcid_len, *next);
	if (first && pn != *next)
		return -EINVAL;
	*next = pn + 1;

	phase = quic_packet_phase(packet[0]);
	key = train->keys[phase];
	if (!key)
		return -ENOKEY;

	use = &tx->use[phase];
	if (!use->packets)
		use->first = pn;
	use->next = pn + 1;
	use->packets++;

	err = quic_key_protect(key, &tx->req, tx->buf.sg, len,
			       train->dcid_len, pn);
	/* UDP says so, too, when it has no memory. */
	return err == -ENOMEM ? -ENOBUFS : err;
}

static int quic_tx_packets(struct quic_tx *tx, const struct quic_train *train,
			   struct iov_iter *from, size_t len, u64 next)
{
	bool too_large = false, first = true;
	int err;

	while (len) {
		unsigned int packet_len = min_t(size_t, len, train->stride);

		err = quic_tx_packet(tx, train, from, packet_len, first, &next);
		if (err)
			return err;

		/* Told when every packet has been looked at. */
		too_large |= next > QUIC_MAX_PKT_NUM + 1 || !next;
		len -= packet_len;
		first = false;
	}

	return too_large ? -ERANGE : 0;
}

static void quic_tx_give_back(struct quic_tx *tx,
			      const struct quic_train *train)
{
	unsigned int phase;

	for (phase = 0; phase < 2; phase++) {
		if (tx->use[phase].packets)
			quic_guard_give_back(&train->keys[phase]->guard,
					     &tx->use[phase]);
	}
}

static int quic_tx_take(struct quic_tx *tx, const struct quic_train *train)
{
	unsigned int phase;
	int err = 0;

	for (phase = 0; phase < 2 && !err; phase++) {
		if (tx->use[phase].packets)
			err = quic_guard_take(&train->keys[phase]->guard,
					      &tx->use[phase]);
	}

	for (phase = 0; phase < 2 && !err; phase++) {
		struct quic_key *key = train->keys[phase];

		if (tx->use[phase].packets)
			err = quic_guard_charge(&key->guard, &tx->use[phase],
						quic_cipher_limit(key->cipher));
	}

	if (err)
		quic_tx_give_back(tx, train);

	return err;
}

/* Hand the protected train to UDP. */
static int quic_tx_send(struct quic_tx *tx, const struct quic_train *train,
			struct sock *sk, struct msghdr *msg,
			const struct quic_tx_request *tr)
{
	struct iov_iter plaintext = msg->msg_iter;
	unsigned int flags = msg->msg_flags;
	int ret;

	iov_iter_bvec(&msg->msg_iter, ITER_SOURCE, tx->buf.bvecs,
		      tx->buf.nr_bvecs, tx->buf.len);
	if (quic_txbuf_spliceable(&tx->buf))
		msg->msg_flags |= MSG_SPLICE_PAGES | MSG_NO_SHARED_FRAGS;

	ret = quic_call_udp(sk, msg, tx->buf.len, tr);

	/* Once UDP has taken all of it, part may have left whatever it says:
	 * only until then may the numbers be used again.
	 */
	if (ret < 0 && iov_iter_count(&msg->msg_iter))
		quic_tx_give_back(tx, train);

	msg->msg_flags = flags;
	msg->msg_iter = plaintext;

	return min(ret, 0);
}

static int quic_tx_train(const struct quic_train *train, struct sock *sk,
			 struct msghdr *msg, size_t len,
			 const struct quic_tx_request *tr)
{
	struct iov_iter from = msg->msg_iter;
	struct quic_tx *tx;
	int err;

	err = quic_wait_for_wmem(sk, msg);
	if (err)
		return err;

	tx = quic_tx_alloc(train);
	if (!tx)
		return -ENOBUFS;

	err = quic_tx_packets(tx, train, &from, len, tr->next_pkt_num);
	if (err)
		goto out_free;

	err = quic_tx_take(tx, train);
	if (err)
		goto out_free;

	err = quic_tx_send(tx, train, sk, msg, tr);
	if (err)
		goto out_free;

	msg->msg_iter = from;
	QUIC_ADD_STATS(sock_net(sk), TX_SW_PACKETS,
		       tx->use[0].packets + tx->use[1].packets);

out_free:
	quic_tx_free(tx);
	return err;
}

static int quic_send_train(struct sock *sk, struct msghdr *msg, size_t len,
			   const struct quic_tx_request *tr)
{
	/* NULL for a moment on machines that see sk_prot before ulp_data. */
	struct quic_sock *qs = rcu_dereference_raw(udp_sk(sk)->ulp_data);
	struct quic_train train = { .dcid_len = tr->dcid_len };
	struct quic_dest dest;
	int err;

	err = quic_match_dest(sk, msg, &dest);
	if (err)
		return err;

	err = quic_train_size(&train, len, tr->gso_size, &dest);
	if (err)
		return err;

	err = quic_train_peek_dcid(&train, msg, len);
	if (err)
		return err;

	if (!qs)
		return -ENOENT;
	err = quic_flow_get_keys(qs, &dest, train.dcid, train.dcid_len,
				 train.keys);
	if (err)
		return err;

	err = quic_tx_train(&train, sk, msg, len, tr);
	quic_key_put(train.keys[0]);
	quic_key_put(train.keys[1]);

	return err;
}

/* What makes UDP keep the message, or take pages, instead of copying and
 * sending it.
 */
static bool quic_tx_unsupported(struct sock *sk, const struct msghdr *msg)
{
	return msg->msg_flags & (MSG_MORE | MSG_OOB | MSG_ZEROCOPY |
				 MSG_SPLICE_PAGES) ||
	       msg->msg_ubuf || udp_test_bit(CORK, sk) ||
	       READ_ONCE(udp_sk(sk)->pending);
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
		return quic_udp_sendmsg(sk, msg, len);

	err = quic_cmsg_parse(sk, msg, &tr);
	/* Of a list with an error in it UDP would not read more. */
	if (!tr.encrypt)
		return err ?: quic_udp_sendmsg(sk, msg, len);
	if (tr.bypass)
		return err ?: quic_call_udp(sk, msg, len, &tr);

	if (quic_tx_unsupported(sk, msg))
		err = -EOPNOTSUPP;
	if (!err)
		err = quic_send_train(sk, msg, len, &tr);
	if (!err)
		return len;

	if (err != -EAGAIN && err != -EINTR && err != -ERESTARTSYS)
		QUIC_INC_STATS(sock_net(sk), TX_SW_ERROR);

	return err;
}
