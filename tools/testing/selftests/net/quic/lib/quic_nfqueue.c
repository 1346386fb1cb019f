// SPDX-License-Identifier: GPL-2.0
/* A queue of netfilter that a program answers, without its libraries. */

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>

#include "quic_netlink.h"
#include "quic_nfqueue.h"

#define QUEUE		0
#define MAX_MESSAGE	(1 << 17)

static void init(struct quic_netlink *msg, uint8_t type, uint16_t flags)
{
	struct nfgenmsg nfg = {
		.nfgen_family = AF_UNSPEC,
		.version = NFNETLINK_V0,
		.res_id = htons(QUEUE),
	};

	quic_netlink_init(msg, NFNL_SUBSYS_QUEUE << 8 | type, flags, &nfg,
			  sizeof(nfg));
}

static void put32(struct quic_netlink *msg, uint16_t type, uint32_t value)
{
	value = htonl(value);
	quic_netlink_put(msg, type, &value, sizeof(value));
}

int quic_nfqueue_open(bool whole)
{
	struct nfqnl_msg_config_cmd bind = { .command = NFQNL_CFG_CMD_BIND };
	struct nfqnl_msg_config_params params = {
		.copy_range = htonl(0xffff),
		.copy_mode = NFQNL_COPY_PACKET,
	};
	struct timeval patience = { .tv_sec = 10 };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
	struct quic_netlink msg;

	if (fd < 0)
		return -1;
	init(&msg, NFQNL_MSG_CONFIG, NLM_F_ACK);
	quic_netlink_put(&msg, NFQA_CFG_CMD, &bind, sizeof(bind));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) ||
	    quic_netlink_ask(fd, &msg))
		goto err_close;

	init(&msg, NFQNL_MSG_CONFIG, NLM_F_ACK);
	quic_netlink_put(&msg, NFQA_CFG_PARAMS, &params, sizeof(params));
	put32(&msg, NFQA_CFG_FLAGS, whole ? NFQA_CFG_F_GSO : 0);
	put32(&msg, NFQA_CFG_MASK, NFQA_CFG_F_GSO);
	if (!quic_netlink_ask(fd, &msg))
		return fd;

err_close:
	close(fd);
	return -1;
}

/* The identifier of a packet, in the order of the network; 0 without */
static uint32_t packet_id(const uint8_t *message, size_t len)
{
	size_t at = NLMSG_LENGTH(sizeof(struct nfgenmsg));
	const struct nfqnl_msg_packet_hdr *hdr;
	const struct nlattr *attr;

	for (; at + NLA_HDRLEN <= len; at += NLA_ALIGN(attr->nla_len)) {
		attr = (const void *)(message + at);
		if (attr->nla_len < NLA_HDRLEN)
			break;
		if ((attr->nla_type & NLA_TYPE_MASK) == NFQA_PACKET_HDR) {
			hdr = (const void *)(message + at + NLA_HDRLEN);
			return hdr->packet_id;
		}
	}
	return 0;
}

int quic_nfqueue_accept(int fd, unsigned int count, const void *text,
			size_t text_len)
{
	static uint8_t message[MAX_MESSAGE] __attribute__((aligned(4)));
	struct nfqnl_msg_verdict_hdr verdict = {
		.verdict = htonl(NF_ACCEPT),
	};
	struct quic_netlink msg;
	int with_text = 0;
	ssize_t len;

	for (; count; count--) {
		len = recv(fd, message, sizeof(message), 0);
		if (len < 0)
			return -1;
		with_text += !!memmem(message, len, text, text_len);
		verdict.id = packet_id(message, len);
		init(&msg, NFQNL_MSG_VERDICT, 0);
		quic_netlink_put(&msg, NFQA_VERDICT_HDR, &verdict,
				 sizeof(verdict));
		if (send(fd, &msg, msg.nlh.nlmsg_len, 0) < 0)
			return -1;
	}
	return with_text;
}
