// SPDX-License-Identifier: GPL-2.0-only
/* Loops over messages that are sent. */

#include <linux/file.h>
#include <linux/net.h>
#include <linux/prandom.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

#include "module.h"

/* Give the packets of a train the connection ID of a flow. */
static void kbench_set_flow(const struct kbench_loop *loop, u8 *train, u32 flow)
{
	u32 i;

	for (i = 0; i < loop->train; i++)
		put_unaligned_be32(flow, train + i * loop->stride + 1);
}

int kbench_send(struct kbench_loop *loop)
{
	u64 *pkt_num = (void *)loop->control + loop->pkt_num_at;
	size_t len = (size_t)loop->train * loop->stride;
	u32 i, packet = 0;
	struct rnd_state rnd;
	struct socket *sock;
	u64 start;
	int err = 0;

	if (loop->name_len > sizeof(loop->name) ||
	    loop->control_len > sizeof(loop->control) ||
	    loop->pkt_num_at > sizeof(loop->control) - sizeof(u64))
		return -EINVAL;

	sock = sockfd_lookup(loop->fd, &err);
	if (!sock)
		return err;

	prandom_seed_state(&rnd, loop->lap);
	start = ktime_get_ns();
	for (i = 0; i < loop->loops; i++) {
		u8 *train = source + loop->base +
			    (size_t)packet * loop->stride;
		struct kvec vec = { .iov_base = train, .iov_len = len };
		struct msghdr msg = {
			.msg_name	= loop->name_len ? loop->name : NULL,
			.msg_namelen	= loop->name_len,
			.msg_control	= loop->control,
			.msg_controllen	= loop->control_len,
		};

		if (loop->flows)
			kbench_set_flow(loop, train, !loop->random ? 0 :
					prandom_u32_state(&rnd) % loop->flows);
		if (loop->pkt_num_at)
			*pkt_num = loop->lap * BENCH_LAP + packet;

		err = kernel_sendmsg(sock, &msg, &vec, 1, len);
		if (err < 0)
			break;

		packet += loop->train;
		if (packet >= loop->ring) {
			packet = 0;
			loop->lap++;
		}
	}
	loop->ns = ktime_get_ns() - start;

	sockfd_put(sock);
	return min(err, 0);
}
