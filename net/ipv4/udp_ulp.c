// SPDX-License-Identifier: GPL-2.0-only
/*
 * Upper layer protocols on UDP sockets, the counterpart of tcp_ulp.c.
 *
 * An upper layer protocol (ULP) stands between a UDP socket's system calls and
 * UDP: attaching one replaces the socket's struct proto by a copy in which the
 * protocol has overridden some operations.  It stays until the socket is
 * closed.
 */

/**
 * DOC: locking
 *
 * The socket lock serialises attaching.  The switch itself happens under
 * sk_callback_lock as well, the one lock that sk_psock_init() takes, so that
 * of a ULP and sockmap only one can have the socket.  Readers of sk_prot hold
 * no lock: they may still run an operation of plain UDP while the socket gets
 * its ULP, and on weakly ordered machines one of the ULP that does not see
 * ulp_data yet.
 *
 * inet_diag looks at sockets that it does not lock, under RCU: the protocol
 * keeps ulp_data for a grace period after @release, and its module is there
 * until udp_unregister_ulp() has waited for one.
 */

#include <linux/inet_diag.h>
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/spinlock.h>
#include <net/netlink.h>
#include <net/transp_v6.h>
#include <net/udp.h>
#include <net/udp_ulp.h>

static DEFINE_SPINLOCK(udp_ulp_list_lock);
static LIST_HEAD(udp_ulp_list);

static struct udp_ulp_ops *udp_ulp_find(const char *name)
{
	struct udp_ulp_ops *ulp;

	list_for_each_entry_rcu(ulp, &udp_ulp_list, list,
				lockdep_is_held(&udp_ulp_list_lock)) {
		if (!strcmp(ulp->name, name))
			return ulp;
	}

	return NULL;
}

static struct udp_ulp_ops *udp_ulp_get(const char *name)
{
	struct udp_ulp_ops *ulp;

	rcu_read_lock();
	ulp = udp_ulp_find(name);
	if (ulp && !try_module_get(ulp->owner))
		ulp = NULL;
	rcu_read_unlock();

	return ulp;
}

/* Returns the protocol with a reference on its module, or NULL.  Loading a
 * module takes the same privilege as for TCP.
 */
static struct udp_ulp_ops *udp_ulp_get_autoload(const char *name)
{
	struct udp_ulp_ops *ulp = udp_ulp_get(name);

	if (!ulp && IS_ENABLED(CONFIG_MODULES) && capable(CAP_NET_ADMIN)) {
		request_module("udp-ulp-%s", name);
		ulp = udp_ulp_get(name);
	}

	return ulp;
}

/**
 * udp_ulp_base_prot - the operations a socket has without a ULP
 * @sk: UDP socket
 *
 * Return: UDP's own struct proto for the socket's address family.
 */
struct proto *udp_ulp_base_prot(const struct sock *sk)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6)
		return &udpv6_prot;
#endif
	return &udp_prot;
}
EXPORT_SYMBOL_GPL(udp_ulp_base_prot);

/**
 * udp_register_ulp - make an upper layer protocol available
 * @ulp: the protocol; stays in use until udp_unregister_ulp()
 *
 * Context: process context, after UDP has been initialised.
 * Return: 0, or -EEXIST if there is a protocol of that name.
 */
int udp_register_ulp(struct udp_ulp_ops *ulp)
{
	int err = 0;

	ulp->prots[UDP_ULP_IPV4] = udp_prot;
	ulp->build_proto(&ulp->prots[UDP_ULP_IPV4]);
#if IS_ENABLED(CONFIG_IPV6)
	ulp->prots[UDP_ULP_IPV6] = udpv6_prot;
	ulp->build_proto(&ulp->prots[UDP_ULP_IPV6]);
#endif

	spin_lock(&udp_ulp_list_lock);
	if (udp_ulp_find(ulp->name))
		err = -EEXIST;
	else
		list_add_tail_rcu(&ulp->list, &udp_ulp_list);
	spin_unlock(&udp_ulp_list_lock);

	return err;
}
EXPORT_SYMBOL_GPL(udp_register_ulp);

/**
 * udp_unregister_ulp - take back udp_register_ulp()
 * @ulp: the protocol; no socket has it, since each would hold the module
 *
 * Context: process context, may sleep.
 */
void udp_unregister_ulp(struct udp_ulp_ops *ulp)
{
	spin_lock(&udp_ulp_list_lock);
	list_del_rcu(&ulp->list);
	spin_unlock(&udp_ulp_list_lock);

	/* For udp_ulp_get(), and for softirqs and others under RCU that have
	 * read sk_prot of a socket before it was closed.
	 */
	synchronize_rcu();
}
EXPORT_SYMBOL_GPL(udp_unregister_ulp);

/* Kernel users, tunnels and sockmap have put callbacks of their own on the
 * socket.  A reuseport group's BPF map marks its sk_user_data; it only steers
 * incoming packets and is welcome.
 */
static bool udp_sk_in_use(struct sock *sk)
{
	const struct udp_sock *up = udp_sk(sk);
	uintptr_t user_data = (uintptr_t)READ_ONCE(sk->sk_user_data);

	return sk->sk_kern_sock ||
	       sk->sk_prot != udp_ulp_base_prot(sk) ||
	       READ_ONCE(up->encap_type) || READ_ONCE(up->encap_rcv) ||
	       (user_data && !(user_data & SK_USER_DATA_BPF));
}

/**
 * udp_attach_ulp - give a UDP socket an upper layer protocol
 * @sk: socket, locked
 * @ulp: the protocol; the caller holds a reference on its module
 * @data: what the protocol finds in udp_sk(@sk)->ulp_data from now on
 *
 * Context: process context.
 * Return: 0; -EEXIST if the socket has a ULP, -EBUSY if something else has
 * replaced the socket's operations or callbacks.
 */
int udp_attach_ulp(struct sock *sk, struct udp_ulp_ops *ulp, void *data)
{
	struct udp_sock *up = udp_sk(sk);
	int err = -EEXIST;
	struct proto *prot;

	sock_owned_by_me(sk);

	prot = &ulp->prots[sk->sk_family == AF_INET6 ? UDP_ULP_IPV6 :
						       UDP_ULP_IPV4];

	write_lock_bh(&sk->sk_callback_lock);
	if (up->ulp_ops)
		goto unlock;

	err = -EBUSY;
	if (udp_sk_in_use(sk))
		goto unlock;

	err = 0;
	__module_get(ulp->owner);
	rcu_assign_pointer(up->ulp_data, data);
	WRITE_ONCE(up->ulp_ops, ulp);
	/* The operations come last: they look for ulp_data. */
	smp_store_release(&sk->sk_prot, prot);
unlock:
	write_unlock_bh(&sk->sk_callback_lock);
	return err;
}
EXPORT_SYMBOL_GPL(udp_attach_ulp);

/**
 * udp_set_ulp - setsockopt(UDP_ULP)
 * @sk: UDP socket
 * @optval: name of the protocol, with or without a terminating zero
 * @optlen: bytes at @optval
 *
 * Return: 0; -ENOENT if there is no such protocol, -EEXIST, -EBUSY as
 * udp_attach_ulp(), -EINVAL, -EFAULT, or what the protocol's init says.
 */
int udp_set_ulp(struct sock *sk, sockptr_t optval, unsigned int optlen)
{
	char name[UDP_ULP_NAME_MAX];
	struct udp_ulp_ops *ulp;
	long len;
	int err;

	if (!optlen)
		return -EINVAL;

	len = strncpy_from_sockptr(name, optval,
				   min_t(long, optlen, sizeof(name) - 1));
	if (len < 0)
		return -EFAULT;
	name[len] = 0;

	if (udp_has_ulp(sk))
		return -EEXIST;

	ulp = udp_ulp_get_autoload(name);
	if (!ulp)
		return -ENOENT;

	sockopt_lock_sock(sk);
	err = ulp->init(sk);
	sockopt_release_sock(sk);
	module_put(ulp->owner);

	return err;
}

/**
 * udp_get_ulp - getsockopt(UDP_ULP)
 * @sk: UDP socket
 * @opt: receives the name of the ULP; its length becomes 0 without one
 *
 * Return: 0 or -EFAULT.
 */
int udp_get_ulp(struct sock *sk, sockopt_t *opt)
{
	const struct udp_ulp_ops *ulp = READ_ONCE(udp_sk(sk)->ulp_ops);

	opt->optlen = ulp ? min_t(unsigned int, opt->optlen,
				  UDP_ULP_NAME_MAX) : 0;
	if (ulp && copy_to_iter(ulp->name, opt->optlen,
				&opt->iter_out) != opt->optlen)
		return -EFAULT;

	return 0;
}

/**
 * udp_ulp_setsockopt - hand a socket option to the ULP that it belongs to
 * @sk: UDP socket, with or without that ULP
 * @name: the ULP, loaded if need be
 * @optname: socket option
 * @optval: its value
 * @optlen: bytes at @optval
 *
 * Return: what the ULP says, or -ENOENT if it is not there.
 */
int udp_ulp_setsockopt(struct sock *sk, const char *name, int optname,
		       sockptr_t optval, unsigned int optlen)
{
	struct udp_ulp_ops *ulp;
	int err;

	ulp = udp_ulp_get_autoload(name);
	if (!ulp)
		return -ENOENT;

	err = ulp->setsockopt(sk, optname, optval, optlen);
	module_put(ulp->owner);

	return err;
}

/**
 * udp_ulp_getsockopt - have a ULP say what it can do
 * @sk: UDP socket, with or without that ULP, which it does not get
 * @name: the ULP, loaded if need be
 * @optname: socket option
 * @opt: receives its value and length
 *
 * Return: what the ULP says, or -ENOENT if it is not there.
 */
int udp_ulp_getsockopt(struct sock *sk, const char *name, int optname,
		       sockopt_t *opt)
{
	struct udp_ulp_ops *ulp;
	int err;

	ulp = udp_ulp_get_autoload(name);
	if (!ulp)
		return -ENOENT;

	err = ulp->getsockopt(sk, optname, opt);
	module_put(ulp->owner);

	return err;
}

/**
 * udp_ulp_get_info_size - room for udp_ulp_get_info()
 *
 * It is the same for all sockets: one may get its ULP at any moment.
 *
 * Return: bytes.
 */
size_t udp_ulp_get_info_size(void)
{
	return nla_total_size(0) +			/* INET_DIAG_ULP_INFO */
	       nla_total_size(UDP_ULP_NAME_MAX) +	/* INET_ULP_INFO_NAME */
	       UDP_ULP_INFO_SIZE;
}
EXPORT_SYMBOL_GPL(udp_ulp_get_info_size);

/**
 * udp_ulp_get_info - tell inet_diag about the ULP of a socket
 * @sk: UDP socket, with or without a ULP
 * @skb: netlink message, receives INET_DIAG_ULP_INFO if there is one
 *
 * Context: any; somebody else may be using or closing the socket.
 * Return: 0, or -EMSGSIZE.
 */
int udp_ulp_get_info(struct sock *sk, struct sk_buff *skb)
{
	const struct udp_ulp_ops *ulp;
	struct nlattr *nest;
	int err = 0;

	rcu_read_lock();
	ulp = READ_ONCE(udp_sk(sk)->ulp_ops);
	if (!ulp)
		goto unlock;

	err = -EMSGSIZE;
	nest = nla_nest_start_noflag(skb, INET_DIAG_ULP_INFO);
	if (!nest)
		goto unlock;

	err = nla_put_string(skb, INET_ULP_INFO_NAME, ulp->name);
	if (!err && ulp->get_info)
		err = ulp->get_info(sk, skb);
	if (err)
		nla_nest_cancel(skb, nest);
	else
		nla_nest_end(skb, nest);
unlock:
	rcu_read_unlock();
	return err;
}
EXPORT_SYMBOL_GPL(udp_ulp_get_info);

/**
 * udp_cleanup_ulp - release the ULP of a socket that is being closed
 * @sk: UDP socket
 *
 * Context: process context; no system call uses the socket any more.
 */
void udp_cleanup_ulp(struct sock *sk)
{
	struct udp_sock *up = udp_sk(sk);
	struct udp_ulp_ops *ulp = up->ulp_ops;

	if (!ulp)
		return;

	/* What is left of closing runs after the module may have gone. */
	WRITE_ONCE(sk->sk_prot, udp_ulp_base_prot(sk));
	ulp->release(sk);
	WRITE_ONCE(up->ulp_ops, NULL);
	module_put(ulp->owner);
}
