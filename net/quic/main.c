// SPDX-License-Identifier: GPL-2.0-only
/*
 * The "quic-crypto" upper layer protocol: attaching, socket options, module.
 */

#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/sockptr.h>
#include <net/net_namespace.h>
#include <net/udp_ulp.h>

#include "quic.h"

/* No later version of the structure will be longer. */
#define QUIC_OPTLEN_MAX		SZ_4K

unsigned int quic_net_id __read_mostly;

static struct udp_ulp_ops quic_ulp_ops;

/* The flows of a locked socket, NULL without the ULP. */
static struct quic_sock *quic_sock_locked(struct sock *sk)
{
	return rcu_dereference_protected(udp_sk(sk)->ulp_data,
					 lockdep_sock_is_held(sk));
}

static int quic_ulp_init(struct sock *sk)
{
	struct quic_sock *qs;
	int err;

	qs = quic_sock_alloc();
	if (!qs)
		return -ENOMEM;

	err = udp_attach_ulp(sk, &quic_ulp_ops, qs);
	if (err)
		quic_sock_free(qs, sock_net(sk));

	return err;
}

static void quic_ulp_release(struct sock *sk)
{
	/* Closing: there is no lock to hold against anybody. */
	struct quic_sock *qs = rcu_dereference_protected(udp_sk(sk)->ulp_data,
							 true);

	RCU_INIT_POINTER(udp_sk(sk)->ulp_data, NULL);
	quic_sock_free(qs, sock_net(sk));
}

/* Read a structure of which userspace has at least the first @min bytes. */
static int quic_copy_info(struct quic_connection_info *info, size_t min,
			  sockptr_t optval, unsigned int optlen)
{
	if (optlen < min)
		return -EINVAL;
	if (optlen > QUIC_OPTLEN_MAX)
		return -E2BIG;

	return copy_struct_from_sockptr(info, sizeof(*info), optval, optlen);
}

/* The flow is complete before a socket without the ULP gets it, so that an
 * error leaves the socket as it was.
 */
static int quic_attach_with_flow(struct sock *sk,
				 const struct quic_connection_info *info)
{
	struct quic_sock *qs;
	int err, ret;

	qs = quic_sock_alloc();
	if (!qs)
		return -ENOMEM;

	ret = quic_flow_add(qs, sock_net(sk), info);
	if (ret < 0)
		goto err_free;

	err = udp_attach_ulp(sk, &quic_ulp_ops, qs);
	if (err) {
		ret = err;
		goto err_free;
	}

	return ret;

err_free:
	quic_sock_free(qs, sock_net(sk));
	return ret;
}

static int quic_add_tx_connection(struct sock *sk, sockptr_t optval,
				  unsigned int optlen)
{
	struct quic_connection_info info;
	int ret;

	ret = quic_copy_info(&info, sizeof(info), optval, optlen);
	if (!ret)
		ret = quic_match_normalize(sk, &info.key);
	if (ret)
		goto out;

	sockopt_lock_sock(sk);
	if (!udp_has_ulp(sk))
		ret = quic_attach_with_flow(sk, &info);
	else if (udp_sk(sk)->ulp_ops == &quic_ulp_ops)
		ret = quic_flow_add(quic_sock_locked(sk), sock_net(sk), &info);
	else
		ret = -EEXIST;
	if (ret > 0)
		QUIC_INC_STATS(sock_net(sk), TX_SW);
	sockopt_release_sock(sk);
out:
	memzero_explicit(&info, sizeof(info));
	return min(ret, 0);
}

/* Nothing is named, so nothing is missing if there are none. */
static int quic_del_all_tx_connections(struct sock *sk)
{
	sockopt_lock_sock(sk);
	quic_flow_del_all(quic_sock_locked(sk), sock_net(sk));
	sockopt_release_sock(sk);

	return 0;
}

static int quic_del_tx_connection(struct sock *sk, sockptr_t optval,
				  unsigned int optlen)
{
	struct quic_connection_info info;
	int err;

	if (!optlen)
		return quic_del_all_tx_connections(sk);

	err = quic_copy_info(&info, offsetofend(struct quic_connection_info,
						key), optval, optlen);
	if (!err)
		err = quic_match_normalize(sk, &info.key);
	if (err)
		goto out;

	sockopt_lock_sock(sk);
	err = quic_flow_del(quic_sock_locked(sk), sock_net(sk), &info.key);
	sockopt_release_sock(sk);
out:
	/* The caller need not pass the keys, but may. */
	memzero_explicit(&info, sizeof(info));
	return err;
}

static int quic_ulp_setsockopt(struct sock *sk, int optname, sockptr_t optval,
			       unsigned int optlen)
{
	if (optname != UDP_QUIC_ADD_TX_CONNECTION)
		return -ENOPROTOOPT;

	return quic_add_tx_connection(sk, optval, optlen);
}

static int quic_setsockopt(struct sock *sk, int level, int optname,
			   sockptr_t optval, unsigned int optlen)
{
	if (level == SOL_UDP && optname == UDP_QUIC_ADD_TX_CONNECTION)
		return quic_add_tx_connection(sk, optval, optlen);
	if (level == SOL_UDP && optname == UDP_QUIC_DEL_TX_CONNECTION)
		return quic_del_tx_connection(sk, optval, optlen);

	return udp_ulp_base_prot(sk)->setsockopt(sk, level, optname, optval,
						 optlen);
}

static void quic_build_proto(struct proto *prot)
{
	prot->setsockopt = quic_setsockopt;
	prot->sendmsg = quic_sendmsg;
}

static struct udp_ulp_ops quic_ulp_ops = {
	.name		= "quic-crypto",
	.owner		= THIS_MODULE,
	.build_proto	= quic_build_proto,
	.init		= quic_ulp_init,
	.release	= quic_ulp_release,
	.setsockopt	= quic_ulp_setsockopt,
};

static int __net_init quic_net_init(struct net *net)
{
	struct quic_net *qn = quic_pernet(net);
	int err;

	qn->mib = alloc_percpu(struct quic_mib);
	if (!qn->mib)
		return -ENOMEM;

	err = quic_proc_init(net);
	if (err)
		free_percpu(qn->mib);

	return err;
}

static void __net_exit quic_net_exit(struct net *net)
{
	quic_proc_exit(net);
	free_percpu(quic_pernet(net)->mib);
}

static struct pernet_operations quic_net_ops = {
	.init	= quic_net_init,
	.exit	= quic_net_exit,
	.id	= &quic_net_id,
	.size	= sizeof(struct quic_net),
};

static int __init quic_init(void)
{
	int err;

	err = quic_key_init();
	if (err)
		return err;

	err = quic_flow_init();
	if (err)
		goto err_key_exit;

	err = register_pernet_subsys(&quic_net_ops);
	if (err)
		goto err_flow_exit;

	err = udp_register_ulp(&quic_ulp_ops);
	if (err)
		goto err_unregister_pernet;

	return 0;

err_unregister_pernet:
	unregister_pernet_subsys(&quic_net_ops);
err_flow_exit:
	quic_flow_exit();
err_key_exit:
	quic_key_exit();
	return err;
}

static void __exit quic_exit(void)
{
	udp_unregister_ulp(&quic_ulp_ops);
	unregister_pernet_subsys(&quic_net_ops);
	quic_flow_exit();
	quic_key_exit();
}

/* Built in, it comes after UDP for IPv6. */
late_initcall(quic_init);
module_exit(quic_exit);

MODULE_DESCRIPTION("QUIC packet protection for UDP sockets");
MODULE_LICENSE("GPL");
MODULE_ALIAS_UDP_ULP("quic-crypto");
