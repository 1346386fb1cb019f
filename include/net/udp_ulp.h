/* SPDX-License-Identifier: GPL-2.0-only */
/* Upper layer protocols on UDP sockets, the counterpart of TCP's. */
#ifndef _NET_UDP_ULP_H
#define _NET_UDP_ULP_H

#include <linux/list.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/udp.h>
#include <net/sock.h>

struct module;
struct sk_buff;

#define UDP_ULP_NAME_MAX	16

/* Room that inet_diag keeps for what @get_info of struct udp_ulp_ops tells */
#define UDP_ULP_INFO_SIZE	256

enum {
	UDP_ULP_IPV4,
	UDP_ULP_IPV6,
	UDP_ULP_NUM_PROTS,
};

/**
 * struct udp_ulp_ops - an upper layer protocol for UDP sockets
 * @list: entry in the list of registered protocols.
 * @name: what setsockopt(UDP_ULP) selects it by.
 * @owner: module that each socket with the protocol holds a reference on.
 * @build_proto: override operations in its argument, a copy of UDP's own;
 *	called for each address family when the protocol is registered.
 * @init: prepare @sk and call udp_attach_ulp(); for setsockopt(UDP_ULP).
 *	Socket lock held, may sleep.
 * @release: undo @init, when @sk is closed.  UDP's own operations are back in
 *	place and no system call uses the socket any more.  May sleep.
 * @get_info: tell inet_diag about @sk in attributes below INET_DIAG_ULP_INFO, at
 *	most UDP_ULP_INFO_SIZE bytes.  RCU read side, while anybody else may use
 *	or close the socket; may not sleep.  Optional.
 * @getsockopt: handle a socket option that tells what the protocol can do, for
 *	any socket.  Socket lock not held.
 * @setsockopt: handle a socket option that attaches the protocol by itself,
 *	for sockets that do not have it yet.  Socket lock not held.
 * @prots: the operations that @build_proto made, one for each family.
 */
struct udp_ulp_ops {
	struct list_head list;
	char name[UDP_ULP_NAME_MAX];
	struct module *owner;

	void (*build_proto)(struct proto *prot);
	int (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	int (*get_info)(struct sock *sk, struct sk_buff *skb);
	int (*getsockopt)(struct sock *sk, int optname, sockopt_t *opt);
	int (*setsockopt)(struct sock *sk, int optname, sockptr_t optval,
			  unsigned int optlen);

	struct proto prots[UDP_ULP_NUM_PROTS];
};

#define MODULE_ALIAS_UDP_ULP(name)	MODULE_ALIAS("udp-ulp-" name)

int udp_register_ulp(struct udp_ulp_ops *ulp);
void udp_unregister_ulp(struct udp_ulp_ops *ulp);
int udp_attach_ulp(struct sock *sk, struct udp_ulp_ops *ulp, void *data);
struct proto *udp_ulp_base_prot(const struct sock *sk);

#if IS_ENABLED(CONFIG_UDP_ULP)

int udp_set_ulp(struct sock *sk, sockptr_t optval, unsigned int optlen);
int udp_get_ulp(struct sock *sk, sockopt_t *opt);
int udp_ulp_setsockopt(struct sock *sk, const char *name, int optname,
		       sockptr_t optval, unsigned int optlen);
int udp_ulp_getsockopt(struct sock *sk, const char *name, int optname,
		       sockopt_t *opt);
int udp_ulp_get_info(struct sock *sk, struct sk_buff *skb);
size_t udp_ulp_get_info_size(void);
void udp_cleanup_ulp(struct sock *sk);

static inline bool udp_has_ulp(const struct sock *sk)
{
	return READ_ONCE(udp_sk(sk)->ulp_ops);
}

#else

static inline int udp_set_ulp(struct sock *sk, sockptr_t optval,
			      unsigned int optlen)
{
	return -ENOPROTOOPT;
}

static inline int udp_get_ulp(struct sock *sk, sockopt_t *opt)
{
	return -ENOPROTOOPT;
}

static inline int udp_ulp_setsockopt(struct sock *sk, const char *name,
				     int optname, sockptr_t optval,
				     unsigned int optlen)
{
	return -ENOPROTOOPT;
}

static inline int udp_ulp_getsockopt(struct sock *sk, const char *name,
				     int optname, sockopt_t *opt)
{
	return -ENOPROTOOPT;
}

static inline int udp_ulp_get_info(struct sock *sk, struct sk_buff *skb)
{
	return 0;
}

static inline size_t udp_ulp_get_info_size(void)
{
	return 0;
}

static inline void udp_cleanup_ulp(struct sock *sk)
{
}

static inline bool udp_has_ulp(const struct sock *sk)
{
	return false;
}

#endif /* CONFIG_UDP_ULP */

#endif /* _NET_UDP_ULP_H */
