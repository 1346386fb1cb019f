// SPDX-License-Identifier: GPL-2.0 OR MIT
/* UDP sockets */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "h3_socket.h"
#include "quic_ngtcp2_control.h"

#define SOCKET_BUFFER	(4 << 20)

static void notice(void *arg, const char *text)
{
	static bool told;

	if (!told)
		fprintf(stderr, "%s\n", text);
	told = true;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static int configure(int fd, int family, bool gro)
{
	set_option(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	set_option(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	set_option(fd, IPPROTO_UDP, UDP_GRO, gro);
	if (family == AF_INET &&
	    set_option(fd, IPPROTO_IP, IP_PKTINFO, 1))
		return -1;
	if (family == AF_INET6 &&
	    (set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) ||
	     set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) ||
	     set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) ||
	     set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
			IPV6_PMTUDISC_DO)))
		return -1;
	/* An IPv6 socket has these too, for mapped addresses. */
	return set_option(fd, IPPROTO_IP, IP_RECVTOS, 1) ||
	       set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
}

struct h3_socket *h3_socket_open(struct h3_socket **list,
				 const struct h3_options *options,
				 const struct sockaddr *local,
				 const struct sockaddr *remote, socklen_t len)
{
	const struct sockaddr *addr = local ?: remote;
	struct h3_socket *sock = calloc(1, sizeof(*sock));

	if (!sock)
		return NULL;
	sock->local_len = sizeof(sock->local);
	sock->fd = socket(addr->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock->fd < 0 || configure(sock->fd, addr->sa_family, !options->no_gro) ||
	    (local ? bind(sock->fd, local, len) :
		     connect(sock->fd, remote, len)) ||
	    getsockname(sock->fd, (struct sockaddr *)&sock->local,
			&sock->local_len))
		goto err;
	sock->offload = quic_offload_socket_new(sock->fd,
				options->no_offload_tx && options->no_offload_rx ?
				NULL : notice, NULL);
	if (!sock->offload)
		goto err;
	sock->offloaded = quic_offload_socket_enable(sock->offload,
						     !options->no_offload_tx);
	quic_offload_socket_enable_rx(sock->offload, !options->no_offload_rx);
	quic_offload_socket_set_gso(sock->offload, !options->no_gso);
	sock->options = options;
	sock->next = *list;
	*list = sock;
	return sock;
err:
	perror("socket");
	if (sock->fd >= 0)
		close(sock->fd);
	free(sock);
	return NULL;
}

void h3_socket_path(const struct h3_socket *sock, struct sockaddr *remote,
		    socklen_t len, ngtcp2_path *path)
{
	*path = (ngtcp2_path) {
		.local = { (struct sockaddr *)&sock->local, sock->local_len },
		.remote = { remote, len },
		.user_data = sock->offload,
	};
}

void h3_socket_close(struct h3_socket *sock)
{
	quic_offload_socket_free(sock->offload);
	close(sock->fd);
	free(sock);
}

/* What is received has in control messages. */
struct received {
	struct sockaddr_storage local;
	ngtcp2_pkt_info info;
};

static void set_local4(struct received *r, const struct in_pktinfo *info)
{
	struct sockaddr_in *local = (void *)&r->local;

	local->sin_addr = info->ipi_spec_dst;
}

static void set_local6(struct received *r, const struct in6_pktinfo *info)
{
	struct sockaddr_in6 *local = (void *)&r->local;

	local->sin6_addr = info->ipi6_addr;
	if (IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
		local->sin6_scope_id = info->ipi6_ifindex;
}

static void parse_control(struct msghdr *msg, struct received *r)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		int level = cmsg->cmsg_level, type = cmsg->cmsg_type;
		void *data = CMSG_DATA(cmsg);

		if (level == IPPROTO_IP && type == IP_PKTINFO)
			set_local4(r, data);
		else if (level == IPPROTO_IPV6 && type == IPV6_PKTINFO)
			set_local6(r, data);
		else if (level == IPPROTO_IP && type == IP_TOS)
			r->info.ecn = *(uint8_t *)data & NGTCP2_ECN_MASK;
		else if (level == IPPROTO_IPV6 && type == IPV6_TCLASS)
			r->info.ecn = *(int *)data & NGTCP2_ECN_MASK;
	}
}

bool h3_socket_receive(struct h3_socket *sock, h3_datagram take, void *arg)
{
	union {
		char buf[QUIC_OFFLOAD_RX_CONTROL + CMSG_SPACE(sizeof(int)) +
			 CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr cmsg;
	} control;
	struct received r = { .local = sock->local };
	struct sockaddr_storage from;
	static uint8_t buf[65536];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) };
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct quic_offload_datagram datagram;
	struct quic_offload_message message;
	ngtcp2_path path;
	ssize_t len;

	len = recvmsg(sock->fd, &msg, MSG_DONTWAIT);
	if (len < 0)
		/* What others report is ICMP's, and there may be more. */
		return errno != EAGAIN;
	parse_control(&msg, &r);
	h3_socket_path(sock, (struct sockaddr *)&from, msg.msg_namelen, &path);
	path.local.addr = (struct sockaddr *)&r.local;
	quic_offload_received(&message, sock->offload, &msg, len);
	while (quic_offload_next(&message, &datagram))
		take(arg, sock, &path, &r.info, &datagram);
	return true;
}

void h3_socket_send(const struct h3_socket *sock, const ngtcp2_path *path,
		    const void *data, size_t len)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct quic_ngtcp2_control control;

	quic_ngtcp2_control_set(&control, &msg, path, sock->options->tclass,
				sock->options->ifindex);
	sendmsg(sock->fd, &msg, MSG_DONTWAIT);
}
