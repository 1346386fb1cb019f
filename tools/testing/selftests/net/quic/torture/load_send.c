// SPDX-License-Identifier: GPL-2.0
/* Sends trains of all kinds, updates keys, gives flows other DCIDs. */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "load.h"
#include "quic_cgroup.h"
#include "quic_env.h"

#define DCID_LEN	LOAD_DCID_LEN
#define MAX_HEAD	LOAD_MAX_HEAD
#define MAX_PACKET	LOAD_MAX_PACKET
#define MIN_PACKET	(MAX_HEAD + QUIC_TAG_SIZE)
#define MAX_TRAIN	65507

/* One in so many trains comes after these. */
#define KEY_UPDATES	16
#define NEW_FLOWS	128

struct flow {
	uint64_t next;		/* packet number */
	uint32_t epoch;		/* how often another DCID took its place */
	uint8_t generation;	/* the newest */
	unsigned int keys;	/* generations that it has */
	bool updated;		/* and not used since */
};

struct sender {
	struct load *load;
	struct load_sender *counts;
	uint64_t random;
	unsigned int id;
	struct flow *flow;	/* all of them, the sender's own are used */
	int fd[LOAD_SOCKETS];
	uint8_t fill[MAX_PACKET];
	uint8_t head[QUIC_MAX_SEGMENTS][MAX_HEAD];
	struct iovec iov[2 * QUIC_MAX_SEGMENTS];
};

/* xorshift64 of Marsaglia; @limit is small */
static unsigned int below(struct sender *s, unsigned int limit)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return (s->random >> 32) % limit;
}

static void unexpected(struct sender *s, const char *what)
{
	s->counts->what = what;
	s->counts->err = errno;
	s->counts->unexpected++;
}

static const struct quic_addr *destination(const struct sender *s,
					   unsigned int flow)
{
	return &s->load->to[load_way_of(flow)];
}

/* Half of the flows are for one destination, the others for any. */
static void flow_info(const struct sender *s, unsigned int n,
		      uint8_t generation, struct quic_connection_info *info)
{
	bool any = n / LOAD_SENDERS / LOAD_SOCKETS & 1;
	struct quic_dcid dcid = { .len = DCID_LEN };
	struct quic_keys keys;

	load_dcid(dcid.id, n, s->flow[n].epoch);
	quic_audit_keys(&keys, dcid.id, generation);
	quic_flow_info(info, &keys, &dcid, any ? NULL : destination(s, n));
}

/* The next generation of a flow, or the first that it gets. */
static bool add_key(struct sender *s, unsigned int n)
{
	struct flow *flow = &s->flow[n];
	uint8_t generation = flow->generation + 1;
	struct quic_connection_info info;

	flow_info(s, n, generation, &info);
	if (quic_flow_add(s->fd[load_socket_of(n)], &info)) {
		if (errno == ENOMEM)
			s->counts->enomem++;
		else
			unexpected(s, "ADD");
		return false;
	}

	flow->generation = generation;
	flow->updated = flow->keys;
	if (flow->keys)
		s->counts->updates++;
	else
		s->counts->added++;
	if (flow->keys < 2)
		flow->keys++;
	return true;
}

/* Every flow has two, so that the memory for them is always as much. */
static void complete_flow(struct sender *s, unsigned int n)
{
	while (s->flow[n].keys < 2 && add_key(s, n))
		;
}

/* The DCID that it has next has keys of its own, so numbers start anew. */
static void delete_flow(struct sender *s, unsigned int n)
{
	struct flow *flow = &s->flow[n];
	struct quic_connection_info info;

	flow_info(s, n, flow->generation, &info);
	if (quic_flow_del(s->fd[load_socket_of(n)], &info)) {
		unexpected(s, "DEL");
		return;
	}
	s->counts->deleted++;
	*flow = (struct flow) { .epoch = flow->epoch + 1, .generation = -1 };
}

/* Writes the start of a packet, and says where it and the rest are. */
static void put_packet(struct sender *s, unsigned int i, uint8_t flags,
		       unsigned int n, unsigned int pn_len, uint64_t pn,
		       size_t len)
{
	uint8_t *p = s->head[i];
	size_t head;
	int shift;

	*p++ = flags | (pn_len - 1);
	load_dcid(p, n, s->flow[n].epoch);
	p += DCID_LEN;
	for (shift = 8 * (pn_len - 1); shift >= 0; shift -= 8)
		*p++ = pn >> shift;
	memcpy(p, QUIC_MARKER, QUIC_MARKER_SIZE);

	head = p + QUIC_MARKER_SIZE - s->head[i];
	s->iov[2 * i] = (struct iovec) { s->head[i], head };
	s->iov[2 * i + 1] = (struct iovec) { s->fill + head, len - head };
}

/* Single packets, short trains and long ones, of small packets and large. */
static unsigned int choose_train(struct sender *s, size_t *stride)
{
	static const unsigned int largest[] = { 100, 600, 1200, MAX_PACKET };
	unsigned int max = largest[below(s, 4)], count;

	*stride = MIN_PACKET + below(s, max - MIN_PACKET + 1);
	count = MAX_TRAIN / *stride;
	if (count > QUIC_MAX_SEGMENTS)
		count = QUIC_MAX_SEGMENTS;
	switch (below(s, 4)) {
	case 0:
		return 1;
	case 1:
		return 1 + below(s, 4);
	default:
		return 1 + below(s, count);
	}
}

static void send_train(struct sender *s, unsigned int n)
{
	unsigned int pn_len = 2 + below(s, 3), gap = below(s, 8) ? 1 : 5;
	struct flow *flow = &s->flow[n];
	unsigned int count, flip, i;
	struct quic_msghdr hdr;
	size_t stride, len, sum = 0;
	uint64_t pn = flow->next;
	uint8_t flags, phase;
	ssize_t ret;

	count = choose_train(s, &stride);
	/* UDP sends no trains without checksums. */
	if (load_way_of(n) == LOAD_DIRTY)
		count = 1;
	/* After an update the phase flips somewhere in the train. */
	flip = flow->updated ? below(s, count + 1) : 0;
	/* Fixed bit and spin bit, as they come */
	flags = below(s, 4) << 5;
	for (i = 0; i < count; i++, pn += gap) {
		len = stride - QUIC_TAG_SIZE;
		if (i == count - 1)
			len -= below(s, stride - MIN_PACKET + 1);
		phase = flow->generation ^ (i < flip);
		put_packet(s, i, flags | (phase & 1 ? QUIC_KEY_PHASE : 0), n,
			   pn_len, pn, len);
		sum += len;
	}

	quic_msghdr_init(&hdr, &(struct quic_msg) {
		.to = destination(s, n),
		.encrypts = 1,
		.anc.next_pkt_num = flow->next,
		.anc.conn_id_length = DCID_LEN,
		.anc_len = sizeof(struct quic_tx_ancillary_data),
		.gso = count > 1 ? stride : -1,
	});
	hdr.mh.msg_iov = s->iov;
	hdr.mh.msg_iovlen = 2 * count;
	ret = sendmsg(s->fd[load_socket_of(n)], &hdr.mh,
		      below(s, 2) ? MSG_DONTWAIT : 0);
	if (ret < 0 && errno == EAGAIN) {
		/* The next train has these numbers. */
		s->counts->eagain++;
		return;
	}

	flow->next = pn;
	flow->updated = false;
	if (ret == sum) {
		s->counts->packets += count;
		s->counts->trains++;
		if (load_way_of(n) == LOAD_DIRTY)
			s->counts->dirty++;
	} else if (ret < 0 && errno == ENOBUFS) {
		s->counts->enobufs++;
	} else {
		unexpected(s, "sendmsg");
	}
}

static void park(struct sender *s)
{
	__atomic_store_n(&s->counts->parked, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&s->load->running, __ATOMIC_ACQUIRE) &&
	       !__atomic_load_n(&s->load->quit, __ATOMIC_ACQUIRE))
		usleep(1000);
	__atomic_store_n(&s->counts->parked, false, __ATOMIC_RELEASE);
}

static void setup(struct sender *s)
{
	struct load *load = s->load;
	unsigned int i;
	int on = 1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The neighbour shall be killed, not a sender. */
	quic_env_write_file("/proc/self/oom_score_adj", "-1000");
	quic_cgroup_join();
	mlockall(MCL_CURRENT | MCL_FUTURE);
	s->random = load->seed * LOAD_SENDERS + s->id + 1;
	for (i = 0; i < sizeof(s->fill); i++)
		s->fill[i] = load_fill(i);
	s->flow = calloc(load->flows, sizeof(*s->flow));
	if (!s->flow)
		exit(1);
	for (i = 0; i < LOAD_SOCKETS; i++) {
		s->fd[i] = socket(i & 1 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
		if (s->fd[i] < 0) {
			perror("socket");
			exit(1);
		}
	}
	/* Else UDP would not let anybody have what is wrong. */
	if (setsockopt(s->fd[LOAD_SOCKETS - 1], SOL_SOCKET, SO_NO_CHECK, &on,
		       sizeof(on))) {
		perror("SO_NO_CHECK");
		exit(1);
	}
	for (i = s->id; i < load->flows; i += LOAD_SENDERS) {
		s->flow[i].generation = -1;
		complete_flow(s, i);
	}
}

void load_send(struct load *load, unsigned int id)
{
	static struct sender sender;
	struct sender *s = &sender;
	unsigned int n, i;

	s->load = load;
	s->counts = &load->sender[id];
	s->id = id;
	setup(s);

	for (;;) {
		if (!__atomic_load_n(&load->running, __ATOMIC_ACQUIRE))
			park(s);
		if (__atomic_load_n(&load->quit, __ATOMIC_ACQUIRE))
			break;
		if (LOAD_TOTAL(load, packets) -
		    __atomic_load_n(&load->receiver.drained, __ATOMIC_RELAXED) >
		    LOAD_BACKLOG) {
			usleep(1000);
			continue;
		}
		n = below(s, load->flows / LOAD_SENDERS) * LOAD_SENDERS + id;
		if (s->flow[n].keys && !below(s, NEW_FLOWS))
			delete_flow(s, n);
		if (s->flow[n].keys == 2 && !below(s, KEY_UPDATES))
			add_key(s, n);
		complete_flow(s, n);
		if (s->flow[n].keys)
			send_train(s, n);
	}

	/* Half of the flows are deleted, closing the sockets has to do the rest. */
	for (i = id; i < load->flows / 2; i += LOAD_SENDERS)
		if (s->flow[i].keys)
			delete_flow(s, i);
	for (i = 0; i < LOAD_SOCKETS; i++)
		close(s->fd[i]);
	exit(0);
}
