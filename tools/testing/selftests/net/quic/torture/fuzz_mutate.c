// SPDX-License-Identifier: GPL-2.0
/* Spoil a message in one way, or in some. */

#include <arpa/inet.h>
#include <string.h>

#include "fuzz_cmsg.h"
#include "fuzz_dest.h"
#include "fuzz_mutate.h"
#include "fuzz_random.h"

static void mutate_flags(struct fuzz_call *call)
{
	static const int flags[] = {
		MSG_MORE, MSG_OOB, MSG_PROXY, MSG_ZEROCOPY, MSG_CONFIRM,
		MSG_DONTROUTE, MSG_EOR, MSG_SYN, MSG_FASTOPEN, 0x8000000, 0x80000,
	};

	call->flags |= fuzz_pick(flags);
}

static void mutate_name(struct fuzz_call *call)
{
	struct sockaddr_in6 *sin6 = (void *)&call->name;
	const uint32_t scopes[] = { 0, fuzz_lo, 77 };
	struct sockaddr_in *sin = (void *)&call->name;
	struct fuzz_dest dest;

	switch (fuzz_below(7)) {
	case 0:
		call->name_len = 0;
		break;
	case 1:
		call->name_len = fuzz_below(40);
		break;
	case 2:
		sin6->sin6_family = fuzz_below(12);
		break;
	case 3:
		sin6->sin6_port = 0;
		break;
	case 4:
		dest = fuzz_dest_random(call->sock);
		call->name_len = fuzz_dest_name(call->sock, &dest, &call->name);
		break;
	case 5:
		sin6->sin6_scope_id = fuzz_pick(scopes);
		break;
	case 6:
		sin->sin_addr.s_addr = htonl(0x7f000000 | fuzz_below(1 << 24));
		break;
	}
}

static void mutate_bytes(struct fuzz_call *call)
{
	size_t len = call->len < FUZZ_MESSAGE_SIZE ? call->len : 0;
	unsigned int i, n = 1 + fuzz_below(3);

	/* Mostly in the header of the first packet */
	for (i = 0; i < n && len; i++)
		call->message[fuzz_below(len > 26 && fuzz_chance(70) ? 26 : len)] ^=
			1 << fuzz_below(8);
}

static void mutate_first_byte(struct fuzz_call *call)
{
	static const uint8_t bits[] = { QUIC_LONG_HEADER, QUIC_KEY_PHASE, 1, 2 };

	call->message[0] ^= fuzz_pick(bits);
}

static void mutate_len(struct fuzz_call *call)
{
	switch (fuzz_below(5)) {
	case 0:
		call->len = fuzz_below(30);
		break;
	case 1:
		if (call->len)
			call->len -= 1 + fuzz_below(call->len < 20 ? call->len : 20);
		break;
	case 2:
		if (call->len < FUZZ_MESSAGE_SIZE - 20)
			call->len += 1 + fuzz_below(20);
		break;
	case 3:
		call->len = 65450 + fuzz_below(100);
		break;
	case 4:
		call->len = FUZZ_MESSAGE_SIZE + fuzz_below(16 << 20);
		call->readable = FUZZ_MESSAGE_SIZE;
		break;
	}
}

static void mutate_memory(struct fuzz_call *call)
{
	size_t len = call->len < FUZZ_MESSAGE_SIZE ? call->len : FUZZ_MESSAGE_SIZE;

	call->readable = fuzz_chance(30) ? fuzz_below(25) : fuzz_below(len + 1);
}

/* Control message @n of those that are there, or NULL */
static struct cmsghdr *find_cmsg(struct fuzz_call *call, unsigned int n)
{
	struct msghdr mh = { .msg_control = call->control,
			     .msg_controllen = call->control_len };
	struct cmsghdr *cmsg = CMSG_FIRSTHDR(&mh);

	while (cmsg && n--)
		cmsg = CMSG_NXTHDR(&mh, cmsg);
	return cmsg;
}

static void mutate_anc(struct fuzz_call *call)
{
	struct quic_tx_ancillary_data anc;
	struct cmsghdr *cmsg;
	unsigned int n;

	for (n = 0; (cmsg = find_cmsg(call, n)); n++)
		if (cmsg->cmsg_level == SOL_UDP &&
		    cmsg->cmsg_type == UDP_QUIC_ENCRYPT &&
		    cmsg->cmsg_len == CMSG_LEN(sizeof(anc)))
			break;
	if (!cmsg)
		return;
	memcpy(&anc, CMSG_DATA(cmsg), sizeof(anc));
	switch (fuzz_below(5)) {
	case 0:
		anc.flags = 1 << fuzz_below(8);
		break;
	case 1:
		anc.flags = fuzz_random();
		break;
	case 2:
		anc.conn_id_length = fuzz_below(26);
		break;
	case 3:
		anc.next_pkt_num += fuzz_below(3) - 1;
		break;
	case 4:
		anc.next_pkt_num ^= 1ULL << fuzz_below(64);
		break;
	}
	memcpy(CMSG_DATA(cmsg), &anc, sizeof(anc));
}

static void mutate_segment(struct fuzz_call *call)
{
	static const uint16_t sizes[] = { 0, 1, 15, 16, 17, 18, 20, 24, 65535 };
	uint16_t gso = fuzz_chance(50) ? fuzz_pick(sizes) : fuzz_below(200);

	fuzz_put_cmsg(call, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
}

static void mutate_cmsg(struct fuzz_call *call)
{
	struct cmsghdr *cmsg = find_cmsg(call, fuzz_below(3));

	if (!cmsg)
		return;
	switch (fuzz_below(6)) {
	case 0:
		cmsg->cmsg_len += fuzz_below(17) - 8;
		break;
	case 1:
		cmsg->cmsg_len = fuzz_below(80);
		break;
	case 2:
		cmsg->cmsg_len = fuzz_random();
		break;
	case 3:
		cmsg->cmsg_type = fuzz_below(120);
		break;
	case 4:
		cmsg->cmsg_level = fuzz_below(60);
		break;
	case 5:
		call->control_len -= fuzz_below(call->control_len < 40 ?
						call->control_len : 40);
		break;
	}
}

/* One more of those that are there */
static void mutate_again(struct fuzz_call *call)
{
	struct cmsghdr *cmsg = find_cmsg(call, fuzz_below(3));
	uint8_t data[64];
	size_t len;

	if (!cmsg || cmsg->cmsg_len < sizeof(*cmsg))
		return;
	len = cmsg->cmsg_len - sizeof(*cmsg);
	if (len > sizeof(data))
		return;
	memcpy(data, CMSG_DATA(cmsg), len);
	fuzz_put_cmsg(call, cmsg->cmsg_level, cmsg->cmsg_type, data, len);
}

static void mutate_control(struct fuzz_call *call)
{
	uint8_t *control = (uint8_t *)call->control;

	if (call->control_len)
		control[fuzz_below(call->control_len)] ^= 1 << fuzz_below(8);
}

void fuzz_mutate(struct fuzz_call *call)
{
	static void (* const mutations[])(struct fuzz_call *call) = {
		mutate_flags, mutate_name, mutate_bytes, mutate_first_byte,
		mutate_len, mutate_memory, mutate_anc, mutate_segment,
		mutate_cmsg, mutate_again, mutate_control,
	};

	do
		fuzz_pick(mutations)(call);
	while (fuzz_chance(25));
}
