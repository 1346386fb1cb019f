// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a flow matches: address and port of the peer, and destination
 * connection ID.
 *
 * Keys in the flow table are normalised, so that what matches is equal as
 * bytes: every address stands in its IPv6 form.
 */

#include <linux/errno.h>
#include <linux/ip.h>
#include <linux/string.h>
#include <linux/udp.h>
#include <net/ipv6.h>

#include "flow.h"

static bool quic_needs_scope_id(const struct in6_addr *addr)
{
	return __ipv6_addr_needs_scope_id(__ipv6_addr_type(addr));
}

/**
 * quic_match_normalize - check a key from userspace and normalise it
 * @sk: socket that the flow is for
 * @key: key, changed in place
 *
 * Return: 0; -EINVAL if a field has a value that it can't have, a byte that is
 * not in use is not zero, or the socket can't have such a peer.
 */
int quic_match_normalize(const struct sock *sk,
			 struct quic_connection_info_key *key)
{
	struct in_addr ipv4;

	if (key->conn_id_length > sizeof(key->conn_id) ||
	    memchr_inv(key->conn_id, 0,
		       sizeof(key->conn_id) - key->conn_id_length) ||
	    key->__reserved1 || key->__reserved2)
		return -EINVAL;

	switch (key->family) {
	case AF_UNSPEC:
		if (key->udp_port || key->scope_id ||
		    memchr_inv(&key->addr, 0, sizeof(key->addr)))
			return -EINVAL;
		return 0;
	case AF_INET:
		ipv4 = key->addr.ipv4_addr;
		if (memchr_inv((u8 *)&key->addr + sizeof(ipv4), 0,
			       sizeof(key->addr) - sizeof(ipv4)))
			return -EINVAL;
		ipv6_addr_set_v4mapped(ipv4.s_addr, &key->addr.ipv6_addr);
		key->family = AF_INET6;
		break;
	case AF_INET6:
		break;
	default:
		return -EINVAL;
	}

	if (!key->udp_port)
		return -EINVAL;

	if (key->scope_id && !quic_needs_scope_id(&key->addr.ipv6_addr))
		return -EINVAL;

	if (sk->sk_family == AF_INET &&
	    !ipv6_addr_v4mapped(&key->addr.ipv6_addr))
		return -EINVAL;

	return 0;
}

/**
 * quic_match_kind - how narrowly does a flow match?
 * @key: its normalised key
 *
 * Return: the kind.
 */
enum quic_match quic_match_kind(const struct quic_connection_info_key *key)
{
	if (key->scope_id)
		return QUIC_MATCH_SCOPED;

	return key->family ? QUIC_MATCH_PEER : QUIC_MATCH_ANY;
}

/**
 * quic_match_set - the key that a flow for a peer has
 * @key: its connection ID is set, the rest is filled in
 * @peer: the peer
 * @kind: how narrowly the flow matches
 */
void quic_match_set(struct quic_connection_info_key *key,
		    const struct quic_peer *peer, enum quic_match kind)
{
	if (kind == QUIC_MATCH_ANY) {
		key->family = AF_UNSPEC;
		key->udp_port = 0;
		key->scope_id = 0;
		memset(&key->addr, 0, sizeof(key->addr));
		return;
	}

	key->family = AF_INET6;
	key->udp_port = peer->port;
	key->scope_id = kind == QUIC_MATCH_SCOPED ? peer->scope_id : 0;
	key->addr.ipv6_addr = peer->addr;
}

/**
 * quic_match_describe - what a packet shows of its flow
 * @key: is filled in
 * @peer: its peer, with port 0 if that is not known
 * @dcid: destination connection ID
 * @dcid_len: bytes in @dcid
 */
void quic_match_describe(struct quic_connection_info_key *key,
			 const struct quic_peer *peer, const u8 *dcid,
			 unsigned int dcid_len)
{
	memset(key, 0, sizeof(*key));
	quic_match_set_dcid(key, dcid, dcid_len);
	quic_match_set(key, peer, peer->port ? QUIC_MATCH_SCOPED :
					       QUIC_MATCH_ANY);
}

static int quic_match_sockaddr_in(const struct sockaddr_in *sin, int len,
				  struct quic_peer *dest)
{
	if (len < sizeof(*sin) || !sin->sin_port)
		return -EINVAL;

	ipv6_addr_set_v4mapped(sin->sin_addr.s_addr, &dest->addr);
	dest->port = sin->sin_port;
	return 0;
}

static int quic_match_sockaddr_in6(const struct sockaddr_in6 *sin6, int len,
				   struct quic_peer *dest)
{
	if (len < SIN6_LEN_RFC2133 || !sin6->sin6_port)
		return -EINVAL;

	dest->addr = sin6->sin6_addr;
	dest->port = sin6->sin6_port;
	if (len >= sizeof(*sin6) && quic_needs_scope_id(&dest->addr))
		dest->scope_id = sin6->sin6_scope_id;
	return 0;
}

static int quic_match_peer(const struct sock *sk, struct quic_peer *dest)
{
	if (READ_ONCE(sk->sk_state) != TCP_ESTABLISHED)
		return -EDESTADDRREQ;

#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		/* connect() may be changing it: what UDP reads is as good. */
		dest->addr = data_race(sk->sk_v6_daddr);
	else
#endif
		ipv6_addr_set_v4mapped(READ_ONCE(inet_sk(sk)->inet_daddr),
				       &dest->addr);
	dest->port = READ_ONCE(inet_sk(sk)->inet_dport);
	return 0;
}

/**
 * quic_match_dest - where is a message going?
 * @sk: socket that sends it
 * @msg: the message
 * @dest: is filled in
 *
 * Reads a destination as udp_sendmsg() and udpv6_sendmsg() do.
 *
 * Return: 0, or the error that those would return: -EINVAL, -EAFNOSUPPORT,
 * -EDESTADDRREQ.
 */
int quic_match_dest(const struct sock *sk, const struct msghdr *msg,
		    struct quic_peer *dest)
{
	bool ipv6 = sk->sk_family == AF_INET6;
	int min_len = ipv6 ? offsetofend(struct sockaddr, sa_family) :
			     sizeof(struct sockaddr_in);
	const struct sockaddr *sa = msg->msg_name;
	int err;

	dest->scope_id = 0;
	if (!sa) {
		err = quic_match_peer(sk, dest);
	} else if (msg->msg_namelen < min_len) {
		err = -EINVAL;
	} else if (ipv6) {
		if (sa->sa_family == AF_INET6)
			err = quic_match_sockaddr_in6(msg->msg_name,
						      msg->msg_namelen, dest);
		else if (sa->sa_family == AF_INET)
			err = quic_match_sockaddr_in(msg->msg_name,
						     msg->msg_namelen, dest);
		else if (sa->sa_family == AF_UNSPEC)
			err = quic_match_peer(sk, dest);
		else
			err = -EINVAL;
	} else {
		if (sa->sa_family == AF_INET || sa->sa_family == AF_UNSPEC)
			err = quic_match_sockaddr_in(msg->msg_name,
						     msg->msg_namelen, dest);
		else
			err = -EAFNOSUPPORT;
	}
	if (err)
		return err;

	/* As for plain UDP, the socket's interface is that of a link-local
	 * destination without one.
	 */
	if (!dest->scope_id && quic_needs_scope_id(&dest->addr))
		dest->scope_id = READ_ONCE(sk->sk_bound_dev_if);

	return 0;
}

/**
 * quic_match_source - where does a packet come from?
 * @skb: packet that a UDP socket has received
 * @source: is filled in
 *
 * Reads the source as udp_recvmsg() and udpv6_recvmsg() do.
 */
void quic_match_source(const struct sk_buff *skb, struct quic_peer *source)
{
	source->port = udp_hdr(skb)->source;
	source->scope_id = 0;

	if (skb->protocol == htons(ETH_P_IP)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &source->addr);
		return;
	}

	source->addr = ipv6_hdr(skb)->saddr;
#if IS_ENABLED(CONFIG_IPV6)
	source->scope_id = ipv6_iface_scope_id(&source->addr, inet6_iif(skb));
#endif
}
