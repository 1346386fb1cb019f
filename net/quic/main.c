// SPDX-License-Identifier: GPL-2.0-only
/*
 * The "quic-crypto" upper layer protocol: attaching, module.
 */

#include <linux/module.h>
#include <net/net_namespace.h>

#include "flow.h"
#include "quic.h"

unsigned int quic_net_id __read_mostly;

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

static void quic_build_proto(struct proto *prot)
{
	prot->setsockopt = quic_setsockopt;
	prot->getsockopt = quic_getsockopt;
	prot->sendmsg = quic_sendmsg;
	prot->recvmsg = quic_recvmsg;
}

struct udp_ulp_ops quic_ulp_ops = {
	.name		= "quic-crypto",
	.owner		= THIS_MODULE,
	.build_proto	= quic_build_proto,
	.init		= quic_ulp_init,
	.release	= quic_ulp_release,
	.get_info	= quic_ulp_get_info,
	.getsockopt	= quic_ulp_getsockopt,
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
