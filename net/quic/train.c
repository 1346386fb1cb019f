// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protecting a train where UDP wants it: in the skb that it is filling.
 */

#include <linux/slab.h>
#include <net/checksum.h>
#include <trace/events/udp_quic.h>

#include "tx.h"

/**
 * quic_tx_start - begin a train
 * @train: the train
 * @msg: the message that it came with
 *
 * Context: process context, may sleep.
 * Return: the train on its way, for UDP to call quic_tx_getfrag() with its
 * message, or NULL without memory.
 */
struct quic_tx *quic_tx_start(const struct quic_train *train,
			      const struct msghdr *msg)
{
	unsigned int phase, ctx_size = 0;
	struct quic_tx *tx;

	for (phase = 0; phase < 2; phase++) {
		struct quic_key *key = train->keys[phase];

		if (!key)
			continue;
		quic_key_prefetch(key);
		ctx_size = max_t(unsigned int, ctx_size, key->reqsize);
	}

	tx = kmalloc(sizeof(*tx) + ctx_size, GFP_KERNEL);
	if (!tx)
		return NULL;

	*tx = (struct quic_tx) {
		.msg		= *msg,
		.train		= train,
		.left		= train->len,
		.next		= train->next_pkt_num,
		.req_size	= sizeof(tx->req) + ctx_size,
	};

	if (msg->msg_name) {
		tx->msg.msg_namelen = min_t(int, msg->msg_namelen,
					    sizeof(tx->name));
		memcpy(&tx->name, msg->msg_name, tx->msg.msg_namelen);
		tx->msg.msg_name = &tx->name;
	}

	return tx;
}

/* All packets are protected, none has left: their numbers are known now. */
static int quic_tx_take(struct quic_tx *tx)
{
	const struct quic_train *train = tx->train;
	unsigned int phase;
	int err = 0;

	if (tx->next > QUIC_MAX_PKT_NUM + 1 || tx->next <= train->next_pkt_num)
		return -ERANGE;

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

	return err;
}

static void quic_tx_give_back(struct quic_tx *tx)
{
	unsigned int phase;

	for (phase = 0; phase < 2; phase++) {
		if (tx->use[phase].packets)
			quic_guard_give_back(&tx->train->keys[phase]->guard,
					     &tx->use[phase]);
	}
}

static unsigned int quic_tx_packet_len(const struct quic_tx *tx)
{
	return min(tx->left, tx->train->stride);
}

/* Copy the next packet to @to, check the copy, and protect it. */
static int quic_tx_packet(struct quic_tx *tx, u8 *to)
{
	const struct quic_train *train = tx->train;
	unsigned int len = quic_tx_packet_len(tx);
	const struct quic_key *key;
	struct quic_use *use;
	unsigned int phase;
	int err;
	u64 pn;

	if (!copy_from_iter_full(to, len, &tx->msg.msg_iter))
		return -EFAULT;

	err = quic_packet_check(to, len, train->dcid, train->dcid_len);
	if (err)
		return err;

	pn = quic_packet_number(to, train->dcid_len, tx->next);
	if (tx->left == train->len && pn != tx->next)
		return -EINVAL;

	phase = quic_packet_phase(to[0]);
	key = train->keys[phase];
	if (!key)
		return -ENOKEY;

	use = &tx->use[phase];
	if (!use->packets)
		use->first = pn;
	use->next = pn + 1;
	use->packets++;
	tx->next = pn + 1;
	tx->left -= len;

	if (tx->ext && !tx->failed)
		err = quic_tx_left_packet(tx, to, len, pn);
	else if (!tx->failed)
		err = quic_key_protect(key, &tx->req, to, len, train->dcid_len,
				       pn);
	if (err)
		return err;

	return tx->left ? 0 : quic_tx_take(tx);
}

/* Protect the next packet where UDP can have it in pieces: those that cross
 * from one fragment of the skb, or of the datagram, to the next.
 */
static int quic_tx_spare_packet(struct quic_tx *tx)
{
	unsigned int len = quic_tx_packet_len(tx) + QUIC_TAG_SIZE;

	/* None of those that follow is longer. */
	if (!tx->spare)
		tx->spare = kmalloc(len, GFP_KERNEL | __GFP_NOWARN);
	if (!tx->spare)
		return -ENOBUFS;

	tx->spare_at = tx->spare;
	tx->spare_len = len;
	return quic_tx_packet(tx, tx->spare);
}

static int quic_tx_fill(struct quic_tx *tx, char *to, unsigned int len)
{
	unsigned int piece;
	int err;

	for (; len; to += piece, len -= piece) {
		piece = quic_tx_packet_len(tx) + QUIC_TAG_SIZE;
		if (!tx->spare_len && piece <= len) {
			err = quic_tx_packet(tx, to);
			if (err)
				return err;
			continue;
		}

		if (!tx->spare_len) {
			err = quic_tx_spare_packet(tx);
			if (err)
				return err;
		}
		piece = min(len, tx->spare_len);
		memcpy(to, tx->spare_at, piece);
		tx->spare_at += piece;
		tx->spare_len -= piece;
	}

	return 0;
}

/**
 * quic_tx_getfrag - give UDP the next bytes of a protected train
 * @from: message of the struct quic_tx
 * @to: where to put them
 * @offset: where in the train they are; UDP asks for one after the other
 * @len: how many
 * @odd: where in @skb they will be
 * @skb: what UDP is filling
 *
 * Context: process context, may sleep.
 * Return: 0, -EFAULT if it failed; quic_tx_finish() tells why.
 */
int quic_tx_getfrag(void *from, char *to, int offset, int len, int odd,
		    struct sk_buff *skb)
{
	struct quic_tx *tx = container_of(from, struct quic_tx, msg);

	if (tx->train->plain && !tx->asked)
		quic_tx_leave_to_device(tx, skb);

	tx->err = quic_tx_fill(tx, to, len);
	if (tx->err)
		return -EFAULT;

	tx->asked += len;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		skb->csum = csum_block_add(skb->csum,
					   csum_partial(to, len, 0), odd);

	return 0;
}

/* The train was sent. */
static void quic_tx_sent(const struct quic_tx *tx)
{
	const struct quic_train *train = tx->train;
	struct quic_connection_info_key conn;
	struct quic_key *key;

	/* The last packet has the highest number. */
	key = train->keys[tx->use[1].next > tx->use[0].next];
	quic_counts_add(key->counts, quic_train_packets(train),
			train->wire_len);

	if (trace_udp_quic_train_sent_enabled()) {
		quic_match_describe(&conn, &train->dest, train->dcid,
				    train->dcid_len);
		trace_udp_quic_train_sent(&conn, key->generation,
					  quic_train_packets(train),
					  train->wire_len,
					  train->next_pkt_num);
	}
}

/**
 * quic_tx_finish - end a train
 * @tx: the train, is freed
 * @ret: what UDP said
 * @by_udp: is told whether an error is UDP's
 *
 * Context: process context, may sleep.
 * Return: 0 if it was sent, else the error to return.
 */
int quic_tx_finish(struct quic_tx *tx, int ret, bool *by_udp)
{
	bool waited = ret == -EAGAIN || ret == -EINTR || ret == -ERESTARTSYS;

	/* What is wrong with a packet comes before what UDP has to say, but
	 * for having no room for it.
	 */
	tx->failed = true;
	while (tx->left && !tx->err && !waited)
		tx->err = quic_tx_spare_packet(tx);

	/* Once UDP has got all of it, part may have left whatever it says:
	 * only until then may the numbers be used again.
	 */
	if (tx->asked < tx->train->wire_len)
		quic_tx_give_back(tx);

	*by_udp = !tx->err;
	ret = tx->err ?: min(ret, 0);
	if (!ret)
		quic_tx_sent(tx);
	/* UDP has one of them for skbs and the other for their pages. */
	if (ret == -ENOMEM)
		ret = -ENOBUFS;
	kfree(tx->spare);
	/* Some AEADs leave keys of the last packet there. */
	memzero_explicit(&tx->req, tx->req_size);
	kfree(tx);

	return ret;
}
