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
#include <stdlib.h>
#include <string.h>

#include "quic_offload_flow.h"

/* First byte of a short header, RFC 9000 section 17.3.1 */
#define LONG_HEADER		0x80
#define KEY_PHASE		0x04
#define NUMBER_LEN		0x03	/* less one */
/* Packet number and payload: the sample for header protection is behind. */
#define MIN_PROTECTED		4

#define TAG_SIZE		QUIC_OFFLOAD_TAG_SIZE

/* UDP GSO's limits.  Kernels without the offload may have the lower one. */
#define MAX_SEGMENTS		128
#define MAX_SEGMENTS_USER	64
#define MAX_TRAIN		65507	/* bytes on the wire, over IPv4 */

#define SCRATCH_SIZE		65536
#define MAX_FLOWS		4

struct quic_offload_conn {
	quic_offload_protect protect;
	void *arg;
	struct quic_offload_keys keys[2];	/* by key phase */
	unsigned int generations;		/* that are in @keys */
	uint8_t newest;
	uint64_t clock;
	struct quic_offload_flow flows[MAX_FLOWS];
	uint8_t *scratch;
	struct quic_offload_stats stats;
};

struct quic_offload_conn *quic_offload_conn_new(quic_offload_protect protect,
						void *arg)
{
	struct quic_offload_conn *conn = calloc(1, sizeof(*conn));

	if (conn) {
		conn->protect = protect;
		conn->arg = arg;
	}
	return conn;
}

void quic_offload_conn_free(struct quic_offload_conn *conn)
{
	unsigned int i;

	if (!conn)
		return;
	for (i = 0; i < MAX_FLOWS; i++)
		quic_offload_flow_drop(&conn->flows[i]);
	free(conn->scratch);
	explicit_bzero(conn, sizeof(*conn));
	free(conn);
}

int quic_offload_conn_set_keys(struct quic_offload_conn *conn,
			       const struct quic_offload_keys *keys)
{
	if (conn->generations &&
	    keys->generation != (uint8_t)(conn->newest + 1))
		return -EINVAL;

	conn->keys[keys->generation & 1] = *keys;
	conn->newest = keys->generation;
	if (conn->generations < 2)
		conn->generations++;
	return 0;
}

void quic_offload_conn_retire(struct quic_offload_conn *conn,
			      const uint8_t *dcid, size_t len)
{
	const struct msghdr nowhere = {};
	struct quic_connection_info_key key;
	unsigned int i;

	if (len > sizeof(key.conn_id))
		return;
	quic_offload_flow_name(&key, dcid, len, &nowhere);
	for (i = 0; i < MAX_FLOWS; i++) {
		struct quic_offload_flow *flow = &conn->flows[i];

		if (flow->name.conn_id_length == len &&
		    !memcmp(flow->name.conn_id, key.conn_id,
			    sizeof(key.conn_id)))
			quic_offload_flow_drop(flow);
	}
}

const struct quic_offload_stats *
quic_offload_conn_stats(const struct quic_offload_conn *conn)
{
	return &conn->stats;
}

enum way { READY, USER, KERNEL };

/* Consecutive packets that one message carries */
struct train {
	const struct quic_offload_packet *packets;
	size_t count;
	size_t wire_len;
	enum way way;
	struct quic_offload_flow *flow;		/* NULL if @way is READY */
};

/*
 * What this library adds comes first: it is seen whatever the caller's control
 * messages look like.
 */
struct control {
	union {
		uint8_t encrypt[CMSG_SPACE(sizeof(struct quic_tx_ancillary_data))];
		size_t align;	/* as struct cmsghdr */
	};
	uint8_t segment[CMSG_SPACE(sizeof(uint16_t))];
	uint8_t callers[QUIC_OFFLOAD_MAX_CONTROL];
};

/* What did not work, and is at fault if the packets leave without it */
enum doubt { NO_DOUBT, ABOUT_KERNEL, ABOUT_GSO };

/**
 * struct call - one call of quic_offload_send()
 * @alone: so many packets are sent one by one
 * @renewed: a flow that the kernel did not have was added again
 */
struct call {
	struct quic_offload_socket *sock;
	struct quic_offload_conn *conn;
	const struct msghdr *to;
	int flags;
	size_t alone;
	bool renewed;
	enum doubt doubt;
	int doubt_err;
	struct control control;
};

/* Packets */

static size_t packet_number_len(const struct quic_offload_packet *packet)
{
	return 1 + (packet->data[0] & NUMBER_LEN);
}

static size_t packet_header_len(const struct quic_offload_packet *packet)
{
	return 1 + packet->dcid_len + packet_number_len(packet);
}

static int packet_check(const struct quic_offload_packet *packet)
{
	size_t len, i, at = 1 + packet->dcid_len;
	uint64_t number = 0;

	if (packet->dcid_len > QUIC_MAX_CONNECTION_ID_SIZE ||
	    packet->len < at + MIN_PROTECTED || packet->data[0] & LONG_HEADER)
		return -EINVAL;

	len = packet_number_len(packet);
	for (i = 0; i < len; i++)
		number = number << 8 | packet->data[at + i];
	if (number != (packet->number & ((1ULL << 8 * len) - 1)))
		return -EINVAL;

	return packet->number >> 62 ? -ERANGE : 0;
}

/* NULL if none were set for its key phase */
static const struct quic_offload_keys *
packet_keys(const struct quic_offload_conn *conn,
	    const struct quic_offload_packet *packet)
{
	unsigned int phase = !!(packet->data[0] & KEY_PHASE);

	if (!conn->generations ||
	    (conn->generations == 1 && phase != (conn->newest & 1)))
		return NULL;
	return &conn->keys[phase];
}

/* The way of a packet that was checked; or an error */
static int packet_way(const struct call *call, struct quic_offload_flow *flow,
		      const struct quic_offload_packet *packet)
{
	const struct quic_offload_keys *keys = packet_keys(call->conn, packet);

	if (!keys)
		return -ENOKEY;
	if (packet->number < flow->next)
		return -ERANGE;
	if (packet->number < flow->tried ||
	    !quic_offload_socket_may(call->sock) ||
	    !quic_offload_flow_provide(flow, keys))
		return USER;
	return KERNEL;
}

/* Trains */

/* The flow of a packet; of the connection's slots, the one that was not used
 * for longest is made free for it.
 */
static struct quic_offload_flow *
flow_get(const struct call *call, const struct quic_offload_packet *packet)
{
	struct quic_offload_flow *flow, *oldest = call->conn->flows;
	struct quic_connection_info_key name;

	quic_offload_flow_name(&name, packet->data + 1, packet->dcid_len,
			       call->to);
	for (flow = oldest; flow < call->conn->flows + MAX_FLOWS; flow++) {
		if (flow->sock == call->sock &&
		    !memcmp(&flow->name, &name, sizeof(name)))
			goto found;
		if (flow->used < oldest->used)
			oldest = flow;
	}

	flow = oldest;
	quic_offload_flow_drop(flow);
	quic_offload_flow_init(flow, call->sock, &name);
found:
	flow->used = ++call->conn->clock;
	return flow;
}

static const struct quic_offload_packet *train_last(const struct train *train)
{
	return &train->packets[train->count - 1];
}

static bool train_takes(const struct call *call, const struct train *train,
			const struct quic_offload_packet *packet)
{
	const struct quic_offload_packet *first = train->packets;
	const struct quic_offload_packet *last = train_last(train);
	uint64_t gap = packet->number - last->number - 1;

	/* Only the last one may be shorter. */
	if (last->len < first->len || packet->len > first->len || !packet->len)
		return false;
	if (packet->ready || first->ready)
		return packet->ready && first->ready;

	/* The kernel takes the next number that ends like that in the header. */
	return !packet_check(packet) && packet->dcid_len == first->dcid_len &&
	       !memcmp(packet->data + 1, first->data + 1, first->dcid_len) &&
	       gap < 1ULL << 8 * packet_number_len(packet) &&
	       packet_way(call, train->flow, packet) == (int)train->way;
}

/* As many packets from the first on as one message can carry */
static int train_build(struct call *call, struct train *train,
		       const struct quic_offload_packet *packets, size_t count)
{
	size_t max, tag = packets->ready ? 0 : TAG_SIZE;
	int way = READY;

	train->flow = NULL;
	if (!packets->ready) {
		way = packet_check(packets);
		if (way < 0)
			return way;
		train->flow = flow_get(call, packets);
		way = packet_way(call, train->flow, packets);
		if (way < 0)
			return way;
	}

	train->way = way;
	train->packets = packets;
	train->count = 1;
	train->wire_len = packets->len + tag;

	max = way == KERNEL ? MAX_SEGMENTS : MAX_SEGMENTS_USER;
	if (call->alone || !call->sock->gso)
		max = 1;
	if (max > count)
		max = count;
	while (train->count < max) {
		const struct quic_offload_packet *next = train_last(train) + 1;

		if (train->wire_len + next->len + tag > MAX_TRAIN ||
		    !train_takes(call, train, next))
			break;
		train->count++;
		train->wire_len += next->len + tag;
	}

	return 0;
}

/* Packets that lie next to each other share an entry. */
static size_t train_gather(const struct train *train, struct iovec *iov)
{
	size_t i, n = 0;

	for (i = 0; i < train->count; i++) {
		const struct quic_offload_packet *packet = &train->packets[i];

		if (n && (uint8_t *)iov[n - 1].iov_base + iov[n - 1].iov_len ==
			 packet->data) {
			iov[n - 1].iov_len += packet->len;
		} else {
			iov[n].iov_base = (void *)packet->data;
			iov[n++].iov_len = packet->len;
		}
	}

	return n;
}

static int train_protect(struct quic_offload_conn *conn,
			 const struct train *train, struct iovec *iov)
{
	uint8_t *out;
	size_t i;

	if (train->wire_len > SCRATCH_SIZE)
		return -EMSGSIZE;
	if (!conn->scratch)
		conn->scratch = malloc(SCRATCH_SIZE);
	if (!conn->scratch)
		return -ENOMEM;

	out = conn->scratch;
	for (i = 0; i < train->count; i++) {
		const struct quic_offload_packet *packet = &train->packets[i];

		memcpy(out, packet->data, packet->len);
		if (conn->protect(conn->arg, packet_keys(conn, packet), out,
				  packet_header_len(packet), packet->len,
				  packet->number))
			return -EPROTO;
		out += packet->len + TAG_SIZE;
	}

	iov->iov_base = conn->scratch;
	iov->iov_len = train->wire_len;
	return 1;
}

static void cmsg_set(void *buf, int type, const void *data, size_t len)
{
	struct cmsghdr *hdr = buf;

	hdr->cmsg_level = SOL_UDP;
	hdr->cmsg_type = type;
	hdr->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(hdr), data, len);
}

/* Also with one packet: the socket may have the option UDP_SEGMENT. */
static void train_control(struct control *control, const struct train *train,
			  struct msghdr *msg, size_t callers)
{
	const struct quic_offload_packet *first = train->packets;
	struct quic_tx_ancillary_data encrypt = {
		.next_pkt_num = first->number,
		.conn_id_length = first->dcid_len,
	};
	uint16_t segment = 0;

	if (train->count > 1)
		segment = first->len + (first->ready ? 0 : TAG_SIZE);
	cmsg_set(control->segment, UDP_SEGMENT, &segment, sizeof(segment));
	msg->msg_control = control->segment;
	msg->msg_controllen = sizeof(control->segment) + callers;

	if (train->way == KERNEL) {
		cmsg_set(control->encrypt, UDP_QUIC_ENCRYPT, &encrypt,
			 sizeof(encrypt));
		msg->msg_control = control->encrypt;
		msg->msg_controllen += sizeof(control->encrypt);
	}
}

static int train_send(struct call *call, const struct train *train)
{
	struct iovec iov[MAX_SEGMENTS];
	struct msghdr msg = {
		.msg_name = call->to->msg_name,
		.msg_namelen = call->to->msg_namelen,
		.msg_iov = iov,
	};
	int ret;

	if (train->way == USER) {
		ret = train_protect(call->conn, train, iov);
		if (ret < 0)
			return ret;
		msg.msg_iovlen = ret;
	} else {
		msg.msg_iovlen = train_gather(train, iov);
	}
	train_control(&call->control, train, &msg, call->to->msg_controllen);

	do {
		ret = sendmsg(call->sock->fd, &msg, call->flags) < 0 ? -errno : 0;
	} while (ret == -EINTR);

	return ret;
}

/* All of it has left: what was in doubt is now known. */
static void train_left(struct call *call, const struct train *train)
{
	struct quic_offload_stats *stats = &call->conn->stats;
	uint64_t *counters[] = {
		[READY] = &stats->ready,
		[USER] = &stats->user,
		[KERNEL] = &stats->kernel,
	};

	*counters[train->way] += train->count;
	stats->messages++;
	if (train->flow)
		train->flow->next = train_last(train)->number + 1;

	if (call->doubt == ABOUT_KERNEL) {
		quic_offload_flow_refuse(train->flow, NO_MESSAGE,
					 call->doubt_err);
	} else if (call->doubt == ABOUT_GSO) {
		quic_offload_socket_set_gso(call->sock, false);
		quic_offload_socket_tell(call->sock, NO_GSO, call->doubt_err);
	}
	call->doubt = NO_DOUBT;
	if (call->alone)
		call->alone--;
}

/* Return 0 to try again, another way, or the error for the caller. */
static int train_failed(struct call *call, const struct train *train, int err)
{
	bool kernel = train->way == KERNEL;

	/* No other way would help, or do. */
	if (err == -EAGAIN || err == -ERANGE || err == -EKEYEXPIRED)
		return err;

	/* The socket was connected to another peer, for example. */
	if (kernel && err == -ENOENT && !call->renewed) {
		quic_offload_flow_del(train->flow);
		call->renewed = true;
		return 0;
	}

	if (kernel)
		train->flow->tried = train_last(train)->number + 1;

	if (train->count > 1 &&
	    (err == -EIO || err == -EINVAL || err == -EMSGSIZE)) {
		call->alone = train->count;
		/* Too long for GSO may still do for fragments, or for some. */
		call->doubt = err == -EMSGSIZE ? NO_DOUBT : ABOUT_GSO;
	} else if (kernel && (err == -EINVAL || err == -ENOENT ||
			      err == -ENOKEY || err == -EOPNOTSUPP)) {
		call->doubt = ABOUT_KERNEL;
	} else {
		return err;
	}

	call->doubt_err = -err;
	return 0;
}

ssize_t quic_offload_send(struct quic_offload_socket *sock,
			  struct quic_offload_conn *conn,
			  const struct msghdr *to, int flags,
			  const struct quic_offload_packet *packets,
			  size_t count)
{
	struct call call = {
		.sock = sock,
		.conn = conn,
		.to = to,
		.flags = flags,
	};
	size_t sent = 0;

	if (to->msg_controllen > sizeof(call.control.callers))
		return -EINVAL;
	if (to->msg_controllen)
		memcpy(call.control.callers, to->msg_control,
		       to->msg_controllen);

	while (sent < count) {
		struct train train;
		int err;

		err = train_build(&call, &train, packets + sent, count - sent);
		if (!err) {
			err = train_send(&call, &train);
			if (!err) {
				train_left(&call, &train);
				sent += train.count;
				continue;
			}
			err = train_failed(&call, &train, err);
		}
		if (err)
			return sent ? (ssize_t)sent : err;
	}

	return sent;
}
