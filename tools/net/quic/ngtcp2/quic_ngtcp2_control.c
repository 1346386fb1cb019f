// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What sendmsg() is told of a path in control messages */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "quic_ngtcp2_control.h"

static void add(struct msghdr *msg, int level, int type, const void *data,
		size_t len)
{
	struct cmsghdr *cmsg = (void *)((char *)msg->msg_control +
					msg->msg_controllen);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

static void add_source4(struct msghdr *msg, const struct sockaddr_in *local,
			unsigned int ifindex)
{
	struct in_pktinfo info = {
		.ipi_ifindex = ifindex,
		.ipi_spec_dst = local->sin_addr,
	};

	if (ifindex || local->sin_addr.s_addr != htonl(INADDR_ANY))
		add(msg, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
}

static bool is_any(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_UNSPECIFIED(addr) ||
	       (IN6_IS_ADDR_V4MAPPED(addr) && !addr->s6_addr32[3]);
}

/* An address that is a wildcard is the wildcard of its kind: "::" would be
 * refused with an IPv4 destination.
 */
static void add_source6(struct msghdr *msg, const struct sockaddr_in6 *local,
			unsigned int ifindex, bool mapped)
{
	struct in6_pktinfo info = {
		.ipi6_ifindex = ifindex,
		.ipi6_addr = local->sin6_addr,
	};

	if (IN6_IS_ADDR_LINKLOCAL(&local->sin6_addr) && !ifindex)
		info.ipi6_ifindex = local->sin6_scope_id;
	if (mapped && IN6_IS_ADDR_UNSPECIFIED(&local->sin6_addr))
		info.ipi6_addr.s6_addr16[5] = 0xffff;
	if (ifindex || !is_any(&local->sin6_addr))
		add(msg, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

void quic_ngtcp2_control_set(struct quic_ngtcp2_control *control,
			     struct msghdr *msg, const ngtcp2_path *path,
			     uint8_t tclass, unsigned int ifindex)
{
	const struct sockaddr_in6 *remote6 = (void *)path->remote.addr;
	bool v4 = path->remote.addr->sa_family == AF_INET;
	bool mapped = !v4 && IN6_IS_ADDR_V4MAPPED(&remote6->sin6_addr);
	const int value = tclass;

	memset(control, 0, sizeof(*control));
	msg->msg_name = path->remote.addr;
	msg->msg_namelen = path->remote.addrlen;
	msg->msg_control = control;
	msg->msg_controllen = 0;

	if (v4)
		add_source4(msg, (void *)path->local.addr, ifindex);
	else
		add_source6(msg, (void *)path->local.addr, ifindex, mapped);

	/* IPv4 looks at its own only, on an IPv6 socket too. */
	if (tclass && (v4 || mapped))
		add(msg, IPPROTO_IP, IP_TOS, &value, sizeof(value));
	else if (tclass)
		add(msg, IPPROTO_IPV6, IPV6_TCLASS, &value, sizeof(value));
	if (!msg->msg_controllen)
		msg->msg_control = NULL;
}
