// SPDX-License-Identifier: GPL-2.0
/* Many flows at once, as a server needs them that is started again: what it costs to
 * add and to delete them, with a system call for each, and with io_uring's command for
 * socket options.
 */
#include <err.h>
#include <errno.h>
#include <linux/quic.h>
#include <linux/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bench.h"
#include "quic_uring.h"

#define FLOWS		10000
#define MAX_BATCH	256

static struct quic_connection_info infos[FLOWS];
static struct quic_uring ring;

/* What is asked of the kernel for each flow.  With the last one it gets as far as the
 * module's code, and no further.
 */
static const struct ask {
	const char *what;
	int option;
	unsigned int len;
	int error;
	double (*in_kernel)(struct sender *s, unsigned int flows);
} asks[] = {
	{ "add", UDP_QUIC_ADD_TX_CONNECTION, sizeof(*infos), 0, sender_add_flows },
	{ "delete", UDP_QUIC_DEL_TX_CONNECTION, sizeof(*infos), 0, sender_del_flows },
	{ "refuse", UDP_QUIC_ADD_TX_CONNECTION, 1, EINVAL },
};

static void expect(const struct ask *ask, unsigned int flow, int error)
{
	if (error != ask->error)
		errx(1, "flow %u, %s: %s", flow, ask->what, strerror(error));
}

static double by_setsockopt(struct sender *s, const struct ask *ask,
			    unsigned int batch)
{
	int fd = sender_socket(s), ret;
	double start = now_ns();
	unsigned int flow;

	for (flow = 0; flow < FLOWS; flow++) {
		ret = setsockopt(fd, SOL_UDP, ask->option, &infos[flow], ask->len);
		expect(ask, flow, ret ? errno : 0);
	}
	return (now_ns() - start) / FLOWS;
}

static void uring_queue(int fd, const struct ask *ask, unsigned int flow)
{
	struct io_uring_sqe *sqe;

	sqe = quic_uring_queue(&ring, IORING_OP_NOP, -1, NULL, 0, 0, flow);
	quic_uring_prep_cmd_sock(sqe, SOCKET_URING_OP_SETSOCKOPT, fd, SOL_UDP,
				 ask->option, &infos[flow], ask->len);
}

static double by_uring(struct sender *s, const struct ask *ask, unsigned int batch)
{
	unsigned int flow, end, which;
	double start = now_ns();
	int ret;

	for (flow = 0; flow < FLOWS; flow = end) {
		for (end = flow; end < FLOWS && end < flow + batch; end++)
			uring_queue(sender_socket(s), ask, end);
		if (quic_uring_enter(&ring, end - flow, end - flow) < 0)
			err(1, "io_uring_enter");
		for (; flow < end; flow++) {
			ret = quic_uring_result(&ring, &which);
			expect(ask, which, -ret);
		}
	}
	return (now_ns() - start) / FLOWS;
}

static double by_nothing(struct sender *s, const struct ask *ask, unsigned int batch)
{
	return ask->in_kernel ? ask->in_kernel(s, FLOWS) : 0;
}

static const struct way_to_ask {
	const char *name;
	double (*run)(struct sender *s, const struct ask *ask, unsigned int batch);
	unsigned int batch;
} ways[] = {
	{ "setsockopt", by_setsockopt },
	{ "uring-16", by_uring, 16 },
	{ "uring-64", by_uring, 64 },
	{ "uring-256", by_uring, MAX_BATCH },
	{ "kernel", by_nothing },
};

void many_run(const struct target *target, unsigned int rounds)
{
	static double ns[ARRAY_SIZE(ways)][ARRAY_SIZE(asks)][MAX_ROUNDS];
	const struct setting setting = {
		.target = target, .cipher = ciphers, .wire = 1452
	};
	struct sender *s = sender_new(WAY_KERNEL_OFFLOAD, &setting, 1);
	unsigned int round, way, ask, flow;

	if (!s)
		return;
	sender_del_flows(s, 1);
	for (flow = 0; flow < FLOWS; flow++)
		sender_flow_info(s, flow, &infos[flow]);
	if (quic_uring_open(&ring, MAX_BATCH))
		err(1, "io_uring");

	for (round = 0; round < rounds; round++)
		for (way = 0; way < ARRAY_SIZE(ways); way++)
			for (ask = 0; ask < ARRAY_SIZE(asks); ask++)
				ns[way][ask][round] =
					ways[way].run(s, &asks[ask],
						      ways[way].batch);

	for (way = 0; way < ARRAY_SIZE(ways); way++) {
		for (ask = 0; ask < ARRAY_SIZE(asks); ask++) {
			double *times = ns[way][ask];

			times_sort(times, rounds);
			if (*times)
				printf("many\t%s\t%s\t%.0f\t%.0f\n",
				       ways[way].name, asks[ask].what, *times,
				       times[rounds / 2]);
		}
	}
	fflush(stdout);
	quic_uring_close(&ring);
	sender_free(s);
}
