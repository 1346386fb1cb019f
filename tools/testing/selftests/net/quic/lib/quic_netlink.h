/* SPDX-License-Identifier: GPL-2.0 */
/* Messages of netlink, for what ip(8) and libraries of Debian 12 do not know. */
#ifndef QUIC_NETLINK_H
#define QUIC_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <linux/netlink.h>

struct quic_netlink {
	struct nlmsghdr nlh;
	uint8_t body[2048];
};

/* Begins a message: its @head stands before attributes. */
void quic_netlink_init(struct quic_netlink *msg, uint16_t type, uint16_t flags,
		       const void *head, size_t len);
struct nlattr *quic_netlink_put(struct quic_netlink *msg, uint16_t type,
				const void *data, size_t len);
/* What is put from now on until quic_netlink_nest_end() is inside. */
struct nlattr *quic_netlink_nest(struct quic_netlink *msg, uint16_t type);
void quic_netlink_nest_end(struct quic_netlink *msg, struct nlattr *attr);
/*
 * Sends the message: the answer, or without one the acknowledgment, comes back in
 * @msg.  Returns -1 with errno where the answer is an error.
 */
int quic_netlink_ask(int fd, struct quic_netlink *msg);

#endif /* QUIC_NETLINK_H */
