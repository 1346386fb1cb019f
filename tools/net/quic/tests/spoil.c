// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded under a program that uses the offload: spoils what it tells
 * the kernel, so that a test can see that its peer notices.
 *
 *	QUIC_SPOIL=key|iv|header_key	one bit of what is added
 *	QUIC_SPOIL=number		packet numbers, above the header's bytes
 *	QUIC_SPOIL=rx_key|rx_iv|rx_header_key	the same for receiving
 *	QUIC_SPOIL=rx_number|rx_generation	what the kernel says of packets
 *
 * Two more make that happen which is rare:
 *
 *	QUIC_SPOIL=late			a new generation is not added for
 *					receiving when it is for the first time
 *	QUIC_SPOIL=checksum		packets are sent without a checksum: what
 *					is damaged is received
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

static int add_rx(typeof(&setsockopt) next, int fd, const void *value,
		  socklen_t len)
{
	static uint8_t newest;
	struct quic_rx_connection_info info;

	if (len != sizeof(info))
		return next(fd, SOL_UDP, UDP_QUIC_ADD_RX_CONNECTION, value, len);
	memcpy(&info, value, sizeof(info));
	if (spoils("late") && info.conn.conn_payload_key_gen != newest) {
		newest = info.conn.conn_payload_key_gen;
		return 0;
	}
	info.conn.payload_key[7] ^= spoils("rx_key");
	info.conn.payload_iv[3] ^= spoils("rx_iv");
	info.conn.header_key[11] ^= spoils("rx_header_key");
	return next(fd, SOL_UDP, UDP_QUIC_ADD_RX_CONNECTION, &info, len);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	typeof(&setsockopt) next = dlsym(RTLD_NEXT, "setsockopt");
	struct quic_connection_info info;

	if (level == SOL_UDP && name == UDP_QUIC_ADD_RX_CONNECTION)
		return add_rx(next, fd, value, len);
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

ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	typeof(&recvmsg) next = dlsym(RTLD_NEXT, "recvmsg");
	ssize_t ret = next(fd, msg, flags);
	struct quic_rx_ancillary_data *entry;
	struct cmsghdr *cmsg;

	for (cmsg = ret < 0 ? NULL : CMSG_FIRSTHDR(msg); cmsg;
	     cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP ||
		    cmsg->cmsg_type != UDP_QUIC_DECRYPT)
			continue;
		for (entry = (void *)CMSG_DATA(cmsg);
		     (char *)entry < (char *)cmsg + cmsg->cmsg_len; entry++) {
			entry->pkt_num ^= spoils("rx_number");
			entry->key_gen ^= spoils("rx_generation");
		}
	}
	return ret;
}

/* Before anything is sent */
static void no_checksum(int fd)
{
	const int one = 1;

	if (spoils("checksum"))
		setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &one, sizeof(one));
}

int bind(int fd, const struct sockaddr *addr, socklen_t len)
{
	typeof(&bind) next = dlsym(RTLD_NEXT, "bind");

	no_checksum(fd);
	return next(fd, addr, len);
}
