// SPDX-License-Identifier: GPL-2.0
/*
 * Receives it all, opened by the kernel, and does what a QUIC library does about
 * what is not: a flow or a key is missing, or the packet is not authentic.
 */

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "load.h"
#include "quic_cgroup.h"
#include "quic_env.h"
#include "quic_sealed.h"

#define BATCH		64
#define BUFFER		LOAD_BUFFER
#define ROOM		CMSG_SPACE(sizeof(struct quic_rx_ancillary_data))
/* Late packets of an old generation matter no longer, milliseconds. */
#define LATE		50

struct flow {
	uint64_t next;		/* packet number */
	uint32_t epoch;
	uint32_t seen;		/* when its newest generation was, or 0 */
	uint32_t batch;		/* in which it has changed */
	uint8_t generation;	/* the newest; the one before is there, too */
	bool there;
};

struct receiver {
	struct load *load;
	struct load_receiver *counts;
	int fd[2];		/* clean, dirty */
	int audit;
	struct flow *flow;
	uint32_t batch;
	uint8_t buffer[BATCH][BUFFER];
	uint64_t control[BATCH][ROOM / 8];
	struct mmsghdr mmsg[BATCH];
	struct iovec iov[BATCH];
};

static void wrong(struct receiver *r, const char *what)
{
	r->counts->what = what;
	r->counts->wrong++;
}

static uint32_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000 + 1;
}

static int fd_of(const struct receiver *r, unsigned int n)
{
	return r->fd[load_way_of(n) == LOAD_DIRTY];
}

static struct quic_connection_info info_of(const struct receiver *r,
					   unsigned int n, uint8_t generation)
{
	struct quic_dcid dcid = { .len = LOAD_DCID_LEN };
	struct quic_connection_info info;
	struct quic_keys keys;

	load_dcid(dcid.id, n, r->flow[n].epoch);
	quic_audit_keys(&keys, dcid.id, generation);
	quic_flow_info(&info, &keys, &dcid, NULL);
	return info;
}

static bool add_key(struct receiver *r, unsigned int n, uint8_t generation)
{
	struct quic_connection_info info = info_of(r, n, generation);
	struct flow *flow = &r->flow[n];

	if (quic_rx_flow_add(fd_of(r, n), &info, flow->next)) {
		if (errno == ENOMEM)
			r->counts->enomem++;
		else
			wrong(r, "ADD");
		return false;
	}
	if (flow->there)
		r->counts->updates++;
	else
		r->counts->added++;
	flow->there = true;
	flow->generation = generation;
	flow->seen = 0;
	flow->batch = r->batch;
	return true;
}

static void delete_flow(struct receiver *r, unsigned int n)
{
	struct quic_connection_info info = info_of(r, n, 0);

	if (quic_rx_flow_del(fd_of(r, n), &info))
		wrong(r, "DEL");
	r->counts->deleted++;
	r->flow[n].there = false;
}

/* The peer has come to @generation: that and the next one are to be there. */
static void go_to(struct receiver *r, unsigned int n, uint8_t generation)
{
	struct flow *flow = &r->flow[n];

	if (!flow->there && !add_key(r, n, generation))
		return;
	while ((uint8_t)(generation + 1 - flow->generation) - 1U < 128)
		if (!add_key(r, n, flow->generation + 1))
			return;
}

/* A packet as it came: what would it be? */
static void look_at(struct receiver *r, const uint8_t *packet, size_t len,
		    bool dirty, bool refused)
{
	uint8_t first = -2, behind;
	unsigned int n, count = 10;
	struct flow *flow;
	uint32_t epoch;
	uint64_t next = 0;
	int generation;

	if (packet[0] & QUIC_LONG_HEADER || len <= LOAD_DCID_LEN ||
	    !load_dcid_parse(packet + 1, r->load->flows, &n, &epoch) ||
	    (load_way_of(n) == LOAD_DIRTY) != dirty ||
	    epoch > r->flow[n].epoch + 1000) {
		if (!dirty)
			wrong(r, "nobody's packet");
		r->counts->spoilt++;
		return;
	}
	flow = &r->flow[n];
	if (epoch < flow->epoch) {
		r->counts->late++;
		return;
	}
	if (epoch == flow->epoch) {
		next = flow->next;
		first += flow->generation;
	}
	generation = load_find_generation(packet, len, first, count, &next);
	if (generation == LOAD_NOT_AUTHENTIC && !dirty)
		generation = load_find_generation(packet, len, first + count,
						  256 - count, &next);
	if (generation == LOAD_NOT_AUTHENTIC) {
		if (!dirty)
			wrong(r, "not authentic");
		r->counts->spoilt++;
		return;
	}

	if (epoch != flow->epoch) {
		if (flow->there)
			delete_flow(r, n);
		*flow = (struct flow) { .epoch = epoch };
	}
	behind = flow->generation - generation;
	if (flow->there && behind > 1 && behind < 128) {
		r->counts->late++;
		return;
	}
	/* Since it was read, the kernel may have learned of the key. */
	if (flow->there && behind < 2 && refused && flow->batch != r->batch)
		wrong(r, "authentic, and not opened");
	if (next > flow->next)
		flow->next = next;
	go_to(r, n, generation);
}

static void opened(struct receiver *r, const uint8_t *packet, size_t len,
		   const struct quic_rx_ancillary_data *entry)
{
	static const uint8_t zero[QUIC_TAG_SIZE];
	struct flow *flow;
	unsigned int n;
	uint32_t epoch;

	r->counts->opened++;
	if (len < QUIC_TAG_SIZE ||
	    !load_dcid_parse(packet + 1, r->load->flows, &n, &epoch) ||
	    memcmp(packet + len - QUIC_TAG_SIZE, zero, QUIC_TAG_SIZE) ||
	    !load_is_packet(packet, len - QUIC_TAG_SIZE, entry->pkt_num) ||
	    !!(packet[0] & QUIC_KEY_PHASE) != (entry->key_gen & 1)) {
		wrong(r, "opened, and not what was sent");
		return;
	}
	flow = &r->flow[n];
	if (flow->epoch != epoch)
		return;
	if (entry->pkt_num >= flow->next)
		flow->next = entry->pkt_num + 1;
	if (entry->key_gen != flow->generation)
		return;
	if (!flow->seen)
		flow->seen = milliseconds();
	else if (milliseconds() - flow->seen > LATE)
		go_to(r, n, flow->generation);
}

static void datagram(struct receiver *r, const uint8_t *packet, size_t len,
		     struct msghdr *mh, bool dirty)
{
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(mh);
	struct quic_rx_ancillary_data entry = {};

	if (cmsg)
		memcpy(&entry, CMSG_DATA(cmsg), sizeof(entry));
	else if (!(packet[0] & QUIC_LONG_HEADER))
		r->counts->no_flow++;
	r->counts->bad_tag += entry.status == QUIC_RX_BAD_TAG;
	r->counts->no_key += entry.status == QUIC_RX_NO_KEY;

	switch (entry.status) {
	case QUIC_RX_DECRYPTED:
		opened(r, packet, len, &entry);
		break;
	case QUIC_RX_NO_KEY:
		/* There was no memory for the next one, when it was time. */
		if (!dirty)
			r->counts->late++;
		break;
	case QUIC_RX_LIMIT:
		wrong(r, "limit");
		break;
	default:
		look_at(r, packet, len, dirty, entry.status == QUIC_RX_BAD_TAG);
	}
}

/* As it was on the wire: without room for entries nothing is opened. */
static int read_sample(struct receiver *r, int fd)
{
	struct iovec iov = { r->buffer[0], BUFFER };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t len;

	len = recvmsg(fd, &mh, MSG_DONTWAIT);
	if (len < 0)
		return 0;
	r->counts->clean++;
	r->counts->sampled++;
	if (!(mh.msg_flags & MSG_CTRUNC))
		r->counts->no_flow++;
	/* The neighbour may have all memory for a while. */
	while (send(r->audit, r->buffer[0], len, 0) != len) {
		if (errno != ENOBUFS && errno != ENOMEM) {
			perror("audit");
			exit(1);
		}
		usleep(1000);
	}
	return 1;
}

static int read_batch(struct receiver *r, bool dirty, int flags)
{
	int n, i;

	r->batch++;
	for (i = 0; i < BATCH; i++) {
		r->iov[i] = (struct iovec) { r->buffer[i], BUFFER };
		r->mmsg[i].msg_hdr = (struct msghdr) {
			.msg_iov = &r->iov[i],
			.msg_iovlen = 1,
			.msg_control = r->control[i],
			.msg_controllen = ROOM,
		};
	}
	n = recvmmsg(r->fd[dirty], r->mmsg, BATCH, flags, NULL);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		perror("recvmmsg");
		exit(1);
	}
	for (i = 0; i < n; i++)
		datagram(r, r->buffer[i], r->mmsg[i].msg_len,
			 &r->mmsg[i].msg_hdr, dirty);
	if (n <= 0)
		return 0;
	if (dirty)
		r->counts->dirty += n;
	else
		r->counts->clean += n;
	return n;
}

void load_receive(struct load *load, int clean, int dirty, int audit)
{
	static struct receiver receiver;
	struct receiver *r = &receiver;
	unsigned int i;
	bool quit;
	int n;

	r->load = load;
	r->counts = &load->receiver;
	r->fd[0] = clean;
	r->fd[1] = dirty;
	r->audit = audit;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* The neighbour shall be killed. */
	quic_env_write_file("/proc/self/oom_score_adj", "-1000");
	quic_cgroup_join();
	mlockall(MCL_CURRENT | MCL_FUTURE);
	r->flow = calloc(load->flows, sizeof(*r->flow));
	if (!r->flow)
		exit(1);
	/* Two generations always, so that memory is always as much. */
	for (i = 0; i < load->flows; i++)
		go_to(r, i, 0);
	__atomic_store_n(&r->counts->ready, true, __ATOMIC_RELEASE);

	/* To the end: what is in the queue has arrived already. */
	do {
		quit = __atomic_load_n(&load->quit, __ATOMIC_RELAXED);
		n = read_batch(r, false, MSG_WAITFORONE);
		n += read_sample(r, clean);
		n += read_batch(r, true, MSG_DONTWAIT);
		if (n < BATCH)
			__atomic_store_n(&r->counts->drained,
					 LOAD_TOTAL(load, packets),
					 __ATOMIC_RELAXED);
	} while (n > 0 || !quit);
	exit(0);
}
