// SPDX-License-Identifier: GPL-2.0
/* The model of control messages: what the kernel writes to the buffer */

#include <string.h>

#include "fuzz_dest.h"
#include "fuzz_rx_control.h"

#define HOPS	64		/* as packets are sent by default */

void fuzz_rx_control_start(struct fuzz_rx_want *want,
			   const struct fuzz_rx_read *read)
{
	want->nowhere = read->nowhere;
	want->control_room = read->control_len;
	want->control_len = 0;
	want->time_len = 0;
	memset(want->control, FUZZ_RX_UNWRITTEN, read->control_len);
}

void fuzz_rx_control_put(struct fuzz_rx_want *want, int level, int type,
			 const void *data, size_t len)
{
	size_t left = want->control_room - want->control_len;
	uint8_t *to = want->control + want->control_len;
	struct cmsghdr cmsg = { .cmsg_level = level, .cmsg_type = type };
	size_t all = CMSG_LEN(len);

	if (left < all) {
		want->flags |= MSG_CTRUNC;
		all = left;
	}
	if (want->nowhere == FUZZ_RX_NULL)
		want->flags |= MSG_CTRUNC;
	if (want->nowhere || left < sizeof(cmsg))
		return;
	cmsg.cmsg_len = all;
	memcpy(to, &cmsg, sizeof(cmsg));
	memcpy(to + sizeof(cmsg), data, all - sizeof(cmsg));
	want->control_len += left < CMSG_SPACE(len) ? left : CMSG_SPACE(len);
}

static void put_socket(struct fuzz_rx_want *want, const struct fuzz_rx_sock *rx,
		       const struct fuzz_rx_message *m)
{
	struct timespec unknown = {};

	if (rx->time) {
		want->time_at = want->control_len + CMSG_LEN(0);
		want->time_len = sizeof(unknown);
		fuzz_rx_control_put(want, SOL_SOCKET,
				    rx->time == FUZZ_RX_TIMEVAL ? SO_TIMESTAMP :
				    SO_TIMESTAMPNS, &unknown, sizeof(unknown));
	}
	if (rx->overflow && m->drops)
		fuzz_rx_control_put(want, SOL_SOCKET, SO_RXQ_OVFL,
				    &m->drops, sizeof(m->drops));
}

static void put_ipv4(struct fuzz_rx_want *want, const struct fuzz_rx_sock *rx,
		     const struct fuzz_rx_message *m)
{
	struct in_pktinfo info = { .ipi_ifindex = fuzz_lo };
	int ttl = HOPS;

	memcpy(&info.ipi_addr, &m->to.s6_addr[12], 4);
	info.ipi_spec_dst = info.ipi_addr;
	if (rx->pktinfo)
		fuzz_rx_control_put(want, SOL_IP, IP_PKTINFO, &info,
				    sizeof(info));
	if (rx->ttl)
		fuzz_rx_control_put(want, SOL_IP, IP_TTL, &ttl,
				    sizeof(ttl));
	if (rx->tos)
		fuzz_rx_control_put(want, SOL_IP, IP_TOS, &m->tos,
				    sizeof(m->tos));
}

static void put_ipv6(struct fuzz_rx_want *want, const struct fuzz_rx_sock *rx,
		     const struct fuzz_rx_message *m)
{
	int hops = HOPS, tclass = m->tos;

	if (rx->hoplimit)
		fuzz_rx_control_put(want, SOL_IPV6, IPV6_HOPLIMIT, &hops,
				    sizeof(hops));
	if (rx->tclass)
		fuzz_rx_control_put(want, SOL_IPV6, IPV6_TCLASS, &tclass,
				    sizeof(tclass));
}

void fuzz_rx_control_udp(struct fuzz_rx_want *want,
			 const struct fuzz_rx_sock *rx,
			 const struct fuzz_rx_message *m)
{
	struct in6_pktinfo info = { .ipi6_addr = m->to,
				    .ipi6_ifindex = fuzz_lo };
	int stride = m->stride;

	put_socket(want, rx, m);
	if (rx->gro && m->stride)
		fuzz_rx_control_put(want, SOL_UDP, UDP_GRO, &stride,
				    sizeof(stride));
	if (rx->pktinfo6)
		fuzz_rx_control_put(want, SOL_IPV6, IPV6_PKTINFO, &info,
				    sizeof(info));
	if (IN6_IS_ADDR_V4MAPPED(&m->from.addr))
		put_ipv4(want, rx, m);
	else
		put_ipv6(want, rx, m);
}
