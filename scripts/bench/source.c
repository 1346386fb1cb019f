// SPDX-License-Identifier: GPL-2.0
/* The packets that everything is sent from, here and in the module. */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

unsigned char source[KBENCH_SOURCE];
static int kernel = -1;

void kernel_open(void)
{
	kernel = open("/dev/quic_bench", O_RDWR);
	if (kernel < 0)
		warn("nothing is measured in the kernel: /dev/quic_bench");
}

int kernel_run(struct kbench_loop *loop)
{
	return ioctl(kernel, KBENCH_RUN, loop);
}

int kernel_receive(struct kbench_receive *receive)
{
	return ioctl(kernel, KBENCH_RECEIVE, receive);
}

int kernel_setsockopt(struct kbench_setsockopt *option)
{
	return ioctl(kernel, KBENCH_SETSOCKOPT, option);
}

void source_write(unsigned int at, unsigned int len)
{
	ssize_t done;

	if (kernel < 0)
		return;
	for (; len; at += done, len -= done) {
		done = pwrite(kernel, source + at, len, at);
		if (done <= 0)
			err(1, "writing to /dev/quic_bench");
	}
}

void source_fill(unsigned int wire)
{
	unsigned int i, stride = wire - BENCH_TAG_LEN;

	for (i = 0; (i + 1) * stride <= sizeof(source); i++) {
		unsigned char *packet = source + i * stride;

		packet[0] = 0x40 | (BENCH_PN_LEN - 1);
		memset(packet + 1, 0, BENCH_DCID_LEN);
		packet[BENCH_HDR_LEN - 2] = i >> 8;
		packet[BENCH_HDR_LEN - 1] = i;
	}
	source_write(0, sizeof(source));
}

void source_set_flow(unsigned int base, unsigned int wire, unsigned int count,
		     unsigned int flow)
{
	unsigned int i, stride = wire - BENCH_TAG_LEN;
	__u32 dcid = htonl(flow);

	memmove(source + base, source, count * stride);
	for (i = 0; i < count; i++)
		memcpy(source + base + i * stride + 1, &dcid, sizeof(dcid));
	source_write(base, count * stride);
}
