/* SPDX-License-Identifier: GPL-2.0-only */
/* QUIC packet protection in the UDP socket: what the module consists of. */

/**
 * DOC: locking
 *
 * A flow belongs to one socket.  The socket lock serialises whatever changes
 * the flow table or the keys of a flow.
 *
 * A sender takes no lock: it looks the flow up under RCU and leaves with a
 * reference on each of the flow's keys, which it holds while it copies and
 * encrypts, since both may sleep.  A flow that is deleted, or a key that is
 * retired meanwhile, protects the train in progress and nothing after it.
 *
 * A receiver takes neither lock nor reference: it looks flows up and opens
 * packets inside one RCU read side section, in a buffer of its own, and leaves
 * that to copy them to userspace.  So keys are freed after a grace period.
 * Receivers of one socket meet in atomic variables only, the flow's largest
 * packet number and the key's failures.
 *
 * What senders and receivers count, for a flow and for its socket, is atomic.
 * UDP_QUIC_FLOW_INFO holds the socket lock, so that flow and keys stay while it
 * reads.  A train counts for its flow through the key that it has a reference
 * on: that may be retired, and the flow gone.  inet_diag holds no lock of the
 * socket and may meet one that is being closed: it reads the socket's own
 * numbers, under RCU, and looks at no flow.
 */
#ifndef _NET_QUIC_H
#define _NET_QUIC_H

#include <net/netns/generic.h>
#include <net/snmp.h>
#include <net/sock.h>
#include <net/udp_ulp.h>

/* main.c */

extern struct udp_ulp_ops quic_ulp_ops;

/* sockopt.c */

int quic_ulp_setsockopt(struct sock *sk, int optname, sockptr_t optval,
			unsigned int optlen);
int quic_ulp_getsockopt(struct sock *sk, int optname, sockopt_t *opt);
int quic_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen);
int quic_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen);

/* info.c */

int quic_get_capabilities(sockopt_t *opt);
int quic_get_flow_info(struct sock *sk, sockopt_t *opt);
int quic_ulp_get_info(struct sock *sk, struct sk_buff *skb);

/* sendmsg.c */

int quic_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);

/* recvmsg.c */

int quic_recvmsg(struct sock *sk, struct msghdr *msg, size_t len, int flags);

/* proc.c */

enum {
	QUIC_MIB_CURR_TX_SW,
	QUIC_MIB_TX_SW,
	QUIC_MIB_TX_SW_ERROR,
	QUIC_MIB_TX_SW_PACKETS,
	QUIC_MIB_CURR_RX_SW,
	QUIC_MIB_RX_SW,
	QUIC_MIB_RX_SW_PACKETS,
	QUIC_MIB_RX_SW_BAD_TAG,
	QUIC_MIB_RX_SW_NO_KEY,
	QUIC_MIB_RX_SW_NO_FLOW,
	QUIC_MIB_RX_SW_LIMIT,
	QUIC_MIB_RX_SW_DROPPED,
	QUIC_MIB_TX_SW_ERROR_NO_FLOW,
	QUIC_MIB_TX_SW_ERROR_NO_KEY,
	QUIC_MIB_TX_SW_ERROR_PKT_NUM,
	QUIC_MIB_TX_SW_ERROR_KEY_LIMIT,
	QUIC_MIB_TX_SW_ERROR_MALFORMED,
	QUIC_MIB_TX_SW_ERROR_MEMORY,
	QUIC_MIB_TX_SW_ERROR_OTHER,
	QUIC_MIB_TX_SW_BYTES,
	QUIC_MIB_TX_SW_KEY_UPDATES,
	QUIC_MIB_RX_SW_BYTES,
	QUIC_MIB_RX_SW_KEY_UPDATES,
	QUIC_MIB_CURR_TX_DEVICE,
	QUIC_MIB_TX_DEVICE,
	QUIC_MIB_TX_DEVICE_FALLBACK,
	QUIC_MIB_TX_DEVICE_DROP,
	QUIC_MIB_NUM,
};

struct quic_mib {
	unsigned long	mibs[QUIC_MIB_NUM];
};

struct quic_net {
	DEFINE_SNMP_STAT(struct quic_mib, mib);
};

extern unsigned int quic_net_id;

static inline struct quic_net *quic_pernet(const struct net *net)
{
	return net_generic(net, quic_net_id);
}

#define QUIC_INC_STATS(net, field)	\
	SNMP_INC_STATS(quic_pernet(net)->mib, QUIC_MIB_##field)
#define QUIC_DEC_STATS(net, field)	\
	SNMP_DEC_STATS(quic_pernet(net)->mib, QUIC_MIB_##field)
#define QUIC_ADD_STATS(net, field, n)	\
	SNMP_ADD_STATS(quic_pernet(net)->mib, QUIC_MIB_##field, n)

#ifdef CONFIG_PROC_FS
int quic_proc_init(struct net *net);
void quic_proc_exit(struct net *net);
#else
static inline int quic_proc_init(struct net *net)
{
	return 0;
}

static inline void quic_proc_exit(struct net *net)
{
}
#endif

#endif /* _NET_QUIC_H */
