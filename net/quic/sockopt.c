// SPDX-License-Identifier: GPL-2.0-only
/*
 * Socket options: flows come and go.
 */

#include <linux/net.h>
#include <linux/sizes.h>
#include <linux/sockptr.h>
#include <linux/uio.h>

#include "flow.h"
#include "quic.h"

/* No later version of the structures will be longer. */
#define QUIC_OPTLEN_MAX		SZ_4K

/* Read a structure of which userspace has at least the first @min bytes. */
static int quic_copy_info(void *info, size_t size, size_t min,
			  sockptr_t optval, unsigned int optlen)
{
	if (optlen < min)
		return -EINVAL;
	if (optlen > QUIC_OPTLEN_MAX)
		return -E2BIG;

	return copy_struct_from_sockptr(info, size, optval, optlen);
}

/* The structure that sending uses is what the other one starts with. */
static_assert(!offsetof(struct quic_rx_connection_info, conn));

static int quic_copy_connection(struct sock *sk, enum quic_dir dir,
				struct quic_rx_connection_info *info,
				sockptr_t optval, unsigned int optlen)
{
	size_t size = dir == QUIC_TX ? sizeof(info->conn) : sizeof(*info);
	int err;

	info->next_pkt_num = 0;
	err = quic_copy_info(info, size, size, optval, optlen);
	if (err)
		return err;

	if (info->next_pkt_num > QUIC_MAX_PKT_NUM + 1)
		return -ERANGE;

	return quic_match_normalize(sk, &info->conn.key);
}

/* The flow is complete before a socket without the ULP gets it, so that an
 * error leaves the socket as it was.
 */
static int quic_attach_with_flow(struct sock *sk, enum quic_dir dir,
				 const struct quic_rx_connection_info *info)
{
	struct quic_sock *qs;
	int err, ret;

	qs = quic_sock_alloc();
	if (!qs)
		return -ENOMEM;

	ret = quic_flow_add(qs, sock_net(sk), dir, &info->conn,
			    info->next_pkt_num);
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

static int quic_add_connection(struct sock *sk, enum quic_dir dir,
			       sockptr_t optval, unsigned int optlen)
{
	struct quic_rx_connection_info info;
	struct net *net = sock_net(sk);
	int ret;

	ret = quic_copy_connection(sk, dir, &info, optval, optlen);
	if (ret)
		goto out;

	sockopt_lock_sock(sk);
	if (!udp_has_ulp(sk))
		ret = quic_attach_with_flow(sk, dir, &info);
	else if (udp_sk(sk)->ulp_ops == &quic_ulp_ops)
		ret = quic_flow_add(quic_sock_locked(sk), net, dir, &info.conn,
				    info.next_pkt_num);
	else
		ret = -EEXIST;
	if (ret > 0 && dir == QUIC_TX)
		QUIC_INC_STATS(net, TX_SW);
	else if (ret > 0)
		QUIC_INC_STATS(net, RX_SW);
	sockopt_release_sock(sk);
out:
	memzero_explicit(&info, sizeof(info));
	return min(ret, 0);
}

/* Nothing is named, so nothing is missing if there are none. */
static int quic_del_all_connections(struct sock *sk, enum quic_dir dir)
{
	sockopt_lock_sock(sk);
	quic_flow_del_all(quic_sock_locked(sk), sock_net(sk), dir);
	sockopt_release_sock(sk);

	return 0;
}

static int quic_del_connection(struct sock *sk, enum quic_dir dir,
			       sockptr_t optval, unsigned int optlen)
{
	size_t min = offsetofend(struct quic_connection_info, key);
	struct quic_rx_connection_info info;
	int err;

	if (!optlen)
		return quic_del_all_connections(sk, dir);

	err = quic_copy_info(&info,
			     dir == QUIC_TX ? sizeof(info.conn) : sizeof(info),
			     min, optval, optlen);
	if (!err)
		err = quic_match_normalize(sk, &info.conn.key);
	if (err)
		goto out;

	sockopt_lock_sock(sk);
	err = quic_flow_del(quic_sock_locked(sk), sock_net(sk), dir,
			    &info.conn.key);
	sockopt_release_sock(sk);
out:
	/* The caller need not pass the keys, but may. */
	memzero_explicit(&info, sizeof(info));
	return err;
}

static int quic_set_rx_drop(struct sock *sk, sockptr_t optval,
			    unsigned int optlen)
{
	int val;

	if (optlen < sizeof(val))
		return -EINVAL;
	if (copy_from_sockptr(&val, optval, sizeof(val)))
		return -EFAULT;
	if (val != 0 && val != 1)
		return -EINVAL;

	sockopt_lock_sock(sk);
	quic_sock_set_rx_drop(quic_sock_locked(sk), val);
	sockopt_release_sock(sk);

	return 0;
}

static int quic_get_rx_drop(struct sock *sk, sockopt_t *opt)
{
	const struct quic_sock *qs = quic_sock_used(sk);
	int val = qs && READ_ONCE(qs->rx_drop);

	opt->optlen = min_t(unsigned int, opt->optlen, sizeof(val));
	if (!copy_to_iter_full(&val, opt->optlen, &opt->iter_out))
		return -EFAULT;

	return 0;
}

/**
 * quic_ulp_getsockopt - socket options of any UDP socket
 * @sk: UDP socket, with or without the ULP
 * @optname: UDP_QUIC_CAPABILITIES
 * @opt: receives struct quic_capabilities, or as much of it as there is room for
 *
 * Context: process context, may sleep; socket not locked.
 * Return: 0, -EFAULT or -ENOPROTOOPT.
 */
int quic_ulp_getsockopt(struct sock *sk, int optname, sockopt_t *opt)
{
	if (optname == UDP_QUIC_CAPABILITIES)
		return quic_get_capabilities(opt);

	return -ENOPROTOOPT;
}

/**
 * quic_ulp_setsockopt - socket options that attach the ULP by themselves
 * @sk: UDP socket, with or without the ULP
 * @optname: UDP_QUIC_ADD_TX_CONNECTION or UDP_QUIC_ADD_RX_CONNECTION
 * @optval: struct quic_connection_info or quic_rx_connection_info
 * @optlen: bytes at @optval
 *
 * Context: process context, may sleep; socket not locked.
 * Return: 0; or a negative errno, see Documentation/networking/quic.rst.
 */
int quic_ulp_setsockopt(struct sock *sk, int optname, sockptr_t optval,
			unsigned int optlen)
{
	switch (optname) {
	case UDP_QUIC_ADD_TX_CONNECTION:
		return quic_add_connection(sk, QUIC_TX, optval, optlen);
	case UDP_QUIC_ADD_RX_CONNECTION:
		return quic_add_connection(sk, QUIC_RX, optval, optlen);
	default:
		return -ENOPROTOOPT;
	}
}

static int quic_udp_setsockopt(struct sock *sk, int optname, sockptr_t optval,
			       unsigned int optlen)
{
	switch (optname) {
	case UDP_QUIC_DEL_TX_CONNECTION:
		return quic_del_connection(sk, QUIC_TX, optval, optlen);
	case UDP_QUIC_DEL_RX_CONNECTION:
		return quic_del_connection(sk, QUIC_RX, optval, optlen);
	case UDP_QUIC_RX_DROP:
		return quic_set_rx_drop(sk, optval, optlen);
	default:
		return quic_ulp_setsockopt(sk, optname, optval, optlen);
	}
}

/**
 * quic_setsockopt - setsockopt() of a socket with the ULP
 * @sk: UDP socket
 * @level: level of the option
 * @optname: the option
 * @optval: its value
 * @optlen: bytes at @optval
 *
 * Context: process context, may sleep; socket not locked.
 * Return: 0; or a negative errno, see Documentation/networking/quic.rst, or of
 * UDP.
 */
int quic_setsockopt(struct sock *sk, int level, int optname, sockptr_t optval,
		    unsigned int optlen)
{
	if (level == SOL_UDP && optname >= UDP_QUIC_ADD_TX_CONNECTION &&
	    optname <= UDP_QUIC_RX_DROP)
		return quic_udp_setsockopt(sk, optname, optval, optlen);

	return udp_ulp_base_prot(sk)->setsockopt(sk, level, optname, optval,
						 optlen);
}

static int quic_udp_getsockopt(struct sock *sk, int optname, sockopt_t *opt)
{
	if (optname == UDP_QUIC_FLOW_INFO)
		return quic_get_flow_info(sk, opt);

	return quic_get_rx_drop(sk, opt);
}

/**
 * quic_getsockopt - getsockopt() of a socket with the ULP
 * @sk: UDP socket
 * @level: level of the option
 * @optname: the option
 * @optval: receives its value
 * @optlen: bytes at @optval, receives how many were written
 *
 * Context: process context, may sleep; socket not locked.
 * Return: 0; -EINVAL if the length is negative, -EFAULT; for UDP_QUIC_FLOW_INFO
 * see Documentation/networking/quic.rst; or what UDP says.
 */
int quic_getsockopt(struct sock *sk, int level, int optname,
		    char __user *optval, int __user *optlen)
{
	sockopt_t opt;
	int err;

	if (level != SOL_UDP || (optname != UDP_QUIC_RX_DROP &&
				 optname != UDP_QUIC_FLOW_INFO))
		return udp_ulp_base_prot(sk)->getsockopt(sk, level, optname,
							 optval, optlen);

	err = sockopt_init_user(&opt, optval, optlen);
	if (!err)
		err = quic_udp_getsockopt(sk, optname, &opt);
	if (!err)
		err = put_user(opt.optlen, optlen);

	return err;
}
