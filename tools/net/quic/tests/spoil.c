// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded under a program that uses the offload: spoils what it tells
 * the kernel, so that a test can see that its peer notices.
 *
 *	QUIC_SPOIL=key|iv|header_key	one bit of what is added
 *	QUIC_SPOIL=number		packet numbers, above the header's bytes
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/quic.h>
#include <linux/udp.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif

static bool spoils(const char *what)
{
	const char *wanted = getenv("QUIC_SPOIL");

	return wanted && !strcmp(wanted, what);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	typeof(&setsockopt) next = dlsym(RTLD_NEXT, "setsockopt");
	struct quic_connection_info info;

	if (level != SOL_UDP || name != UDP_QUIC_ADD_TX_CONNECTION ||
	    len != sizeof(info))
		return next(fd, level, name, value, len);

	memcpy(&info, value, sizeof(info));
	info.payload_key[7] ^= spoils("key");
	info.payload_iv[3] ^= spoils("iv");
	info.header_key[11] ^= spoils("header_key");
	return next(fd, level, name, &info, len);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	typeof(&sendmsg) next = dlsym(RTLD_NEXT, "sendmsg");
	struct quic_tx_ancillary_data *data;
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg;
	     cmsg = CMSG_NXTHDR((struct msghdr *)msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP ||
		    cmsg->cmsg_type != UDP_QUIC_ENCRYPT)
			continue;
		data = (void *)CMSG_DATA(cmsg);
		if (spoils("number"))
			data->next_pkt_num += 1ULL << 32;
	}
	return next(fd, msg, flags);
}
