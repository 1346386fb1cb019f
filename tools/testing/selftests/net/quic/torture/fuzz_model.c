// SPDX-License-Identifier: GPL-2.0
/*
 * The model of sendmsg(): "Checks in this order".  fuzz_model_message() has
 * those before the send buffer, fuzz_model_train() those after it.
 */

#include <errno.h>
#include <string.h>

#include "fuzz_dest.h"
#include "fuzz_match.h"
#include "fuzz_model.h"
#include "fuzz_model_flow.h"

#define SIMPLE_FLAGS	(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_EOR)
#define HELD_FLAGS	(MSG_MORE | MSG_OOB | MSG_PROXY | MSG_ZEROCOPY)
#define SOCKADDR_IN6_RFC2133	24

uint64_t fuzz_max_packets;

/* Control messages, as far as the list can be followed. */
static int parse_control(const struct fuzz_call *call, struct fuzz_message *m)
{
	const uint8_t *control = (const void *)call->control;
	struct quic_tx_ancillary_data anc;
	size_t at, left, size;
	bool bad_segment = false;
	struct cmsghdr cmsg;
	uint16_t gso;
	int err = 0;

	m->gso = call->sock->gso;
	for (at = 0; call->control_len >= at + sizeof(cmsg);
	     at += CMSG_ALIGN(cmsg.cmsg_len)) {
		memcpy(&cmsg, control + at, sizeof(cmsg));
		left = call->control_len - at;
		size = cmsg.cmsg_len - sizeof(cmsg);
		if (cmsg.cmsg_level == SOL_UDP &&
		    cmsg.cmsg_type == UDP_QUIC_ENCRYPT) {
			if (m->encrypt || cmsg.cmsg_len > left ||
			    size != sizeof(anc)) {
				err = EINVAL;
			} else {
				memcpy(&anc, control + at + sizeof(cmsg),
				       sizeof(anc));
				m->at = at;
				m->bypass = anc.flags & QUIC_BYPASS_ENCRYPTION;
				m->next_pkt_num = anc.next_pkt_num;
				m->dcid_len = anc.conn_id_length;
				if (anc.flags & ~QUIC_BYPASS_ENCRYPTION ||
				    m->dcid_len > QUIC_MAX_CONNECTION_ID_SIZE)
					err = EINVAL;
			}
			m->encrypt = true;
		}
		if (cmsg.cmsg_len < sizeof(cmsg) || cmsg.cmsg_len > left)
			return EINVAL;
		if (cmsg.cmsg_level != SOL_UDP) {
			m->foreign = true;
		} else if (cmsg.cmsg_type == UDP_SEGMENT) {
			bad_segment |= size != sizeof(gso);
			memcpy(&gso, control + at + sizeof(cmsg), sizeof(gso));
			if (size == sizeof(gso))
				m->gso = gso;
		} else if (cmsg.cmsg_type != UDP_QUIC_ENCRYPT) {
			m->foreign = true;
		}
	}
	/* Of a message without the control message UDP is the judge. */
	return m->encrypt && bad_segment ? EINVAL : err;
}

static bool is_mapped(const struct in6_addr *addr)
{
	return IN6_IS_ADDR_V4MAPPED(addr);
}

static int ipv4_dest(const struct fuzz_call *call, struct fuzz_dest *dest)
{
	const struct sockaddr_in *sin = (const void *)&call->name;

	if (call->name_len < (int)sizeof(*sin))
		return EINVAL;
	if (sin->sin_family != AF_INET && sin->sin_family != AF_UNSPEC)
		return EAFNOSUPPORT;
	if (!sin->sin_port)
		return EINVAL;
	dest->port = sin->sin_port;
	memset(&dest->addr.s6_addr[10], 0xff, 2);
	memcpy(&dest->addr.s6_addr[12], &sin->sin_addr, 4);
	return 0;
}

static int peer_dest(const struct fuzz_sock *sock, struct fuzz_dest *dest)
{
	if (!sock->connected)
		return EDESTADDRREQ;
	*dest = sock->peer;
	return 0;
}

static int ipv6_dest(const struct fuzz_call *call, struct fuzz_dest *dest)
{
	const struct sockaddr_in6 *sin6 = (const void *)&call->name;

	if (call->name_len < (int)sizeof(sin6->sin6_family))
		return EINVAL;
	switch (sin6->sin6_family) {
	case AF_UNSPEC:
		return peer_dest(call->sock, dest);
	case AF_INET:
		return ipv4_dest(call, dest);
	case AF_INET6:
		break;
	default:
		return EINVAL;
	}
	if (call->name_len < SOCKADDR_IN6_RFC2133 || !sin6->sin6_port)
		return EINVAL;
	dest->addr = sin6->sin6_addr;
	dest->port = sin6->sin6_port;
	if (IN6_IS_ADDR_LINKLOCAL(&dest->addr) &&
	    call->name_len >= (int)sizeof(*sin6))
		dest->scope_id = sin6->sin6_scope_id;
	return 0;
}

static int find_dest(const struct fuzz_call *call, struct fuzz_dest *dest)
{
	int err;

	if (!call->name_len)
		err = peer_dest(call->sock, dest);
	else if (call->sock->family == AF_INET)
		err = ipv4_dest(call, dest);
	else
		err = ipv6_dest(call, dest);
	if (!dest->scope_id && IN6_IS_ADDR_LINKLOCAL(&dest->addr))
		dest->scope_id = call->sock->device;
	return err;
}

static int cut(const struct fuzz_call *call, struct fuzz_message *m)
{
	size_t max = QUIC_MAX_UDP_PAYLOAD;

	if (is_mapped(&m->dest.addr))
		max -= 20;
	if (m->gso && m->gso <= QUIC_TAG_SIZE)
		return EINVAL;
	if (call->len > max)
		return EMSGSIZE;
	if (!call->len)
		return EINVAL;
	m->stride = m->gso ? m->gso - QUIC_TAG_SIZE : call->len;
	if (m->stride > call->len)
		m->stride = call->len;
	m->count = (call->len + m->stride - 1) / m->stride;
	m->wire_len = call->len + m->count * QUIC_TAG_SIZE;
	if (m->count > QUIC_MAX_SEGMENTS || m->wire_len > max)
		return EMSGSIZE;
	return 0;
}

static int find_flow(const struct fuzz_call *call, struct fuzz_message *m)
{
	struct quic_dcid dcid = { .len = m->dcid_len };

	if (call->len < 1 + m->dcid_len)
		return EINVAL;
	if (call->readable < 1 + m->dcid_len)
		return EFAULT;
	memcpy(dcid.id, call->message + 1, dcid.len);
	m->flow = fuzz_match_find(call->sock, &m->dest, &dcid);
	return m->flow ? 0 : ENOENT;
}

int fuzz_model_message(const struct fuzz_call *call, struct fuzz_message *m)
{
	int err;

	memset(m, 0, offsetof(struct fuzz_message, pn));
	err = parse_control(call, m);
	if (!m->encrypt || m->bypass)
		return err;

	if (call->flags & HELD_FLAGS || call->sock->corked || call->sock->pending)
		return EOPNOTSUPP;
	if (!err)
		err = find_dest(call, &m->dest);
	if (!err)
		err = cut(call, m);
	if (!err)
		err = find_flow(call, m);
	m->simple = !m->foreign && !call->sock->odd &&
		    !(call->flags & ~SIMPLE_FLAGS) && m->gso < FUZZ_MTU - 48 &&
		    fuzz_dest_known(&m->dest);
	return err;
}

/* @expected is the smallest number that it can have. */
static unsigned __int128 packet_number(const uint8_t *packet, size_t dcid_len,
				       unsigned __int128 expected)
{
	unsigned int pn_len = (packet[0] & 3) + 1, i;
	uint64_t window = 1ULL << (8 * pn_len), truncated = 0;

	for (i = 0; i < pn_len; i++)
		truncated = truncated << 8 | packet[1 + dcid_len + i];
	return expected + ((truncated - (uint64_t)expected) & (window - 1));
}

static int check_packets(const struct fuzz_call *call, struct fuzz_message *m,
			 bool *over)
{
	unsigned __int128 pn = m->next_pkt_num;
	size_t at = 0, end, hdr = 1 + m->dcid_len;
	unsigned int i;

	memset(m->packets, 0, sizeof(m->packets));
	*over = false;
	for (i = 0; i < m->count; i++, at = end) {
		const uint8_t *packet = call->message + at;
		unsigned int phase;

		end = at + m->stride < call->len ? at + m->stride : call->len;
		if (call->readable < end)
			return EFAULT;
		if (end - at < hdr + 4 || packet[0] & QUIC_LONG_HEADER ||
		    memcmp(packet + 1, m->flow->dcid.id, m->dcid_len))
			return EINVAL;
		pn = packet_number(packet, m->dcid_len, pn);
		if (!i && pn != m->next_pkt_num)
			return EINVAL;
		phase = !!(packet[0] & QUIC_KEY_PHASE);
		if (!m->flow->key[phase].oracle)
			return ENOKEY;
		m->pn[i] = pn;
		m->phase[i] = phase;
		if (!m->packets[phase]++)
			m->first[phase] = pn;
		m->last[phase] = pn;
		if (pn >= QUIC_PN_LIMIT)
			*over = true;
		pn++;
	}
	return 0;
}

static uint64_t packet_limit(const struct quic_cipher *cipher)
{
	return cipher->max_packets < fuzz_max_packets ? cipher->max_packets :
							fuzz_max_packets;
}

int fuzz_model_train(const struct fuzz_call *call, struct fuzz_message *m)
{
	unsigned int phase;
	bool over;
	int err;

	err = check_packets(call, m, &over);
	if (err)
		return err;
	if (over)
		return ERANGE;
	for (phase = 0; phase < 2; phase++)
		if (m->packets[phase] &&
		    m->first[phase] < m->flow->key[phase].next)
			return ERANGE;
	for (phase = 0; phase < 2; phase++)
		if (m->packets[phase] &&
		    m->flow->key[phase].packets + m->packets[phase] >
		    packet_limit(m->flow->keys.cipher))
			return EKEYEXPIRED;
	return 0;
}

bool fuzz_model_huge(const struct fuzz_message *m)
{
	return m->stride + QUIC_TAG_SIZE > FUZZ_MAX_PIECE;
}

void fuzz_model_sent(struct fuzz_message *m)
{
	unsigned int phase;

	for (phase = 0; phase < 2; phase++) {
		struct fuzz_key *key = &m->flow->key[phase];

		if (!m->packets[phase])
			continue;
		key->next = m->last[phase] + 1;
		key->packets += m->packets[phase];
		if (m->flow->next_pkt_num < key->next)
			m->flow->next_pkt_num = key->next;
	}
}

void fuzz_model_count(struct fuzz_flow *flow, unsigned int packets,
		      size_t bytes)
{
	flow->packets += packets;
	flow->bytes += bytes;
	fuzz_counters.packets += packets;
	fuzz_counters.bytes += bytes;
}

void fuzz_model_info(const struct fuzz_flow *flow, struct quic_flow_info *info)
{
	const struct fuzz_key *newest = &flow->key[flow->keys.generation & 1];

	info->next_pkt_num = flow->next_pkt_num;
	info->packets_left = packet_limit(flow->keys.cipher) - newest->packets;
}
