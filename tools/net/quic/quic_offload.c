// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * QUIC packet protection by the kernel where it can, in userspace elsewhere.
 *
 * The packets of a call are cut into trains, each of which is one message with
 * UDP GSO.  A train goes to the kernel as it is, or is protected here first.
 * What fails in a way that another way may help with is tried again that way:
 * the same numbers with the same contents give the same bytes on the wire.
 */

#include <errno.h>
#include <string.h>

#include "quic_offload_train.h"

#define TAG_SIZE		QUIC_OFFLOAD_TAG_SIZE

/*
 * After so many calls in a row with few packets the next one is expected to have
 * as few.  Not after one: an ACK between two long trains says nothing of them.
 */
#define FEW_CALLS		8

/*
 * What this library adds comes first: it is seen whatever the caller's control
 * messages look like.
 */
struct control {
	union {
		uint8_t added[CMSG_SPACE(sizeof(uint16_t)) +
			      CMSG_SPACE(sizeof(struct quic_tx_ancillary_data))];
		size_t align;	/* as struct cmsghdr */
	};
	uint8_t callers[QUIC_OFFLOAD_MAX_CONTROL];
};

/* What did not work, and is at fault if the packets leave without it */
enum doubt { NO_DOUBT, ABOUT_KERNEL, ABOUT_GSO, ABOUT_LENGTH };

/**
 * struct sending - what goes on during a call of quic_offload_send()
 * @peer: where a connected socket sends to
 * @option: the socket's UDP_SEGMENT, -1 before that was needed
 * @bare: the next packet is sent without UDP_SEGMENT all the same
 * @refused: what was refused had to be, and the next packet is the same one
 * @told: an error after which the same train was tried once more
 */
struct sending {
	struct quic_offload_call call;
	struct sockaddr_storage peer;
	int option;
	bool bare;
	bool refused;
	int told;
	enum doubt doubt;
	int doubt_err;
	struct control control;
};

/* In front of what is there */
static void control_add(struct msghdr *msg, int type, const void *data,
			size_t len)
{
	struct cmsghdr *hdr;

	msg->msg_control = (uint8_t *)msg->msg_control - CMSG_SPACE(len);
	msg->msg_controllen += CMSG_SPACE(len);
	hdr = msg->msg_control;
	hdr->cmsg_level = SOL_UDP;
	hdr->cmsg_type = type;
	hdr->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(hdr), data, len);
}

/*
 * There are systems that look like Linux, say yes to socket options that they
 * do not know and overlook control messages: there, what is meant for the
 * kernel to protect would leave in plain text.  So no flow is trusted before
 * its socket has refused, on the way to that very destination, a message that
 * has to be refused.  This is the first packet of the flow, complete and
 * protected in userspace: where it is sent none the less it does no harm, and
 * the peer gets nothing that it would not have got anyway.
 *
 * EINVAL may have other reasons: the length, the caller's control messages, a
 * UDP_SEGMENT of 0.  So it counts only if the same datagram leaves next with
 * the same control messages but this one.
 *
 * All flags, and a length that no connection ID has: the one of these flags
 * that is known is for bypass, so that the kernel counts no error.
 */
static void encrypt_refusable(struct quic_tx_ancillary_data *encrypt)
{
	encrypt->flags = ~0;
	encrypt->conn_id_length = ~0;
}

/* Whether single packets need a UDP_SEGMENT that says so.  Not if they can do
 * without: there are systems that refuse any control message of UDP.
 */
static bool sending_has_option(struct sending *s)
{
	if (s->option < 0)
		s->option = s->call.sock->has_gso ?
			    quic_offload_socket_segment(s->call.sock) : 0;
	return s->option > 0 && !s->bare;
}

static void train_control(struct sending *s,
			  const struct quic_offload_train *train,
			  struct msghdr *msg)
{
	const struct quic_offload_packet *first = train->packets;
	struct quic_tx_ancillary_data encrypt = {
		.next_pkt_num = first->number,
		.conn_id_length = first->dcid_len,
	};
	uint16_t segment = 0;

	if (train->way == PROOF)
		encrypt_refusable(&encrypt);

	if (train->count > 1)
		segment = first->len + (first->ready ? 0 : TAG_SIZE);
	msg->msg_control = s->control.callers;
	msg->msg_controllen = s->call.to->msg_controllen;

	if (train->asks)	/* too short */
		control_add(msg, UDP_SEGMENT, &segment, 1);
	else if (segment || sending_has_option(s))
		control_add(msg, UDP_SEGMENT, &segment, sizeof(segment));

	if (train->way == KERNEL || train->way == PROOF)
		control_add(msg, UDP_QUIC_ENCRYPT, &encrypt, sizeof(encrypt));
}

static int train_send(struct sending *s, const struct quic_offload_train *train)
{
	struct iovec iov[QUIC_OFFLOAD_SEGMENTS];
	struct msghdr msg = {
		.msg_name = s->call.to->msg_name,
		.msg_namelen = s->call.to->msg_namelen,
		.msg_iov = iov,
	};
	int ret;

	if (train->way == USER || train->way == PROOF) {
		ret = quic_offload_train_protect(&s->call, train, iov);
		if (ret < 0)
			return ret;
		msg.msg_iovlen = ret;
	} else {
		msg.msg_iovlen = quic_offload_train_gather(train, iov);
	}
	train_control(s, train, &msg);

	do {
		ret = sendmsg(s->call.sock->fd, &msg, s->call.flags) < 0 ?
		      -errno : 0;
	} while (ret == -EINTR);

	return ret;
}

/* All of it has left: what was in doubt is now known. */
static void train_left(struct sending *s,
		       const struct quic_offload_train *train)
{
	struct quic_offload_stats *stats = &s->call.conn->stats;
	uint64_t *counters[] = {
		[READY] = &stats->ready,
		[USER] = &stats->user,
		[PROOF] = &stats->user,
		[KERNEL] = &stats->kernel,
	};

	*counters[train->way] += train->count;
	stats->messages++;
	if (train->spared)
		stats->spared += train->count;
	quic_offload_route_left(&s->call.route, train->count);
	if (train->flow)
		train->flow->next = quic_offload_train_last(train)->number + 1;

	if (train->asks)
		quic_offload_socket_distrust_gso(s->call.sock);
	else if (train->count > 1)
		s->call.sock->gso_proven = true;

	if (train->way == PROOF) {
		quic_offload_socket_distrust(s->call.sock);
		quic_offload_flow_del(train->flow);
	} else if (s->refused && s->bare) {
		/* UDP_SEGMENT may have been the reason. */
		quic_offload_flow_refuse(train->flow, NO_MESSAGE, EINVAL);
	} else if (s->refused) {
		train->flow->proven = true;
	} else if (train->way == KERNEL) {
		train->flow->renewed = false;
	}
	s->refused = false;

	if (s->doubt == ABOUT_KERNEL) {
		quic_offload_flow_refuse(train->flow, NO_MESSAGE, s->doubt_err);
	} else if (s->doubt == ABOUT_GSO) {
		quic_offload_route_learn(&s->call.route, 1);
		quic_offload_socket_tell(s->call.sock, NO_GSO, s->doubt_err);
	} else if (s->doubt == ABOUT_LENGTH) {
		quic_offload_route_learn(&s->call.route, train->wire_len);
	}
	s->doubt = NO_DOUBT;
	s->bare = false;
	s->told = 0;
	if (s->call.alone)
		s->call.alone--;
}

/*
 * What ICMP had to say of any packet of a socket is told once, to whoever sends
 * next, and may be about another connection.  Of the errors that look like it
 * EMSGSIZE may be the packet's own, EPROTO that of the connection's function.
 */
static bool may_be_pending(int err)
{
	switch (-err) {
	case EACCES:
	case ECONNREFUSED:
	case EMSGSIZE:
	case EPROTO:
	case EHOSTDOWN:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENONET:
	case ENOPROTOOPT:
		return true;
	}
	return false;
}

/* What systems say of a control message that they do not know */
static bool is_unknown(int err)
{
	return err == -EOPNOTSUPP || err == -ENOSYS || err == -ENOPROTOOPT;
}

bool quic_offload_is_packet_error(int err)
{
	return err == -EMSGSIZE || err == -ERANGE || err == -ENOKEY;
}

/* Return 0 to try again, another way, or the error for the caller. */
static int train_failed(struct sending *s,
			const struct quic_offload_train *train, int err)
{
	bool asked = train->way == KERNEL || train->way == PROOF;
	bool kernel = train->way == KERNEL;

	if (train->way == PROOF && err == -EINVAL) {
		train->flow->tried = train->packets->number + 1;
		s->refused = true;
		return 0;
	}
	if (train->asks && err == -EINVAL) {
		s->call.cuts = true;
		return 0;
	}

	if (!s->told && may_be_pending(err)) {
		s->told = err;
		return 0;
	}
	/* It was not pending, and the kernel had used the numbers. */
	if (s->told && err == -ERANGE)
		err = s->told;

	/* No other way would help, or do. */
	if (err == -EAGAIN || err == -ERANGE || err == -EKEYEXPIRED)
		return err;

	/* The socket was connected to another peer, for example: or a BPF program
	 * has redirected it, and getpeername() hides that.  A flow for any
	 * destination is found in either case.
	 */
	if (kernel && err == -ENOENT && !train->flow->renewed) {
		quic_offload_flow_del(train->flow);
		train->flow->anywhere = !s->call.to->msg_name;
		train->flow->proven = false;
		train->flow->renewed = true;
		return 0;
	}

	/* The control message may be at fault; this one is not cut without. */
	if (!asked && (err == -EINVAL || is_unknown(err)) &&
	    train->count == 1 && !train->asks && !s->bare &&
	    s->option > 0 && train->wire_len <= (size_t)s->option) {
		s->bare = true;
		return 0;
	}

	if (asked)
		train->flow->tried = quic_offload_train_last(train)->number + 1;

	if (train->count > 1 &&
	    (err == -EIO || err == -EINVAL || err == -EMSGSIZE)) {
		s->call.alone = train->count;
		/* Too long for GSO may still do for fragments, or for some. */
		s->doubt = err == -EMSGSIZE ? ABOUT_LENGTH : ABOUT_GSO;
	} else if (!asked && is_unknown(err) &&
		   (train->asks || train->count > 1)) {
		s->call.alone = train->count;
		s->doubt = ABOUT_GSO;
	} else if ((asked && is_unknown(err)) ||
		   (kernel && (err == -EINVAL || err == -ENOENT ||
			       err == -ENOKEY))) {
		s->doubt = ABOUT_KERNEL;
	} else {
		/* Nor is the next batch to be tried as a train. */
		if (err == -EMSGSIZE && s->doubt == ABOUT_LENGTH)
			quic_offload_route_learn(&s->call.route,
						 train->wire_len);
		return err;
	}

	s->doubt_err = -err;
	return 0;
}

/* What was learnt of a peer is not true for another one: a socket that is
 * connected can be connected again at any time.  Without a destination it is
 * for sendmsg() to tell.
 */
static void find_dest(const struct quic_offload_socket *sock,
		      const struct msghdr *to, struct msghdr *dest,
		      struct sockaddr_storage *peer)
{
	dest->msg_name = to->msg_name;
	dest->msg_namelen = to->msg_namelen;
	if (dest->msg_name)
		return;
	dest->msg_namelen = sizeof(*peer);
	if (!getpeername(sock->fd, (void *)peer, &dest->msg_namelen))
		dest->msg_name = peer;
}

static struct quic_offload_route find_route(struct quic_offload_socket *sock,
					    const struct msghdr *dest)
{
	struct quic_connection_info_key name;

	quic_offload_flow_name(&name, NULL, 0, dest);
	return quic_offload_route_find(&sock->routes, &name);
}

bool quic_offload_spares(struct quic_offload_socket *sock,
			 const struct quic_offload_conn *conn,
			 const struct msghdr *to, size_t len)
{
	struct quic_offload_route route;
	struct sockaddr_storage peer;
	struct msghdr dest = {};

	if (conn->shortest <= 1)
		return false;
	if (conn->few >= FEW_CALLS || !quic_offload_socket_gso(sock))
		return true;
	find_dest(sock, to, &dest, &peer);
	route = find_route(sock, &dest);
	return quic_offload_route_alone(&route, len);
}

ssize_t quic_offload_send(struct quic_offload_socket *sock,
			  struct quic_offload_conn *conn,
			  const struct msghdr *to, int flags,
			  const struct quic_offload_packet *packets,
			  size_t count)
{
	return quic_offload_send_path(sock, conn, 0, to, flags, packets, count);
}

ssize_t quic_offload_send_path(struct quic_offload_socket *sock,
			       struct quic_offload_conn *conn, uint32_t path_id,
			       const struct msghdr *to, int flags,
			       const struct quic_offload_packet *packets,
			       size_t count)
{
	struct sending s = {
		.call = {
			.sock = sock,
			.conn = conn,
			.to = to,
			.path_id = path_id,
			.flags = flags,
		},
		.option = -1,
	};
	size_t sent = 0;

	/* MSG_ZEROCOPY would have what is protected here read when it is
	 * something else, MSG_MORE makes a datagram of several messages.
	 */
	if (flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_CONFIRM |
		      MSG_DONTROUTE))
		return -EOPNOTSUPP;
	if (to->msg_controllen > sizeof(s.control.callers))
		return -EINVAL;
	if (to->msg_controllen)
		memcpy(s.control.callers, to->msg_control,
		       to->msg_controllen);

	find_dest(sock, to, &s.call.dest, &s.peer);
	s.call.route = find_route(sock, &s.call.dest);
	conn->few = count < conn->shortest ? conn->few + 1 : 0;

	while (sent < count) {
		struct quic_offload_train train;
		int err;

		err = quic_offload_train_build(&s.call, &train,
					       packets + sent, count - sent);
		if (!err) {
			err = train_send(&s, &train);
			if (!err) {
				train_left(&s, &train);
				sent += train.count;
				continue;
			}
			err = train_failed(&s, &train, err);
		}
		if (err)
			return sent ? (ssize_t)sent : err;
	}

	return sent;
}
