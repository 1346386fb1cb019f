// SPDX-License-Identifier: GPL-2.0
/* Messages of netlink, for what ip(8) and libraries of Debian 12 do not know. */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "quic_netlink.h"

void quic_netlink_init(struct quic_netlink *msg, uint16_t type, uint16_t flags,
		       const void *head, size_t len)
{
	memset(msg, 0, sizeof(*msg));
	msg->nlh.nlmsg_len = NLMSG_SPACE(len);
	msg->nlh.nlmsg_type = type;
	msg->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(NLMSG_DATA(&msg->nlh), head, len);
}

struct nlattr *quic_netlink_put(struct quic_netlink *msg, uint16_t type,
				const void *data, size_t len)
{
	struct nlattr *attr = (void *)((uint8_t *)msg + msg->nlh.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((uint8_t *)attr + NLA_HDRLEN, data, len);
	msg->nlh.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(len);
	return attr;
}

struct nlattr *quic_netlink_nest(struct quic_netlink *msg, uint16_t type)
{
	return quic_netlink_put(msg, type | NLA_F_NESTED, NULL, 0);
}

void quic_netlink_nest_end(struct quic_netlink *msg, struct nlattr *attr)
{
	attr->nla_len = (uint8_t *)msg + msg->nlh.nlmsg_len - (uint8_t *)attr;
}

int quic_netlink_ask(int fd, struct quic_netlink *msg)
{
	const struct nlmsgerr *ack = NLMSG_DATA(&msg->nlh);

	if (send(fd, msg, msg->nlh.nlmsg_len, 0) < 0 ||
	    recv(fd, msg, sizeof(*msg), 0) < 0)
		return -1;
	if (msg->nlh.nlmsg_type != NLMSG_ERROR)
		return 0;
	errno = -ack->error;
	return errno ? -1 : 0;
}
