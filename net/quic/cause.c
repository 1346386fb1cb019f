// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why messages are not sent.
 */

#include <linux/errno.h>
#include <trace/events/udp_quic.h>

#include "quic.h"
#include "tx.h"

/* Which counter says why a message was not sent */
static unsigned int quic_tx_cause(int err, bool by_udp)
{
	if (err == -ENOBUFS || err == -ENOMEM)
		return QUIC_MIB_TX_SW_ERROR_MEMORY;
	if (by_udp)
		return QUIC_MIB_TX_SW_ERROR_OTHER;

	switch (err) {
	case -ENOENT:
		return QUIC_MIB_TX_SW_ERROR_NO_FLOW;
	case -ENOKEY:
		return QUIC_MIB_TX_SW_ERROR_NO_KEY;
	case -ERANGE:
		return QUIC_MIB_TX_SW_ERROR_PKT_NUM;
	case -EKEYEXPIRED:
		return QUIC_MIB_TX_SW_ERROR_KEY_LIMIT;
	case -EINVAL:
	case -EMSGSIZE:
		return QUIC_MIB_TX_SW_ERROR_MALFORMED;
	default:
		return QUIC_MIB_TX_SW_ERROR_OTHER;
	}
}

static const char *const quic_tx_cause_names[] = {
	[QUIC_MIB_TX_SW_ERROR_NO_FLOW]		= "no_flow",
	[QUIC_MIB_TX_SW_ERROR_NO_KEY]		= "no_key",
	[QUIC_MIB_TX_SW_ERROR_PKT_NUM]		= "pkt_num",
	[QUIC_MIB_TX_SW_ERROR_KEY_LIMIT]	= "key_limit",
	[QUIC_MIB_TX_SW_ERROR_MALFORMED]	= "malformed",
	[QUIC_MIB_TX_SW_ERROR_MEMORY]		= "memory",
	[QUIC_MIB_TX_SW_ERROR_OTHER]		= "other",
};

/**
 * quic_tx_refused - a message was not sent
 * @sk: socket
 * @train: what is known of it by now
 * @err: the error to return
 * @by_udp: it is UDP that did not send it
 */
void quic_tx_refused(struct sock *sk, const struct quic_train *train, int err,
		     bool by_udp)
{
	struct quic_mib __percpu *mib = quic_pernet(sock_net(sk))->mib;
	unsigned int cause = quic_tx_cause(err, by_udp);
	struct quic_sock *qs = quic_sock_used(sk);
	struct quic_connection_info_key conn;

	SNMP_INC_STATS(mib, QUIC_MIB_TX_SW_ERROR);
	SNMP_INC_STATS(mib, cause);
	if (qs)
		atomic64_inc(&qs->totals[QUIC_TX].errors);

	if (trace_udp_quic_send_refused_enabled()) {
		quic_match_describe(&conn, &train->dest, train->dcid,
				    train->dcid_len);
		trace_udp_quic_send_refused(&conn, quic_tx_cause_names[cause],
					    err);
	}
}
