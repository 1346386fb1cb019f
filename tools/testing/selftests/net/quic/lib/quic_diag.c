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

static void parse(struct nlmsghdr *nlh, struct quic_diag *answer)
{
	struct inet_diag_msg *diag = NLMSG_DATA(nlh);
	int len = NLMSG_PAYLOAD(nlh, sizeof(*diag));
	struct rtattr *rta;

	memset(answer, 0, sizeof(*answer));
	answer->found = true;
	RTA_EACH(rta, diag + 1, len) {
		answer->attributes |= 1U << (rta->rta_type & NLA_TYPE_MASK);
		if ((rta->rta_type & NLA_TYPE_MASK) == INET_DIAG_ULP_INFO)
			parse_ulp(rta, answer);
	}
}

static in_port_t source_port(struct nlmsghdr *nlh)
{
	return ((struct inet_diag_msg *)NLMSG_DATA(nlh))->id.idiag_sport;
}

struct request {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 req;
};

static struct request request(int family, unsigned int ext, bool one)
{
	return (struct request) {
		.nlh = {
			.nlmsg_len = sizeof(struct request),
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
}

/*
 * Hand each socket of the answer to @each, which says whether that is all.
 * Returns 0 or the errno.
 */
static int receive(int nl, size_t size,
		   bool (*each)(struct nlmsghdr *nlh, void *data), void *data)
{
	char buf[QUIC_DIAG_SIZE] __attribute__((aligned(NLMSG_ALIGNTO)));
	struct nlmsghdr *nlh;
	ssize_t len;

	for (;;) {
		len = recv(nl, buf, size, 0);
		if (len < 0)
			return errno;
		for (nlh = (struct nlmsghdr *)buf; NLMSG_OK(nlh, len);
		     nlh = NLMSG_NEXT(nlh, len)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return -((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			if (each(nlh, data))
				return 0;
		}
	}
}

struct question {
	in_port_t port;
	bool one;
	struct quic_diag *answer;
};

static bool is_answer(struct nlmsghdr *nlh, void *data)
{
	const struct question *question = data;

	if (source_port(nlh) == question->port)
		parse(nlh, question->answer);
	return question->one;
}

int quic_diag_ask(int nl, int family, const struct quic_addr *addr, bool one,
		  unsigned int ext, struct quic_diag *answer)
{
	struct question question = { port_of(addr), one, answer };
	struct request msg = request(family, ext, one);

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
	return receive(nl, QUIC_DIAG_SIZE, is_answer, &question);
}

struct search {
	const struct quic_addr *addrs;
	struct quic_diag *answers;
	unsigned int n;
	bool twice;
};

static bool search(struct nlmsghdr *nlh, void *data)
{
	struct search *search = data;
	unsigned int i;

	for (i = 0; i < search->n; i++)
		if (source_port(nlh) == port_of(&search->addrs[i])) {
			search->twice |= search->answers[i].found;
			parse(nlh, &search->answers[i]);
		}
	return false;
}

int quic_diag_dump(int nl, int family, unsigned int ext, size_t size,
		   const struct quic_addr *addrs, unsigned int n,
		   struct quic_diag *answers)
{
	struct search found = { addrs, answers, n };
	struct request msg = request(family, ext, false);
	int err;

	memset(answers, 0, n * sizeof(*answers));
	if (send(nl, &msg, sizeof(msg), 0) != sizeof(msg))
		return errno;
	err = receive(nl, size, search, &found);
	return err ? err : found.twice ? EEXIST : 0;
}
