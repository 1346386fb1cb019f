// SPDX-License-Identifier: GPL-2.0
/*
 * Another process changes bytes of a message while it is sent.  What will come
 * out nobody knows, but it is a refusal, or protected packets: each made of one
 * of the two versions of every byte, with a number that was not used before.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/tls.h>

#include "fuzz_audit.h"
#include "fuzz_change.h"
#include "fuzz_cmsg.h"
#include "fuzz_dest.h"
#include "fuzz_exec.h"
#include "fuzz_fail.h"
#include "fuzz_info.h"
#include "fuzz_match.h"
#include "fuzz_memory.h"
#include "fuzz_model.h"
#include "fuzz_model_flow.h"
#include "fuzz_random.h"
#include "fuzz_sock.h"
#include "fuzz_wire.h"

#define DCID_LEN	8
#define HEADER(pn_len)	(1 + DCID_LEN + (pn_len))
#define MAX_CHANGES	3
#define MAX_COUNT	4
#define MAX_STRIDE	1400
#define CALLS		40

/* For the other process, which stands still when this changes. */
struct changes {
	bool pause, paused;
	unsigned int n;
	size_t at[MAX_CHANGES];
	uint8_t flip[MAX_CHANGES];
};

struct round {
	struct fuzz_sock sock;
	struct quic_dcid dcid[2];
	unsigned int pn_len;
	unsigned int count;
	size_t stride;
	uint64_t next;			/* smallest number that nobody has used */
	struct fuzz_dest dest;
	uint8_t meant[MAX_COUNT * MAX_STRIDE];
};

static struct changes *changes;
static uint8_t *shared;
static pid_t child;

static void change(void)
{
	cpu_set_t cpus;
	unsigned int i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&cpus);
	CPU_SET(1, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (;;) {
		if (__atomic_load_n(&changes->pause, __ATOMIC_ACQUIRE)) {
			__atomic_store_n(&changes->paused, true, __ATOMIC_RELEASE);
			continue;
		}
		for (i = 0; i < changes->n; i++)
			__atomic_xor_fetch(shared + changes->at[i],
					   changes->flip[i], __ATOMIC_RELAXED);
	}
}

/* Not in the middle of a change, which would be made with the next round's data. */
static void pause_child(void)
{
	__atomic_store_n(&changes->paused, false, __ATOMIC_RELAXED);
	__atomic_store_n(&changes->pause, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&changes->paused, __ATOMIC_ACQUIRE))
		sched_yield();
	kill(child, SIGSTOP);
	waitpid(child, NULL, WUNTRACED);
}

void fuzz_change_open(void)
{
	shared = fuzz_memory_shared();
	changes = mmap(NULL, sizeof(*changes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fuzz_must(changes != MAP_FAILED, "mmap");
	child = fork();
	fuzz_must(child >= 0, "fork");
	if (!child)
		change();
	pause_child();
}

void fuzz_change_close(void)
{
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	child = 0;
}

static void add_flow(struct round *r, const struct quic_dcid *dcid)
{
	struct fuzz_call call = { .kind = FUZZ_SETSOCKOPT, .sock = &r->sock,
				  .readable = -1,
				  .optname = UDP_QUIC_ADD_TX_CONNECTION,
				  .opt_len = sizeof(struct quic_connection_info) };
	struct quic_connection_info *info = (void *)call.opt;
	struct quic_keys keys = { .cipher = &quic_ciphers[dcid->id[0] & 3] };

	fuzz_fill(keys.key, sizeof(keys.key));
	fuzz_fill(keys.hp, sizeof(keys.hp));
	quic_flow_info(info, &keys, dcid, NULL);
	fuzz_exec(&call);
	if (fuzz_chance(50)) {
		info->conn_payload_key_gen++;
		info->payload_key[0] ^= 1;
		fuzz_exec(&call);
	}
}

static void choose_changes(struct round *r)
{
	static const uint8_t bits[] = { QUIC_LONG_HEADER, QUIC_KEY_PHASE,
					QUIC_FIXED_BIT, 1 };
	size_t header = HEADER(r->pn_len), at;
	unsigned int i;

	changes->n = 1 + fuzz_below(MAX_CHANGES);
	for (i = 0; i < changes->n; i++) {
		changes->flip[i] = 1 + fuzz_below(255);
		at = header + fuzz_below(r->stride - header);
		switch (fuzz_below(4)) {
		case 0:
			at = 0;
			changes->flip[i] = fuzz_pick(bits);
			break;
		case 1:
			at = DCID_LEN;	/* where the DCIDs differ */
			changes->flip[i] = 1;
			break;
		case 2:
			at = DCID_LEN + 1 + fuzz_below(r->pn_len);
			break;
		}
		changes->at[i] = at + fuzz_below(r->count) * r->stride;
	}
}

static bool changes_at(size_t at)
{
	unsigned int i;

	for (i = 0; i < changes->n; i++)
		if (changes->at[i] == at)
			return true;
	return false;
}

/* All that @byte may have become */
static bool is_version(uint8_t byte, uint8_t meant, size_t at)
{
	unsigned int subset, i;

	if (byte == meant)
		return true;
	for (subset = 1; subset < 1U << changes->n; subset++) {
		uint8_t version = meant;

		for (i = 0; i < changes->n; i++)
			if (subset >> i & 1 && changes->at[i] == at)
				version ^= changes->flip[i];
		if (version == byte)
			return true;
	}
	return false;
}

/* Bytes that change stay as they are in all numbers. */
static bool set_number(struct round *r, unsigned int packet, uint64_t pn)
{
	unsigned int i;

	for (i = 0; i < r->pn_len; i++) {
		size_t at = packet * r->stride + 1 + DCID_LEN + i;
		uint8_t byte = pn >> (8 * (r->pn_len - 1 - i));

		if (!changes_at(at)) {
			r->meant[at] = byte;
			shared[at] = byte;
		} else if (r->meant[at] != byte) {
			return false;
		}
	}
	return true;
}

static void start_round(struct round *r)
{
	unsigned int i, dcids = 1 + fuzz_below(2);

	memset(r, 0, sizeof(*r));
	fuzz_sock_open_plain(&r->sock);
	r->dcid[0].len = DCID_LEN;
	fuzz_fill(r->dcid[0].id, DCID_LEN);
	r->dcid[1] = r->dcid[0];
	r->dcid[1].id[DCID_LEN - 1] ^= 1;
	for (i = 0; i < dcids; i++)
		add_flow(r, &r->dcid[i]);

	r->pn_len = 1 + fuzz_below(2);
	r->count = 1 + fuzz_below(MAX_COUNT);
	r->stride = HEADER(r->pn_len) + 24 +
		    fuzz_below(fuzz_chance(80) ? 100 :
			       MAX_STRIDE - HEADER(r->pn_len) - 24);
	do
		r->dest = fuzz_dest_random(&r->sock);
	while (r->dest.port != htons(FUZZ_FIRST_PORT + FUZZ_PORTS - 1));

	fuzz_fill(r->meant, sizeof(r->meant));
	for (i = 0; i < r->count; i++) {
		uint8_t *packet = r->meant + i * r->stride;

		packet[0] = QUIC_FIXED_BIT | (r->pn_len - 1);
		memcpy(packet + 1, r->dcid[0].id, DCID_LEN);
		memcpy(packet + HEADER(r->pn_len), QUIC_MARKER,
		       QUIC_MARKER_SIZE);
	}
	choose_changes(r);
	memcpy(shared, r->meant, r->count * r->stride);
	__atomic_store_n(&changes->pause, false, __ATOMIC_RELEASE);
	kill(child, SIGCONT);
}

static void build_call(struct round *r, struct fuzz_call *call)
{
	struct quic_tx_ancillary_data anc = { .conn_id_length = DCID_LEN };
	uint16_t gso = r->stride + QUIC_TAG_SIZE;
	unsigned int i;

	r->next += fuzz_below(3);
	while (!set_number(r, 0, r->next))
		r->next++;
	for (i = 1; i < r->count; i++)
		set_number(r, i, r->next + i);
	anc.next_pkt_num = r->next;

	*call = (struct fuzz_call) {
		.kind = FUZZ_SEND,
		.sock = &r->sock,
		.readable = -1,
		.message = shared,
		.len = r->count * r->stride,
		.iov = { { shared, r->count * r->stride } },
		.iov_count = 1,
	};
	call->name_len = fuzz_dest_name(&r->sock, &r->dest, &call->name);
	fuzz_put_cmsg(call, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
	fuzz_put_cmsg(call, SOL_UDP, UDP_QUIC_ENCRYPT, &anc, sizeof(anc));
}

/* Opens a packet whose number is the smallest from r->next on that fits it. */
static bool open_packet(struct round *r, struct fuzz_key *key,
			const uint8_t *seen, size_t len, uint8_t *plain)
{
	unsigned int pn_len;
	uint64_t half, pn;

	for (pn_len = 1; key->oracle && pn_len <= 4; pn_len++) {
		half = 1ULL << (8 * pn_len - 1);
		/* What is closest to this is not below r->next. */
		pn = r->next + half - 1;
		if (!quic_oracle_open(key->oracle, &pn, DCID_LEN, seen, len,
				      plain) || (plain[0] & 3) + 1U != pn_len)
			continue;
		if (pn < key->next)
			fuzz_fail("number %llu was used before",
				  (unsigned long long)pn);
		fuzz_audit_packet(key->id, pn, seen, len);
		key->next = pn + 1;
		key->packets++;
		r->next = pn + 1;
		return true;
	}
	return false;
}

static void check_packet(struct round *r, struct fuzz_flow **flow,
			 unsigned int i)
{
	uint8_t seen[2 * MAX_STRIDE], plain[2 * MAX_STRIDE];
	struct quic_dcid dcid = { .len = DCID_LEN };
	uint64_t first = r->next;
	unsigned int phase;
	ssize_t len;
	size_t at;

	len = fuzz_wire_packet(seen, sizeof(seen));
	if (len != (ssize_t)r->stride + QUIC_TAG_SIZE)
		fuzz_fail("packet %u of %zd bytes arrived", i, len);
	memcpy(dcid.id, seen + 1, DCID_LEN);
	if (i && *flow != fuzz_match_find(&r->sock, &r->dest, &dcid))
		fuzz_fail("packet %u has another DCID than the first", i);
	*flow = fuzz_match_find(&r->sock, &r->dest, &dcid);
	if (!*flow)
		fuzz_fail("packet %u has the DCID of no flow", i);

	for (phase = 0; phase < 2; phase++)
		if (open_packet(r, &(*flow)->key[phase], seen, len, plain))
			break;
	if (phase == 2)
		fuzz_fail("packet %u can not be opened", i);
	if (phase != !!(plain[0] & QUIC_KEY_PHASE) || plain[0] & QUIC_LONG_HEADER)
		fuzz_fail("packet %u has first byte 0x%02x", i, plain[0]);
	if (!i && r->next != first + 1)
		fuzz_fail("the first number is not the one that was named");
	for (at = 0; at < r->stride; at++)
		if (!is_version(plain[at], r->meant[i * r->stride + at],
				i * r->stride + at))
			fuzz_fail("byte %zu of packet %u is neither of two", at, i);
}

unsigned int fuzz_change(void)
{
	static struct fuzz_call changing, *call = &changing;
	static struct round r;
	struct fuzz_flow *flow = NULL;
	unsigned int n, i;
	ssize_t ret;

	fuzz_current = call;
	start_round(&r);
	for (n = 0; n < CALLS; n++) {
		struct msghdr mh;

		build_call(&r, call);
		mh = (struct msghdr) {
			.msg_name = &call->name,
			.msg_namelen = call->name_len,
			.msg_iov = call->iov,
			.msg_iovlen = call->iov_count,
			.msg_control = call->control,
			.msg_controllen = call->control_len,
		};
		ret = sendmsg(r.sock.fd, &mh, 0);
		if (ret < 0) {
			if (errno != EINVAL && errno != ENOENT && errno != ENOKEY)
				fuzz_fail("%s", strerrorname_np(errno));
			fuzz_counters.errors++;
			continue;
		}
		if (ret != (ssize_t)call->len)
			fuzz_fail("%zd instead of %zu", ret, call->len);
		for (i = 0; i < r.count; i++)
			check_packet(&r, &flow, i);
		flow->next_pkt_num = r.next;
		fuzz_model_count(flow, r.count,
				 r.count * (r.stride + QUIC_TAG_SIZE));
	}
	pause_child();
	for (i = 0; i < r.sock.flows; i++) {
		fuzz_info_of(call, QUIC_CAP_TX, r.sock.flow[i]);
		fuzz_exec(call);
	}
	fuzz_sock_close(&r.sock);
	return CALLS;
}
