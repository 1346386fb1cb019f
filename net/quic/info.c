// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the module tells: what it can do, what is known of a flow, and of a
 * socket.
 */

#include <linux/inet_diag.h>
#include <linux/net.h>
#include <linux/uio.h>
#include <net/netlink.h>

#include "flow.h"
#include "quic.h"

/* Callers that know less of a structure get what they know. */
static int quic_put_info(const void *info, size_t size, sockopt_t *opt)
{
	opt->optlen = min_t(unsigned int, opt->optlen, size);
	if (!copy_to_iter_full(info, opt->optlen, &opt->iter_out))
		return -EFAULT;

	return 0;
}

/**
 * quic_get_capabilities - UDP_QUIC_CAPABILITIES
 * @opt: receives struct quic_capabilities, or as much of it as there is room for
 *
 * Context: process context, may sleep.
 * Return: 0, or -EFAULT.
 */
int quic_get_capabilities(sockopt_t *opt)
{
	const struct quic_capabilities capabilities = {
		.ciphers		= quic_cipher_capabilities(),
		.directions		= QUIC_CAP_TX | QUIC_CAP_RX,
		.tx_connection_size	= sizeof(struct quic_connection_info),
		.rx_connection_size	= sizeof(struct quic_rx_connection_info),
		.tx_ancillary_size	= sizeof(struct quic_tx_ancillary_data),
		.rx_ancillary_size	= sizeof(struct quic_rx_ancillary_data),
		.max_conn_id_length	= QUIC_MAX_CONNECTION_ID_SIZE,
		.max_packets		= UDP_MAX_SEGMENTS,
	};

	return quic_put_info(&capabilities, sizeof(capabilities), opt);
}

/**
 * quic_get_flow_info - UDP_QUIC_FLOW_INFO
 * @sk: UDP socket with the ULP
 * @opt: has key and direction of a flow, receives struct quic_flow_info, or as
 *	much of it as there is room for
 *
 * Context: process context, may sleep; socket not locked.
 * Return: 0; -ENOENT if the socket has no such flow, -EINVAL, -EFAULT.
 */
int quic_get_flow_info(struct sock *sk, sockopt_t *opt)
{
	size_t asked = offsetofend(struct quic_flow_info, direction);
	struct quic_connection_info_key conn;
	struct quic_flow_info info = {};
	struct quic_sock *qs;
	enum quic_dir dir;
	int err;

	if (opt->optlen < asked)
		return -EINVAL;
	if (!copy_from_iter_full(&info, asked, &opt->iter_in))
		return -EFAULT;

	if (info.direction == QUIC_CAP_TX)
		dir = QUIC_TX;
	else if (info.direction == QUIC_CAP_RX)
		dir = QUIC_RX;
	else
		return -EINVAL;

	conn = info.key;
	err = quic_match_normalize(sk, &conn);
	if (err)
		return err;

	lock_sock(sk);
	qs = quic_sock_locked(sk);
	err = quic_flow_get_info(qs, dir, &conn, &info);
	release_sock(sk);

	return err ?: quic_put_info(&info, sizeof(info), opt);
}

static int quic_put_totals(struct sk_buff *skb, const struct quic_sock *qs,
			   enum quic_dir dir, int flows, int packets,
			   int bytes, int errors)
{
	const struct quic_totals *totals = &qs->totals[dir];

	if (nla_put_u32(skb, flows, quic_flow_count(qs, dir)) ||
	    nla_put_u64_64bit(skb, packets, atomic64_read(&totals->packets),
			      QUIC_INFO_PAD) ||
	    nla_put_u64_64bit(skb, bytes, atomic64_read(&totals->bytes),
			      QUIC_INFO_PAD) ||
	    nla_put_u64_64bit(skb, errors, atomic64_read(&totals->errors),
			      QUIC_INFO_PAD))
		return -EMSGSIZE;

	return 0;
}

/* INET_ULP_INFO_QUIC, two times a u32 and three u64, and one more */
static_assert(NLA_HDRLEN + 2 * (NLA_HDRLEN + sizeof(u32)) +
	      7 * (2 * NLA_HDRLEN + sizeof(u64)) <= UDP_ULP_INFO_SIZE);

/**
 * quic_ulp_get_info - tell inet_diag about a socket
 * @sk: UDP socket, may be being closed
 * @skb: netlink message, receives INET_ULP_INFO_QUIC
 *
 * Context: RCU read side.
 * Return: 0, or -EMSGSIZE.
 */
int quic_ulp_get_info(struct sock *sk, struct sk_buff *skb)
{
	const struct quic_sock *qs = rcu_dereference(udp_sk(sk)->ulp_data);
	struct nlattr *nest;

	if (!qs)
		return 0;

	nest = nla_nest_start_noflag(skb, INET_ULP_INFO_QUIC);
	if (!nest)
		return -EMSGSIZE;

	if (quic_put_totals(skb, qs, QUIC_TX, QUIC_INFO_TX_FLOWS,
			    QUIC_INFO_TX_PACKETS, QUIC_INFO_TX_BYTES,
			    QUIC_INFO_TX_ERRORS) ||
	    quic_put_totals(skb, qs, QUIC_RX, QUIC_INFO_RX_FLOWS,
			    QUIC_INFO_RX_PACKETS, QUIC_INFO_RX_BYTES,
			    QUIC_INFO_RX_ERRORS) ||
	    nla_put_u64_64bit(skb, QUIC_INFO_TX_DEVICE,
			      atomic64_read(&qs->device), QUIC_INFO_PAD)) {
		nla_nest_cancel(skb, nest);
		return -EMSGSIZE;
	}
	nla_nest_end(skb, nest);

	return 0;
}
