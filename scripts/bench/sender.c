// SPDX-License-Identifier: GPL-2.0
/* A socket that sends trains from the source, in one of several ways. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/quic.h>
#include <linux/udp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Who sends without copying writes to a buffer again when the kernel has told
 * that it is done with it, and asks now and then.
 */
#define ZEROCOPY_BUFFERS	32
#define ZEROCOPY_REAP		16

/* Memory that a train takes at most */
#define MESSAGE_MAX		(1 << 16)

const char *const way_names[WAY_NUM] = {
	[WAY_PLAIN]		= "plain",
	[WAY_SSL30]		= "ssl30",
	[WAY_SSL35]		= "ssl35",
	[WAY_SSL35_ZEROCOPY]	= "ssl35-zerocopy",
	[WAY_OFFLOAD]		= "offload",
	[WAY_SSL30_ONLY]	= "ssl30-only",
	[WAY_SSL35_ONLY]	= "ssl35-only",
	[WAY_KERNEL_MEMCPY]	= "kernel-memcpy",
	[WAY_KERNEL_AEAD]	= "kernel-aead",
	[WAY_KERNEL_BARE]	= "kernel-bare",
	[WAY_KERNEL_LIBRARY]	= "kernel-library",
	[WAY_KERNEL_PLAIN]	= "kernel-plain",
	[WAY_KERNEL_OFFLOAD]	= "kernel-offload",
};

struct sender {
	enum way way;
	const struct setting *setting;
	unsigned int train;
	unsigned int base, ring;	/* of the source: begin and packets */
	unsigned int stride;		/* from packet to packet there */
	int fd;
	struct sockaddr_storage to;
	socklen_t to_len;
	unsigned long control[8];
	size_t control_len;
	size_t pkt_num_at;		/* in control, or 0 */
	struct ssl_key *key;

	unsigned int flow;		/* the one in use, unless: */
	unsigned int flows;
	bool random;

	unsigned int packet;		/* next in the ring */
	unsigned long long lap;
	unsigned int sent, reaped;	/* messages with MSG_ZEROCOPY */
};

static unsigned char buffers[ZEROCOPY_BUFFERS][MESSAGE_MAX]
	__attribute__((aligned(4096)));

double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct ssl *way_ssl(enum way way)
{
	switch (way) {
	case WAY_SSL30:
	case WAY_SSL30_ONLY:
		return ssl30;
	case WAY_SSL35:
	case WAY_SSL35_ZEROCOPY:
	case WAY_SSL35_ONLY:
		return ssl35;
	default:
		return NULL;
	}
}

static bool way_offloads(enum way way)
{
	return way == WAY_OFFLOAD || way == WAY_KERNEL_OFFLOAD;
}

static bool way_sends(enum way way)
{
	return way != WAY_SSL30_ONLY && way != WAY_SSL35_ONLY;
}

static void sender_set_target(struct sender *s)
{
	const struct target *target = s->setting->target;
	struct sockaddr_in6 *sin6 = (void *)&s->to;
	struct sockaddr_in *sin = (void *)&s->to;

	if (s->setting->ipv6) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(BENCH_PORT);
		inet_pton(AF_INET6, target->ipv6, &sin6->sin6_addr);
		s->to_len = sizeof(*sin6);
	} else {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(BENCH_PORT);
		inet_pton(AF_INET, target->ipv4, &sin->sin_addr);
		s->to_len = sizeof(*sin);
	}
}

static void *sender_add_control(struct sender *s, int type, size_t len)
{
	struct cmsghdr *cmsg = (void *)s->control + s->control_len;

	cmsg->cmsg_level = SOL_UDP;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	s->control_len += CMSG_SPACE(len);
	return CMSG_DATA(cmsg);
}

static void sender_set_control(struct sender *s)
{
	struct quic_tx_ancillary_data *data;
	__u16 *size;

	if (s->train > 1) {
		size = sender_add_control(s, UDP_SEGMENT, sizeof(*size));
		*size = s->setting->wire;
	}
	if (way_offloads(s->way)) {
		data = sender_add_control(s, UDP_QUIC_ENCRYPT, sizeof(*data));
		data->conn_id_length = BENCH_DCID_LEN;
		s->pkt_num_at = (void *)&data->next_pkt_num - (void *)s->control;
	}
}

/* All flows have the same keys: what they protect is no secret. */
void sender_flow_info(const struct sender *s, unsigned int flow,
		      struct quic_connection_info *info)
{
	const struct sockaddr_in6 *sin6 = (void *)&s->to;
	const struct sockaddr_in *sin = (void *)&s->to;
	struct quic_connection_info_key *key = &info->key;
	__u32 dcid = htonl(flow);

	memset(info, 0, sizeof(*info));
	info->cipher_type = s->setting->cipher->type;
	memcpy(info->payload_key, bench_key, sizeof(bench_key));
	memcpy(info->header_key, bench_header_key, sizeof(bench_header_key));
	memcpy(info->payload_iv, bench_iv, sizeof(bench_iv));
	memcpy(key->conn_id + sizeof(key->conn_id) - BENCH_DCID_LEN, &dcid,
	       sizeof(dcid));
	key->conn_id_length = BENCH_DCID_LEN;
	key->family = s->to.ss_family;
	key->udp_port = sin->sin_port;
	if (key->family == AF_INET6)
		key->addr.ipv6_addr = sin6->sin6_addr;
	else
		key->addr.ipv4_addr = sin->sin_addr;
}

static double sender_set_flows(struct sender *s, int name, unsigned int flows)
{
	struct kbench_setsockopt option = {
		.fd = s->fd,
		.name = name,
		.flows = flows,
		.flow_at = offsetof(struct quic_connection_info, key.conn_id) +
			   QUIC_MAX_CONNECTION_ID_SIZE - BENCH_DCID_LEN,
		.len = sizeof(struct quic_connection_info),
	};

	sender_flow_info(s, 0, (void *)option.value);
	if (kernel_setsockopt(&option))
		err(1, "setting %u flows", flows);
	return (double)option.ns / flows;
}

double sender_add_flows(struct sender *s, unsigned int flows)
{
	return sender_set_flows(s, UDP_QUIC_ADD_TX_CONNECTION, flows);
}

double sender_del_flows(struct sender *s, unsigned int flows)
{
	return sender_set_flows(s, UDP_QUIC_DEL_TX_CONNECTION, flows);
}

/* A key protects no more than 2^23 packets: take another one now and then. */
static void sender_renew_key(struct sender *s)
{
	struct quic_connection_info info;

	sender_flow_info(s, s->flow, &info);
	setsockopt(s->fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION, &info, sizeof(info));
	if (setsockopt(s->fd, SOL_UDP, UDP_QUIC_ADD_TX_CONNECTION, &info,
		       sizeof(info)))
		err(1, "UDP_QUIC_ADD_TX_CONNECTION");
}

void sender_set_way(struct sender *s, enum way way)
{
	s->way = way;
}

void sender_use_flows(struct sender *s, unsigned int flows, bool random)
{
	s->flows = flows;
	s->random = random;
}

void sender_use_flow(struct sender *s, unsigned int flow)
{
	s->flow = flow;
	s->base = flow * MESSAGE_MAX;
	source_set_flow(s->base, s->setting->wire, s->train, flow);
}

/* Wait until the kernel is done with all messages before number @until. */
static void sender_reap(struct sender *s, unsigned int until)
{
	while ((int)(until - s->reaped) > 0) {
		union { struct cmsghdr align; char bytes[128]; } control;
		struct msghdr msg = {
			.msg_control = &control,
			.msg_controllen = sizeof(control),
		};
		struct pollfd poll_error = { .fd = s->fd };
		struct sock_extended_err *error;
		struct cmsghdr *cmsg;

		if (recvmsg(s->fd, &msg, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
			if (errno != EAGAIN)
				err(1, "MSG_ERRQUEUE");
			poll(&poll_error, 1, -1);
			continue;
		}
		cmsg = CMSG_FIRSTHDR(&msg);
		if (!cmsg)
			errx(1, "MSG_ERRQUEUE without control message");
		error = (void *)CMSG_DATA(cmsg);
		if (error->ee_origin != SO_EE_ORIGIN_ZEROCOPY)
			errx(1, "error %d on the socket", error->ee_errno);
		s->reaped = error->ee_data + 1;
	}
}

static void sender_set_train_flow(struct sender *s, unsigned char *train)
{
	__u32 dcid = htonl(s->random ? random() % s->flows : 0);
	unsigned int i;

	for (i = 0; i < s->train; i++)
		memcpy(train + i * s->stride + 1, &dcid, sizeof(dcid));
}

static void sender_message(struct sender *s)
{
	struct iovec iov = {
		.iov_base = source + s->base + (size_t)s->packet * s->stride,
		.iov_len = (size_t)s->train * s->stride,
	};
	struct msghdr msg = {
		.msg_name = s->setting->connected ? NULL : &s->to,
		.msg_namelen = s->setting->connected ? 0 : s->to_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = s->control_len ? s->control : NULL,
		.msg_controllen = s->control_len,
	};
	unsigned long long pn = s->lap * BENCH_LAP + s->packet;
	bool zerocopy = s->way == WAY_SSL35_ZEROCOPY;

	if (s->flows)
		sender_set_train_flow(s, iov.iov_base);
	if (s->pkt_num_at)
		memcpy((void *)s->control + s->pkt_num_at, &pn, sizeof(pn));
	if (s->key) {
		unsigned char *buffer = buffers[s->sent % ZEROCOPY_BUFFERS];

		ssl_protect(s->key, buffer, iov.iov_base, s->train,
			    s->setting->wire, pn);
		iov.iov_base = buffer;
		iov.iov_len = (size_t)s->train * s->setting->wire;
	}

	if (way_sends(s->way) &&
	    sendmsg(s->fd, &msg, zerocopy ? MSG_ZEROCOPY : 0) < 0)
		err(1, "sending, %s", way_names[s->way]);

	if (zerocopy && ++s->sent % ZEROCOPY_REAP == 0)
		sender_reap(s, s->sent + ZEROCOPY_REAP - ZEROCOPY_BUFFERS);

	s->packet += s->train;
	if (s->packet >= s->ring) {
		s->packet = 0;
		s->lap++;
	}
}

static double sender_run_here(struct sender *s, unsigned int loops)
{
	double start = now_ns();

	while (loops--)
		sender_message(s);
	return now_ns() - start;
}

static double sender_run_kernel(struct sender *s, unsigned int loops)
{
	static const unsigned int ops[WAY_NUM] = {
		[WAY_KERNEL_MEMCPY]	= KBENCH_MEMCPY,
		[WAY_KERNEL_AEAD]	= KBENCH_AEAD,
		[WAY_KERNEL_BARE]	= KBENCH_BARE,
		[WAY_KERNEL_LIBRARY]	= KBENCH_LIBRARY,
		[WAY_KERNEL_PLAIN]	= KBENCH_SEND,
		[WAY_KERNEL_OFFLOAD]	= KBENCH_SEND,
	};
	const struct cipher *cipher = s->setting->cipher;
	struct kbench_loop loop = {
		.op = ops[s->way],
		.loops = loops,
		.wire = s->setting->wire,
		.stride = s->stride,
		.train = s->train,
		.base = s->base,
		.ring = s->ring,
		.key_len = cipher->key_len,
		.hdr_len = BENCH_HDR_LEN,
		.fd = s->fd,
		.name_len = s->setting->connected ? 0 : s->to_len,
		.control_len = s->control_len,
		.pkt_num_at = s->pkt_num_at,
		.flows = s->flows,
		.random = s->random,
		.lap = s->lap,
	};

	if (loop.op != KBENCH_SEND)
		loop.loops *= s->train;		/* they know packets only */
	strcpy(loop.alg, cipher->kernel);
	memcpy(loop.name, &s->to, s->to_len);
	memcpy(loop.control, s->control, sizeof(loop.control));
	if (kernel_run(&loop))
		return -1;
	/* The next one begins with the first packet again. */
	s->lap = loop.lap + 1;
	return loop.ns;
}

static double sender_run_loops(struct sender *s, unsigned int loops)
{
	return s->way < WAY_KERNEL_MEMCPY ? sender_run_here(s, loops) :
					    sender_run_kernel(s, loops);
}

/* Send until the device has the key. */
static void sender_give_key(struct sender *s)
{
	struct quic_connection_info conn;
	struct quic_flow_info info;
	socklen_t len;

	sender_flow_info(s, s->flow, &conn);
	do {
		if (sender_run_loops(s, 1) < 0)
			return;
		usleep(1000);
		len = sizeof(info);
		info.key = conn.key;
		info.direction = QUIC_CAP_TX;
		if (getsockopt(s->fd, SOL_UDP, UDP_QUIC_FLOW_INFO, &info, &len))
			err(1, "UDP_QUIC_FLOW_INFO");
	} while (!info.device_gens);
}

double sender_run(struct sender *s, unsigned int loops)
{
	if (way_offloads(s->way))
		sender_renew_key(s);
	if (way_offloads(s->way) && s->setting->target->protects)
		sender_give_key(s);
	sender_run_loops(s, 1);
	return sender_run_loops(s, loops) / loops / s->train;
}

/* Without a system call for each message: is there the module, and whatever
 * else it takes?
 */
static bool sender_works(struct sender *s)
{
	return s->way < WAY_KERNEL_MEMCPY || sender_run(s, 1) >= 0;
}

struct sender *sender_new(enum way way, const struct setting *setting,
			  unsigned int train)
{
	bool ssl = way_ssl(way);
	struct sender *s;
	const int one = 1;

	if (!ssl && (way == WAY_SSL30 || way == WAY_SSL35 ||
		     way == WAY_SSL35_ZEROCOPY || !way_sends(way)))
		return NULL;

	s = calloc(1, sizeof(*s));
	s->way = way;
	s->setting = setting;
	s->train = train;
	s->stride = setting->wire;
	if (way_offloads(way) || ssl)
		s->stride -= BENCH_TAG_LEN;
	s->ring = train;
	if (setting->cold)
		s->ring *= sizeof(source) / setting->wire / train;

	sender_set_target(s);
	sender_set_control(s);
	s->fd = socket(s->to.ss_family, SOCK_DGRAM, 0);
	if (s->fd < 0)
		err(1, "socket");
	if (setting->connected &&
	    connect(s->fd, (struct sockaddr *)&s->to, s->to_len))
		err(1, "connect");
	if (ssl)
		s->key = ssl_key_new(way_ssl(way), setting->cipher, bench_key);
	if (way == WAY_SSL35_ZEROCOPY &&
	    setsockopt(s->fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)))
		err(1, "SO_ZEROCOPY");

	if (!sender_works(s)) {
		sender_free(s);
		return NULL;
	}
	return s;
}

int sender_socket(const struct sender *s)
{
	return s->fd;
}

void sender_free(struct sender *s)
{
	close(s->fd);
	if (s->key)
		ssl_key_free(s->key);
	free(s);
}
