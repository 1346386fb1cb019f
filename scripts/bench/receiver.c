// SPDX-License-Identifier: GPL-2.0
/* A socket that receives trains of the source, and what is done with them. */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/quic.h>
#include <linux/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "path.h"
#include "receiver.h"

/* Messages of a batch are sent, and then received.  If they are to be hot, no
 * more than this at once.
 */
#define HOT_BYTES	(1 << 16)

#define MESSAGE_MAX	(1 << 16)

const char *const rx_way_names[RX_NUM] = {
	[RX_PLAIN]		= "rx-plain",
	[RX_SSL30]		= "rx-ssl30",
	[RX_SSL35]		= "rx-ssl35",
	[RX_OFFLOAD]		= "rx-offload",
	[RX_SSL30_ONLY]		= "rx-ssl30-only",
	[RX_SSL35_ONLY]		= "rx-ssl35-only",
	[RX_KERNEL_AEAD]	= "rx-kernel-aead",
	[RX_KERNEL_LIBRARY]	= "rx-kernel-library",
	[RX_KERNEL_PLAIN]	= "rx-kernel-plain",
	[RX_KERNEL_ULP]		= "rx-kernel-ulp",
	[RX_KERNEL_OFFLOAD]	= "rx-kernel-offload",
};

static unsigned char buffer[MESSAGE_MAX] __attribute__((aligned(4096)));
static unsigned long control[(CMSG_SPACE(sizeof(int)) + BENCH_MAX_TRAIN *
			      sizeof(struct quic_rx_ancillary_data)) / 8 + 8];

/* Without a system call: one takes longer than what is timed. */
static double tick;

static unsigned long long ticks(void)
{
	return __builtin_ia32_rdtsc();
}

void receiver_init(void)
{
	double start = now_ns(), end;
	unsigned long long from = ticks();

	do {
		end = now_ns();
	} while (end < start + 5e7);
	tick = (end - start) / (ticks() - from);
}

void receiver_touch(void)
{
	memset(buffer, 1, sizeof(buffer));
	memset(control, 1, sizeof(control));
}

const unsigned char *receiver_bytes(void)
{
	return buffer;
}

static struct ssl *way_ssl(enum rx_way way)
{
	switch (way) {
	case RX_SSL30:
	case RX_SSL30_ONLY:
		return ssl30;
	case RX_SSL35:
	case RX_SSL35_ONLY:
		return ssl35;
	default:
		return NULL;
	}
}

static bool way_needs_ssl(enum rx_way way)
{
	return way == RX_SSL30 || way == RX_SSL35 || way == RX_SSL30_ONLY ||
	       way == RX_SSL35_ONLY;
}

static void set_train_flow(const struct receiver *r, unsigned char *train)
{
	unsigned int i, flow = random() % r->flows;
	const unsigned int wire = r->setting->wire;
	const unsigned char *tag = source + r->tags_at +
				   (size_t)flow * r->train * BENCH_TAG_LEN;
	__u32 dcid = htonl(flow);

	for (i = 0; i < r->train; i++, tag += BENCH_TAG_LEN) {
		memcpy(train + i * wire + 1, &dcid, sizeof(dcid));
		memcpy(train + (i + 1) * wire - BENCH_TAG_LEN, tag,
		       BENCH_TAG_LEN);
	}
}

static bool way_receives(enum rx_way way)
{
	return way != RX_SSL30_ONLY && way != RX_SSL35_ONLY &&
	       way != RX_KERNEL_AEAD && way != RX_KERNEL_LIBRARY;
}

/* The next train of the source */
static unsigned char *next_train(struct receiver *r)
{
	unsigned char *train = source + (size_t)r->packet * r->setting->wire;

	if (r->flows)
		set_train_flow(r, train);
	r->packet += r->train;
	if (r->packet >= r->ring)
		r->packet = 0;
	return train;
}

void receiver_fill(struct receiver *r, unsigned int messages)
{
	size_t len = (size_t)r->train * r->setting->wire;

	while (messages--)
		if (send(r->send_fd, next_train(r), len, 0) < 0)
			err(1, "sending what is received");
}

/* As a program does that looks at who has sent, and at all it is told; false
 * if there is nothing to be received.
 */
static bool receive_message(struct receiver *r, int flags)
{
	struct iovec iov = { .iov_base = buffer, .iov_len = sizeof(buffer) };
	size_t len = (size_t)r->train * r->setting->wire;
	struct sockaddr_storage from;
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = r->control_len,
	};
	ssize_t ret = recvmsg(r->fd, &msg, flags);

	if (ret < 0 && errno == EAGAIN && flags)
		return false;
	if (ret < 0)
		err(1, "receiving, %s", rx_way_names[r->way]);
	if (ret != len)
		errx(1, "%s: %zd bytes have come, not %zu",
		     rx_way_names[r->way], ret, len);
	if (r->way == RX_OFFLOAD)
		receiver_check_entries(r, control, r->train);
	if (r->key && !ssl_open(r->key, buffer, r->train, r->setting->wire))
		errx(1, "%s, %s: a packet is not authentic", rx_way_names[r->way],
		     r->setting->cipher->name);
	return true;
}

/* Nanoseconds */
static double run_here(struct receiver *r, unsigned int batches)
{
	unsigned long long sum = 0, start;
	unsigned int i;

	while (batches--) {
		receiver_fill(r, r->messages);
		start = ticks();
		for (i = 0; i < r->messages; i++)
			receive_message(r, 0);
		sum += ticks() - start;
	}
	return sum * tick;
}

/* The library finds the bytes in the cache, since they have just been copied. */
static double run_library(struct receiver *r, unsigned int batches)
{
	unsigned int i, messages = batches * r->messages;
	const unsigned int wire = r->setting->wire;
	unsigned long long sum = 0, start;

	for (i = 0; i < messages; i++) {
		memcpy(buffer, next_train(r), (size_t)r->train * wire);
		start = ticks();
		if (!ssl_open(r->key, buffer, r->train, wire))
			errx(1, "%s: a packet is not authentic",
			     rx_way_names[r->way]);
		sum += ticks() - start;
	}
	return sum * tick;
}

static int run_kernel(struct receiver *r, struct kbench_receive *loop)
{
	loop->fd = r->fd;
	loop->messages = r->messages;
	loop->wire = r->setting->wire;
	loop->train = r->train;
	loop->ring = r->ring;
	loop->packet = r->packet;
	loop->flows = r->flows;
	loop->tags_at = r->tags_at;
	loop->control_len = r->control_len;
	loop->seed = random();
	if (kernel_receive(loop))
		return -1;
	r->packet = loop->packet;
	/* What came of the control message: the header and three packets */
	if (r->way == RX_KERNEL_OFFLOAD && loop->received)
		receiver_check_entries(r, loop->control, r->train < 3 ? r->train : 3);
	return 0;
}

static double run_kernel_batches(struct receiver *r, unsigned int batches)
{
	struct kbench_receive loop = {
		.send_fd = r->send_fd,
		.batches = batches,
	};

	return run_kernel(r, &loop) ? -1 : loop.ns;
}

static double run_kernel_open(struct receiver *r, unsigned int batches)
{
	const struct cipher *cipher = r->setting->cipher;
	const unsigned int loops = batches * r->messages * r->train;
	struct kbench_loop loop = {
		.op = r->way == RX_KERNEL_AEAD ? KBENCH_OPEN :
						 KBENCH_OPEN_LIBRARY,
		.loops = loops,
		.wire = r->setting->wire,
		.stride = r->setting->wire,
		.train = 1,
		.ring = 1,
		.key_len = cipher->key_len,
		.hdr_len = BENCH_HDR_LEN,
	};

	strcpy(loop.alg, cipher->kernel);
	if (kernel_run(&loop))
		return -1;
	return (double)loop.ns * loops / loop.loops;
}

static double run_batches(struct receiver *r, unsigned int batches)
{
	switch (r->way) {
	case RX_SSL30_ONLY:
	case RX_SSL35_ONLY:
		return run_library(r, batches);
	case RX_KERNEL_AEAD:
	case RX_KERNEL_LIBRARY:
		return run_kernel_open(r, batches);
	default:
		return r->way < RX_KERNEL_AEAD ? run_here(r, batches) :
						 run_kernel_batches(r, batches);
	}
}

double receiver_run(struct receiver *r, unsigned int loops)
{
	unsigned int batches = (loops + r->messages - 1) / r->messages;

	if (r->renews)
		receiver_renew(r);
	if (r->messages < r->ring / r->train)
		run_batches(r, 1);
	return run_batches(r, batches) / batches / r->messages / r->train;
}

unsigned int receiver_drain(struct receiver *r)
{
	struct kbench_receive loop = { .send_fd = -1, .batches = 1 };
	unsigned int messages = 0;

	if (r->way < RX_KERNEL_AEAD) {
		while (receive_message(r, MSG_DONTWAIT))
			messages++;
		return messages;
	}
	if (run_kernel(r, &loop))
		err(1, "%s", rx_way_names[r->way]);
	return loop.received;
}

struct receiver *receiver_new(enum rx_way way, const struct setting *setting,
			      unsigned int train)
{
	const unsigned int len = train * setting->wire;
	struct receiver *r;

	if (way_needs_ssl(way) && !way_ssl(way))
		return NULL;

	r = calloc(1, sizeof(*r));
	r->way = way;
	r->setting = setting;
	r->train = train;
	r->status = QUIC_RX_DECRYPTED;
	r->control_len = CMSG_SPACE(sizeof(int));	/* UDP_GRO */
	r->messages = (HOT_BYTES + len / 2) / len;
	r->ring = sizeof(source) / len * train;
	if (setting->cold && way_receives(way))
		r->messages = r->ring / train;
	path_open(setting, train, &r->fd, &r->send_fd);
	receiver_set_up(r);
	if (way_ssl(way))
		r->key = ssl_key_new(way_ssl(way), setting->cipher, bench_key);

	/* Is there the module, and whatever else it takes? */
	if (way >= RX_KERNEL_AEAD && run_batches(r, 1) < 0) {
		receiver_free(r);
		return NULL;
	}
	return r;
}

void receiver_free(struct receiver *r)
{
	close(r->fd);
	close(r->send_fd);
	if (r->key)
		ssl_key_free(r->key);
	free(r);
}
