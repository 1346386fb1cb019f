// SPDX-License-Identifier: GPL-2.0
/* Calls that make sense, most of them; fuzz_mutate.c spoils some. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "fuzz_cmsg.h"
#include "fuzz_dcid.h"
#include "fuzz_dest.h"
#include "fuzz_gen.h"
#include "fuzz_gen_option.h"
#include "fuzz_info.h"
#include "fuzz_mutate.h"
#include "fuzz_random.h"
#include "fuzz_sock.h"

static uint8_t payload[1 << 16];

void fuzz_gen_epoch(void)
{
	unsigned int i;

	fuzz_dcid_epoch();
	for (i = 0; i < sizeof(payload); i++)
		payload[i] = i * 167 >> 3;
	memcpy(payload, QUIC_MARKER, QUIC_MARKER_SIZE);
}

/* What is to be sent */
struct train {
	const struct fuzz_flow *flow;	/* or NULL: nobody knows it */
	struct quic_dcid dcid;
	unsigned int phase;
	unsigned int pn_len;
	unsigned int count;
	uint64_t pn;
	size_t stride;
	size_t last;
};

static uint64_t choose_number(const struct fuzz_key *key)
{
	uint64_t next = key->next;
	unsigned int dice = fuzz_below(1000);

	if (dice < 640)
		return next;
	if (dice < 840)
		return next + fuzz_below(5);
	if (dice < 910)
		return next + fuzz_below(100000);
	if (dice < 970)
		return next - 1 - fuzz_below(next < 5 ? next : 5);
	if (dice < 988)
		return next + (1ULL << fuzz_below(34));
	if (dice < 990)
		return QUIC_PN_LIMIT - 1 - fuzz_below(130);
	if (dice < 997)
		return QUIC_PN_LIMIT + fuzz_below(5);
	return -1 - (fuzz_random() >> fuzz_below(64));
}

static unsigned int choose_count(void)
{
	unsigned int dice = fuzz_below(1000);

	if (dice < 740)
		return 1;
	if (dice < 930)
		return 2 + fuzz_below(3);
	if (dice < 992)
		return 5 + fuzz_below(10);
	return QUIC_MAX_SEGMENTS - 5 + fuzz_below(7);
}

static size_t choose_payload(void)
{
	unsigned int dice = fuzz_below(1000);

	if (dice < 750)
		return 24 + fuzz_below(30);
	if (dice < 930)
		return 3 + fuzz_below(24);
	if (dice < 960)
		return fuzz_below(4);
	if (dice < 999 || fuzz_chance(50))
		return fuzz_below(1400);
	return fuzz_below(65536);
}

static struct train choose_train(const struct fuzz_sock *sock)
{
	static const struct fuzz_key no_key;
	const struct fuzz_key *key = &no_key;
	struct train t = {};

	if (sock->flows && fuzz_chance(97))
		t.flow = sock->flow[fuzz_below(sock->flows)];
	if (t.flow) {
		t.dcid = t.flow->dcid;
		t.phase = t.flow->keys.generation & 1;
		t.phase ^= t.flow->key[!t.phase].oracle && fuzz_chance(20);
		key = &t.flow->key[t.phase];
	} else {
		t.dcid = fuzz_dcid_random();
		t.phase = fuzz_below(2);
	}
	t.pn = choose_number(key);
	t.pn_len = 1 + fuzz_below(4);
	t.count = choose_count();
	t.stride = 1 + t.dcid.len + t.pn_len + choose_payload();
	if (t.stride * t.count > FUZZ_MESSAGE_SIZE)
		t.count = 1;
	t.last = t.stride;
	if (t.count > 1 && fuzz_chance(50))
		t.last = 5 + t.dcid.len +
			 fuzz_below(t.stride - t.dcid.len - 4);
	if (t.last > t.stride)
		t.last = t.stride;
	return t;
}

static void build_packet(uint8_t *p, const struct train *t, uint64_t pn,
			 unsigned int phase, size_t len)
{
	size_t header = 1 + t->dcid.len + t->pn_len, i;

	*p++ = (fuzz_random() & 0x78) | phase << 2 | (t->pn_len - 1);
	memcpy(p, t->dcid.id, t->dcid.len);
	p += t->dcid.len;
	for (i = t->pn_len; i-- > 0; )
		*p++ = pn >> (8 * i);
	if (len > header)
		memcpy(p, payload, len - header);
}

static void build_train(struct fuzz_call *call, const struct train *t)
{
	bool flips = t->flow && t->flow->key[!t->phase].oracle && fuzz_chance(10);
	uint64_t window = (1ULL << (8 * t->pn_len)) - 1, pn = t->pn;
	unsigned int phase = t->phase, i;

	call->len = 0;
	for (i = 0; i < t->count; i++) {
		size_t len = i < t->count - 1 ? t->stride : t->last;

		build_packet(call->message + call->len, t, pn, phase, len);
		call->len += len;
		pn++;
		if (fuzz_chance(4))
			pn += fuzz_below(window < 70000 ? window : 70000);
		if (flips && fuzz_chance(50))
			phase ^= 1;
	}
}

static void put_segment(struct fuzz_call *call, const struct train *t)
{
	uint16_t gso = t->stride + QUIC_TAG_SIZE;
	unsigned int set = call->sock->gso;

	if (t->count > 1) {
		if (set == gso && fuzz_chance(50))
			return;
	} else {
		if (!set && fuzz_chance(90))
			return;
		if (fuzz_chance(50))
			gso = 0;
		else if (fuzz_chance(50))
			gso += fuzz_below(1500);
	}
	fuzz_put_cmsg(call, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
}

static void put_encrypt(struct fuzz_call *call, const struct train *t)
{
	struct quic_tx_ancillary_data anc;

	fuzz_fill(&anc, sizeof(anc));
	anc.next_pkt_num = t->pn;
	anc.flags = fuzz_chance(3) ? QUIC_BYPASS_ENCRYPTION : 0;
	anc.conn_id_length = t->dcid.len;
	fuzz_put_cmsg(call, SOL_UDP, UDP_QUIC_ENCRYPT, &anc, sizeof(anc));
}

static void put_foreign(struct fuzz_call *call)
{
	struct in6_pktinfo pktinfo6 = {};
	struct in_pktinfo pktinfo = {};
	uint64_t txtime = 1 + fuzz_below(1000);
	int value = fuzz_below(300) - 5;
	const int devices[] = { 0, fuzz_lo, 77 };
	uint8_t tos = value;

	switch (fuzz_below(11)) {
	case 0:
		fuzz_put_cmsg(call, SOL_IP, IP_TOS, &tos, sizeof(tos));
		break;
	case 1:
		fuzz_put_cmsg(call, SOL_IP, IP_TOS, &value, sizeof(value));
		break;
	case 2:
		fuzz_put_cmsg(call, SOL_IP, IP_TTL, &value, sizeof(value));
		break;
	case 3:
		pktinfo.ipi_ifindex = fuzz_pick(devices);
		pktinfo.ipi_spec_dst.s_addr = htonl(INADDR_LOOPBACK + fuzz_below(3));
		fuzz_put_cmsg(call, SOL_IP, IP_PKTINFO, &pktinfo, sizeof(pktinfo));
		break;
	case 4:
		pktinfo6.ipi6_ifindex = fuzz_pick(devices);
		pktinfo6.ipi6_addr = fuzz_dest_random(call->sock).addr;
		fuzz_put_cmsg(call, SOL_IPV6, IPV6_PKTINFO, &pktinfo6,
			      sizeof(pktinfo6));
		break;
	case 5:
		fuzz_put_cmsg(call, SOL_IPV6, IPV6_TCLASS, &value, sizeof(value));
		break;
	case 6:
		fuzz_put_cmsg(call, SOL_IPV6, IPV6_HOPLIMIT, &value, sizeof(value));
		break;
	case 7:
		value = fuzz_below(3);
		fuzz_put_cmsg(call, SOL_IPV6, IPV6_DONTFRAG, &value, sizeof(value));
		break;
	case 8:
		fuzz_put_cmsg(call, SOL_SOCKET, SCM_TXTIME, &txtime, sizeof(txtime));
		break;
	case 9:
		fuzz_put_cmsg(call, SOL_SOCKET, fuzz_chance(50) ? SO_PRIORITY :
			      SO_MARK, &value, sizeof(value));
		break;
	case 10:
		fuzz_put_cmsg(call, fuzz_below(300), fuzz_below(70), &txtime,
			      fuzz_below(9));
		break;
	}
}

static void put_control(struct fuzz_call *call, const struct train *t)
{
	unsigned int first = fuzz_below(2);

	call->control_len = 0;
	while (fuzz_chance(4))
		put_foreign(call);
	if (first)
		put_segment(call, t);
	if (fuzz_chance(97))
		put_encrypt(call, t);
	if (!first)
		put_segment(call, t);
	while (fuzz_chance(4))
		put_foreign(call);
}

static bool to_peer(const struct fuzz_sock *sock, const struct fuzz_flow *flow)
{
	return sock->connected &&
	       (!flow || flow->any ||
		(flow->dest.port == sock->peer.port &&
		 !memcmp(&flow->dest.addr, &sock->peer.addr, 16)));
}

void fuzz_gen_send(struct fuzz_call *call)
{
	static const int flags[] = { 0, 0, 0, MSG_DONTWAIT, MSG_NOSIGNAL };
	struct fuzz_dest dest;
	struct train t;

	call->sock = &fuzz_sock[fuzz_below(FUZZ_SOCKS)];
	t = choose_train(call->sock);

	call->kind = FUZZ_SEND;
	call->readable = -1;
	call->flags = call->sock->full ? MSG_DONTWAIT : fuzz_pick(flags);
	build_train(call, &t);
	put_control(call, &t);

	if (to_peer(call->sock, t.flow) && fuzz_chance(60)) {
		call->name_len = 0;
	} else {
		dest = fuzz_dest_random(call->sock);
		if (t.flow && !t.flow->any && fuzz_chance(90))
			dest = t.flow->dest;
		call->name_len = fuzz_dest_name(call->sock, &dest, &call->name);
	}
	if (fuzz_chance(30))
		fuzz_mutate(call);
}

static void gen_connect(struct fuzz_call *call)
{
	struct fuzz_dest dest = fuzz_dest_random(call->sock);

	call->kind = FUZZ_CONNECT;
	call->name_len = fuzz_dest_name(call->sock, &dest, &call->name);
	if (fuzz_chance(50))
		call->name.ss_family = AF_UNSPEC;
}

void fuzz_gen_call(struct fuzz_call *call)
{
	unsigned int dice = fuzz_below(1000);

	call->sock = &fuzz_sock[fuzz_below(FUZZ_SOCKS)];
	if (call->sock->appended == FUZZ_MAX_APPENDED ||
	    ((call->sock->corked || call->sock->pending) && fuzz_chance(60))) {
		fuzz_gen_uncork(call);
	} else if (dice < 8 && !call->sock->full) {
		gen_connect(call);
	} else if (dice < 16) {
		call->kind = FUZZ_GET_ULP;
		call->opt_len = fuzz_below(20);
	} else if (dice < 140) {
		fuzz_info_gen(call, QUIC_CAP_TX);
	} else if (dice < 440 || (!call->sock->flows && fuzz_chance(60))) {
		fuzz_gen_option(call);
	} else {
		fuzz_gen_send(call);
	}
}
