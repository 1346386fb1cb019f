/* SPDX-License-Identifier: GPL-2.0-only */
/* The flows of a socket, and what they match. */
#ifndef _NET_QUIC_FLOW_H
#define _NET_QUIC_FLOW_H

#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/socket.h>
#include <linux/udp.h>
#include <net/sock.h>

#include "key.h"

/* match.c */

/* Which way the packets of a flow go */
enum quic_dir {
	QUIC_TX,
	QUIC_RX,
	QUIC_DIR_NUM,
};

/**
 * struct quic_peer - where a message goes, or comes from
 * @addr: IPv6 address, or IPv4 address in its IPv4-mapped form
 * @port: UDP port
 * @scope_id: interface of a link-local address, else 0
 */
struct quic_peer {
	struct in6_addr	addr;
	__be16		port;
	u32		scope_id;
};

/* How narrowly a flow matches, narrowest first */
enum quic_match {
	QUIC_MATCH_SCOPED,	/* address, port and interface */
	QUIC_MATCH_PEER,	/* address and port */
	QUIC_MATCH_ANY,
	QUIC_MATCH_NUM,
};

/* A connection ID stands at the end, what is before it is zero already. */
static inline void quic_match_set_dcid(struct quic_connection_info_key *key,
				       const u8 *dcid, unsigned int dcid_len)
{
	key->conn_id_length = dcid_len;
	memcpy(key->conn_id + sizeof(key->conn_id) - dcid_len, dcid, dcid_len);
}

int quic_match_normalize(const struct sock *sk,
			 struct quic_connection_info_key *key);
enum quic_match quic_match_kind(const struct quic_connection_info_key *key);
void quic_match_set(struct quic_connection_info_key *key,
		    const struct quic_peer *peer, enum quic_match kind);
void quic_match_describe(struct quic_connection_info_key *key,
			 const struct quic_peer *peer, const u8 *dcid,
			 unsigned int dcid_len);
int quic_match_dest(const struct sock *sk, const struct msghdr *msg,
		    struct quic_peer *dest);
void quic_match_source(const struct sk_buff *skb, struct quic_peer *source);

/* flow.c */

/**
 * struct quic_flow_key - what a flow is found by, compared as bytes
 * @conn: normalised
 * @dir: enum quic_dir
 */
struct quic_flow_key {
	struct quic_connection_info_key	conn;
	u32				dir;
};

/**
 * struct quic_flow - one direction of a registered connection
 * @node: entry in the socket's table
 * @key: what the flow matches
 * @keys: its newest two generations, by key phase
 * @list: entry in the socket's list
 * @next_pkt_num: largest packet number received, or sent with keys that are gone,
 *	plus one
 * @generation: the newest
 * @counts: what it has protected or opened
 * @ucounts: user that the flow is charged to
 * @rcu: senders and receivers find the flow under RCU
 */
struct quic_flow {
	struct rhash_head		node;
	struct quic_flow_key		key;
	struct quic_key __rcu		*keys[2];
	struct list_head		list;
	atomic64_t			next_pkt_num;
	u8				generation;
	struct quic_counts		*counts;
	struct ucounts			*ucounts;
	struct rcu_head			rcu;
};

int quic_flow_init(void);
void quic_flow_exit(void);
struct quic_flow *quic_flow_create(enum quic_dir dir,
				   const struct quic_connection_info *info);
void quic_flow_free(struct quic_flow *flow);
int quic_flow_update(struct quic_flow *flow,
		     const struct quic_connection_info *info);
void quic_flow_received(struct quic_flow *flow, u64 next_pkt_num);
void quic_flow_describe(const struct quic_flow *flow,
			struct quic_flow_info *info);
bool quic_flow_hold_keys(const struct quic_flow *flow,
			 struct quic_key *keys[2]);

/* table.c */

/**
 * struct quic_flows - what is known of a socket's flows of one direction
 * @list: the flows, to delete them all
 * @nr_kind: number of flows of each kind, so that nobody looks in vain
 * @nr_length: number of flows by bytes in their connection ID
 * @lengths: bit n is set while there are flows with IDs of n bytes
 */
struct quic_flows {
	struct list_head	list;
	unsigned int		nr_kind[QUIC_MATCH_NUM];
	unsigned int		nr_length[QUIC_MAX_CONNECTION_ID_SIZE + 1];
	u32			lengths;
};

/**
 * struct quic_totals - what a socket has done in one direction
 * @packets: packets that were protected or opened
 * @bytes: bytes in them, with tags
 * @errors: sends that failed, or packets that were not authentic
 */
struct quic_totals {
	atomic64_t	packets;
	atomic64_t	bytes;
	atomic64_t	errors;
};

/**
 * struct quic_sock - what a socket with the ULP has, udp_sk(sk)->ulp_data
 * @table: the socket's flows, by struct quic_flow_key
 * @flows: the flows of each direction
 * @rx: recvmsg() has something to do: there are receive flows, or @rx_drop
 * @rx_drop: UDP_QUIC_RX_DROP
 * @rcu: inet_diag finds it under RCU
 * @totals: for inet_diag, of each direction; senders and readers write to them,
 *	and only read what stands before
 * @device: packets of them that went to devices in plain text
 */
struct quic_sock {
	struct rhashtable	table;
	struct quic_flows	flows[QUIC_DIR_NUM];
	bool			rx;
	bool			rx_drop;
	struct rcu_head		rcu;
	struct quic_totals	totals[QUIC_DIR_NUM] ____cacheline_aligned_in_smp;
	atomic64_t		device;
};

/* The flows of a locked socket, NULL without the ULP. */
static inline struct quic_sock *quic_sock_locked(struct sock *sk)
{
	return rcu_dereference_protected(udp_sk(sk)->ulp_data,
					 lockdep_sock_is_held(sk));
}

/* The flows of a socket that a system call uses.  NULL for a moment on machines
 * that see sk_prot before ulp_data.
 */
static inline struct quic_sock *quic_sock_used(struct sock *sk)
{
	return rcu_dereference_raw(udp_sk(sk)->ulp_data);
}

struct quic_sock *quic_sock_alloc(void);
void quic_sock_free(struct quic_sock *qs, struct net *net);
void quic_sock_set_rx_drop(struct quic_sock *qs, bool drop);
int quic_flow_add(struct quic_sock *qs, struct net *net, enum quic_dir dir,
		  const struct quic_connection_info *info, u64 next_pkt_num);
int quic_flow_del(struct quic_sock *qs, struct net *net, enum quic_dir dir,
		  const struct quic_connection_info_key *conn);
void quic_flow_del_all(struct quic_sock *qs, struct net *net,
		       enum quic_dir dir);
int quic_flow_get_info(struct quic_sock *qs, enum quic_dir dir,
		       const struct quic_connection_info_key *conn,
		       struct quic_flow_info *info);
unsigned int quic_flow_count(const struct quic_sock *qs, enum quic_dir dir);
struct quic_flow *quic_flow_lookup(struct quic_sock *qs, enum quic_dir dir,
				   const struct quic_peer *peer,
				   const u8 *dcid, unsigned int dcid_len);
int quic_flow_get_keys(struct quic_sock *qs, const struct quic_peer *dest,
		       const u8 *dcid, unsigned int dcid_len,
		       struct quic_key *keys[2]);

#endif /* _NET_QUIC_FLOW_H */
