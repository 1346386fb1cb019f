/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What sendmsg() is told of a path in control messages: the address to send
 * from, the interface to send on, and the traffic class, with ECN in it.
 */
#ifndef QUIC_NGTCP2_CONTROL_H
#define QUIC_NGTCP2_CONTROL_H

#include <netinet/in.h>
#include <sys/socket.h>

#include <ngtcp2/ngtcp2.h>

/* struct in6_pktinfo, which needs _GNU_SOURCE, and an int */
struct quic_ngtcp2_control {
	union {
		char buf[CMSG_SPACE(sizeof(struct in6_addr) + sizeof(int)) +
			 CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	};
};

/**
 * quic_ngtcp2_control_set() - the control messages of a packet, and its
 * destination
 * @control: filled in
 * @msg: points to it, if there are any, and to the address in @path
 * @path: where the packet goes.  A local address that is a wildcard leaves the
 *	choice to the kernel.
 * @tclass: traffic class, or type of service; 0: the socket's
 * @ifindex: interface, 0: of the route
 *
 * The socket is one of the addresses' family; IPv4 is mapped on one for IPv6.
 */
void quic_ngtcp2_control_set(struct quic_ngtcp2_control *control,
			     struct msghdr *msg, const ngtcp2_path *path,
			     uint8_t tclass, unsigned int ifindex);

#endif /* QUIC_NGTCP2_CONTROL_H */
