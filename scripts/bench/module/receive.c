// SPDX-License-Identifier: GPL-2.0-only
/* Messages that are received: sent to the socket first, which is not timed. */

#include <linux/limits.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

#include "module.h"

/* Who reads, and into what */
struct kbench_reader {
	struct socket	*sock;
	u8		*buf;
	u8		*control;
};

/* Packets of another flow differ in the connection ID and in the tag alone. */
static void kbench_set_tags(const struct kbench_receive *r, u8 *train, u32 flow)
{
	const u8 *tag = source + r->tags_at + flow * r->train * TAG_LEN;
	u32 i;

	for (i = 0; i < r->train; i++, train += r->wire, tag += TAG_LEN) {
		put_unaligned_be32(flow, train + 1);
		memcpy(train + r->wire - TAG_LEN, tag, TAG_LEN);
	}
}

static int kbench_fill(struct socket *sock, struct kbench_receive *r,
		       struct rnd_state *rnd)
{
	size_t len = (size_t)r->train * r->wire;
	int err = 0;
	u32 i;

	for (i = 0; i < r->messages && err >= 0; i++) {
		u8 *train = source + (size_t)r->packet * r->wire;
		struct kvec vec = { .iov_base = train, .iov_len = len };
		struct msghdr msg = {};

		if (r->flows)
			kbench_set_tags(r, train,
					prandom_u32_state(rnd) % r->flows);
		err = kernel_sendmsg(sock, &msg, &vec, 1, len);

		r->packet += r->train;
		if (r->packet >= r->ring)
			r->packet = 0;
	}
	return min(err, 0);
}

static int kbench_read_one(struct kbench_reader *reader,
			   struct kbench_receive *r, struct msghdr *msg,
			   int flags)
{
	size_t len = (size_t)r->train * r->wire;
	struct kvec vec = { .iov_base = reader->buf, .iov_len = U16_MAX };
	int ret;

	msg->msg_control = reader->control;
	msg->msg_controllen = r->control_len;

	ret = kernel_recvmsg(reader->sock, msg, &vec, 1, U16_MAX, flags);
	if (ret < 0)
		return ret;
	return ret == len ? 0 : -EMSGSIZE;
}

/* As many messages as have been sent, or all that somebody else has sent */
static int kbench_read(struct kbench_reader *reader, struct kbench_receive *r)
{
	const int flags = r->send_fd < 0 ? MSG_DONTWAIT : 0;
	u32 i, most = r->send_fd < 0 ? U32_MAX : r->messages;
	struct sockaddr_storage from;
	int err;

	for (i = 0; i < most; i++) {
		struct msghdr msg = { .msg_name = &from };

		err = kbench_read_one(reader, r, &msg, flags);
		if (err == -EAGAIN && flags)
			break;
		if (err)
			return err;
	}
	r->received += i;
	return 0;
}

static int kbench_batches(struct kbench_reader *reader, struct socket *to,
			  struct kbench_receive *r)
{
	struct rnd_state rnd;
	int err = 0;
	u32 i;

	prandom_seed_state(&rnd, r->seed);
	for (i = 0; i < r->batches && !err; i++) {
		u64 start;

		if (to)
			err = kbench_fill(to, r, &rnd);
		if (err)
			break;
		start = ktime_get_ns();
		err = kbench_read(reader, r);
		r->ns += ktime_get_ns() - start;
	}
	/* Of the last one: the caller looks whether it is what it should be. */
	memcpy(r->control, reader->control, sizeof(r->control));
	return err;
}

static bool kbench_receive_valid(const struct kbench_receive *r)
{
	u64 tags = (u64)r->flows * r->train * TAG_LEN;

	return r->train && r->train <= r->ring && r->ring % r->train == 0 &&
	       (u64)r->ring * r->wire <= KBENCH_SOURCE &&
	       (u64)r->train * r->wire <= U16_MAX &&
	       r->wire > BENCH_HDR_LEN + TAG_LEN &&
	       r->tags_at + tags <= KBENCH_SOURCE &&
	       r->packet < r->ring && r->packet % r->train == 0 &&
	       r->control_len <= U16_MAX;
}

int kbench_receive(struct kbench_receive *r)
{
	size_t control_len = max_t(size_t, r->control_len, sizeof(r->control));
	struct kbench_reader reader;
	struct socket *to = NULL;
	int err = 0;

	if (!kbench_receive_valid(r))
		return -EINVAL;
	reader.sock = sockfd_lookup(r->fd, &err);
	if (!reader.sock)
		return err;
	if (r->send_fd >= 0) {
		to = sockfd_lookup(r->send_fd, &err);
		if (!to)
			goto out;
	}

	err = -ENOMEM;
	reader.buf = kmalloc(U16_MAX, GFP_KERNEL);
	reader.control = kzalloc(control_len, GFP_KERNEL);
	r->ns = 0;
	r->received = 0;
	if (reader.buf && reader.control)
		err = kbench_batches(&reader, to, r);

	kfree(reader.control);
	kfree(reader.buf);
	if (to)
		sockfd_put(to);
out:
	sockfd_put(reader.sock);
	return err;
}
