// SPDX-License-Identifier: GPL-2.0
/* Random reads, each compared with what the model has predicted */

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include "fuzz_fail.h"
#include "fuzz_random.h"
#include "fuzz_rx_exec.h"
#include "fuzz_rx_gen.h"
#include "fuzz_rx_memory.h"
#include "fuzz_rx_model.h"
#include "fuzz_rx_option.h"

const struct fuzz_rx_read *fuzz_rx_current;
const struct fuzz_rx_want *fuzz_rx_wanted;

static struct fuzz_rx_read reads[FUZZ_RX_VLEN];
static struct fuzz_rx_want wants[FUZZ_RX_VLEN];
static struct fuzz_rx_memory memories[FUZZ_RX_VLEN];

void fuzz_rx_exec_open(void)
{
	fuzz_rx_memory_open();
}

static const char *name_of(long ret)
{
	return ret < 0 ? strerrorname_np(-ret) : "success";
}

static void expect(const char *what, long got, long want)
{
	if (got != want)
		fuzz_fail("%s: %ld (%s), expected %ld (%s)", what, got,
			  name_of(got), want, name_of(want));
}

static struct msghdr header_of(const struct fuzz_rx_read *read,
			       struct fuzz_rx_memory *memory)
{
	return (struct msghdr) {
		.msg_name = read->name_len ? &memory->name : NULL,
		.msg_namelen = read->name_len,
		.msg_iov = memory->iov,
		.msg_iovlen = memory->pieces,
		.msg_control = memory->control,
		.msg_controllen = read->control_len,
	};
}

static void check(unsigned int i, const struct msghdr *mh)
{
	const struct fuzz_rx_want *want = &wants[i];

	if (mh) {
		if (mh->msg_flags != want->flags)
			fuzz_fail("flags %#x, expected %#x", mh->msg_flags,
				  want->flags);
		if (mh->msg_controllen != want->control_len)
			fuzz_fail("%zu bytes of control messages, expected %zu",
				  mh->msg_controllen, want->control_len);
		if (reads[i].name_len && mh->msg_namelen != want->name_len)
			fuzz_fail("address of %u bytes, expected %zu",
				  mh->msg_namelen, want->name_len);
	}
	fuzz_rx_memory_check(&reads[i], &memories[i], want);
}

static void talk_about(unsigned int i)
{
	fuzz_rx_current = &reads[i];
	fuzz_rx_wanted = &wants[i];
}

static void read_one(void)
{
	struct fuzz_rx_memory *memory = &memories[0];
	struct fuzz_rx_want *want = &wants[0];
	struct fuzz_rx_read *read = &reads[0];
	int fd = read->rx->sock.fd;
	struct msghdr mh;
	long got = -1;

	talk_about(0);
	fuzz_rx_model_read(read, want);
	/* Nobody waits for what will not come. */
	if (want->ret == -EAGAIN) {
		read->flags |= MSG_DONTWAIT;
		if (read->call == FUZZ_RX_READ)
			read->call = FUZZ_RX_RECV;
	}
	fuzz_rx_memory_place(0, read, memory);
	mh = header_of(read, memory);
	switch (read->call) {
	case FUZZ_RX_RECVMSG:
		got = recvmsg(fd, &mh, read->flags);
		break;
	case FUZZ_RX_RECV:
		got = recv(fd, mh.msg_iov->iov_base, read->room, read->flags);
		break;
	default:
		got = readv(fd, mh.msg_iov, mh.msg_iovlen);
	}
	if (got < 0)
		got = -errno;
	expect("return value", got, want->ret);
	if (got >= 0)
		check(0, read->call == FUZZ_RX_RECVMSG ? &mh : NULL);
	if (want->blurred)
		fuzz_rx_option_forget(read->rx);
}

static unsigned int read_some(unsigned int n)
{
	struct mmsghdr headers[FUZZ_RX_VLEN];
	unsigned int i, there;
	int got;

	for (there = 0; there < n; there++) {
		talk_about(there);
		fuzz_rx_model_read(&reads[there], &wants[there]);
		if (wants[there].ret < 0)
			break;
	}
	for (i = 0; i < n; i++) {
		fuzz_rx_memory_place(i, &reads[i], &memories[i]);
		headers[i].msg_hdr = header_of(&reads[i], &memories[i]);
	}
	got = recvmmsg(reads[0].rx->sock.fd, headers, n, reads[0].flags, NULL);
	if (got < 0)
		got = -errno;
	expect("messages", got, there ? there : wants[0].ret);
	for (i = 0; i < there; i++) {
		talk_about(i);
		expect("length", headers[i].msg_len, wants[i].ret);
		check(i, &headers[i].msg_hdr);
	}
	return there + (there < n);
}

unsigned int fuzz_rx_exec(struct fuzz_rx_sock *rx)
{
	unsigned int i, n = 1, ret = 1;

	fuzz_rx_gen_read(rx, &reads[0]);
	if (reads[0].call == FUZZ_RX_RECVMMSG) {
		n = 1 + fuzz_below(FUZZ_RX_VLEN);
		for (i = 1; i < n; i++)
			fuzz_rx_gen_next(&reads[0], i, &reads[i]);
		ret = read_some(n);
	} else {
		read_one();
	}
	fuzz_rx_current = NULL;
	return ret;
}
