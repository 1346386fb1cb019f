// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded under a program that leaves packets to the kernel: at exit each
 * process says in the file QUIC_AGAIN how many trains did not leave because of EAGAIN,
 * and how many came after that with a packet number of theirs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/quic.h>
#include <linux/udp.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif
#define TAG_SIZE 16

static unsigned long again, reused;
static uint64_t unused;	/* the smallest number that no such train had */
static int report = -1;

/* How many packets, or 0 if none is for the kernel */
static uint64_t packets(struct msghdr *msg, uint64_t *number)
{
	struct quic_tx_ancillary_data encrypt;
	bool found = false;
	struct cmsghdr *cmsg;
	size_t len = 0, i;
	uint16_t segment = 0;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP)
			continue;
		if (cmsg->cmsg_type == UDP_SEGMENT)
			memcpy(&segment, CMSG_DATA(cmsg), sizeof(segment));
		if (cmsg->cmsg_type == UDP_QUIC_ENCRYPT) {
			memcpy(&encrypt, CMSG_DATA(cmsg), sizeof(encrypt));
			found = !encrypt.flags;
		}
	}
	if (!found)
		return 0;
	*number = encrypt.next_pkt_num;
	for (i = 0; i < msg->msg_iovlen; i++)
		len += msg->msg_iov[i].iov_len;
	return segment > TAG_SIZE ? (len - 1) / (segment - TAG_SIZE) + 1 : 1;
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	static typeof(&sendmsg) next;
	uint64_t number, count;
	ssize_t ret;

	if (!next)
		next = dlsym(RTLD_NEXT, "sendmsg");
	ret = next(fd, msg, flags);
	count = packets((struct msghdr *)msg, &number);
	if (!count)
		return ret;

	reused += number < unused;
	if (ret < 0 && errno == EAGAIN) {
		again++;
		unused = number + count;
		errno = EAGAIN;
	}
	return ret;
}

/* Before the program gives up its privileges, and its children have it too */
static void __attribute__((constructor)) begin(void)
{
	report = open(getenv("QUIC_AGAIN"), O_WRONLY | O_CREAT | O_APPEND, 0644);
}

static void __attribute__((destructor)) end(void)
{
	dprintf(report, "%lu again, %lu reused\n", again, reused);
}
