// SPDX-License-Identifier: GPL-2.0
/* What inet_diag tells of a UDP socket. */

#include <errno.h>
#include <string.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>

#include "quic_diag.h"

#define ANY_STATE	-1

int quic_diag_open(void)
{
	return socket(AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG);
}

static in_port_t port_of(const struct quic_addr *addr)
{
	return ((const struct sockaddr_in *)&addr->ss)->sin_port;
}

#define RTA_EACH(rta, first, len)					\
	for (rta = (struct rtattr *)(first); RTA_OK(rta, len);		\
	     rta = RTA_NEXT(rta, len))

static void parse_info(struct rtattr *nest, struct quic_diag *answer)
{
	int len = RTA_PAYLOAD(nest);
	struct rtattr *rta;
	unsigned int type;

	RTA_EACH(rta, RTA_DATA(nest), len) {
		type = rta->rta_type & NLA_TYPE_MASK;
		if (type == QUIC_INFO_PAD || type > QUIC_INFO_MAX)
			continue;
		answer->infos |= 1 << type;
		memcpy(&answer->info[type], RTA_DATA(rta), RTA_PAYLOAD(rta));
	}
}

static void parse_ulp(struct rtattr *nest, struct quic_diag *answer)
{
	int len = RTA_PAYLOAD(nest);
	struct rtattr *rta;

	answer->ulp = true;
	RTA_EACH(rta, RTA_DATA(nest), len) {
		if ((rta->rta_type & NLA_TYPE_MASK) == INET_ULP_INFO_NAME)
			strncpy(answer->name, RTA_DATA(rta),
				sizeof(answer->name) - 1);
		if ((rta->rta_type & NLA_TYPE_MASK) == INET_ULP_INFO_QUIC)
			parse_info(rta, answer);
	}
}

static void parse(struct nlmsghdr *nlh, in_port_t port, struct quic_diag *answer)
{
	struct inet_diag_msg *diag = NLMSG_DATA(nlh);
	int len = NLMSG_PAYLOAD(nlh, sizeof(*diag));
	struct rtattr *rta;

	if (diag->id.idiag_sport != port)
		return;
	memset(answer, 0, sizeof(*answer));
	answer->found = true;
	RTA_EACH(rta, diag + 1, len) {
		answer->attributes |= 1U << (rta->rta_type & NLA_TYPE_MASK);
		if ((rta->rta_type & NLA_TYPE_MASK) == INET_DIAG_ULP_INFO)
			parse_ulp(rta, answer);
	}
}

int quic_diag_ask(int nl, int family, const struct quic_addr *addr, bool one,
		  unsigned int ext, struct quic_diag *answer)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 req;
	} msg = {
		.nlh = {
			.nlmsg_len = sizeof(msg),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | (one ? 0 : NLM_F_DUMP),
		},
		.req = {
			.sdiag_family = family,
			.sdiag_protocol = IPPROTO_UDP,
			.idiag_ext = ext,
			.idiag_states = ANY_STATE,
			.id.idiag_cookie = {
				INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
		},
	};
	char buf[1 << 15] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;
	ssize_t len;

	memset(answer, 0, sizeof(*answer));
	if (one) {
		/* Source and destination are swapped, for historical reasons. */
		msg.req.id.idiag_dport = port_of(addr);
		if (family == AF_INET)
			memcpy(msg.req.id.idiag_dst,
			       &((struct sockaddr_in *)&addr->ss)->sin_addr, 4);
		else
			memcpy(msg.req.id.idiag_dst,
			       &((struct sockaddr_in6 *)&addr->ss)->sin6_addr,
			       16);
	}
	if (send(nl, &msg, sizeof(msg), 0) != sizeof(msg))
		return errno;
	for (;;) {
		len = recv(nl, buf, sizeof(buf), 0);
		if (len < 0)
			return errno;
		for (nlh = (struct nlmsghdr *)buf; NLMSG_OK(nlh, len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			parse(nlh, port_of(addr), answer);
			if (one)
				return 0;
		}
	}
}
