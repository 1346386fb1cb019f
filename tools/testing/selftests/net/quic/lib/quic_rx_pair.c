// SPDX-License-Identifier: GPL-2.0
/* Two receivers: what both make of the same message. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "quic_rx_pair.h"

int quic_rx_pair_open(struct quic_rx_pair *pair, int family)
{
	struct quic_keys keys;

	pair->plain = -1;
	if (quic_rx_env_open(&pair->env, family))
		return -1;
	pair->plain = quic_rx_env_receiver(&pair->env, &pair->to_plain);
	pair->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 100,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&pair->packet.dcid, QUIC_RX_PAIR_DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1,
			 QUIC_RX_PAIR_GENERATION);
	pair->oracle = quic_oracle_new(&keys);
	quic_flow_info(&pair->info, &keys, &pair->packet.dcid, NULL);
	if (pair->plain < 0)
		return -1;
	return quic_rx_flow_add(pair->env.rx, &pair->info, pair->packet.pn);
}

void quic_rx_pair_close(struct quic_rx_pair *pair)
{
	quic_oracle_free(pair->oracle);
	close(pair->plain);
	quic_rx_env_close(&pair->env);
}

int quic_rx_pair_setsockopt(const struct quic_rx_pair *pair, int level,
			    int name, const void *value, socklen_t len)
{
	return setsockopt(pair->env.rx, level, name, value, len) ||
	       setsockopt(pair->plain, level, name, value, len) ? -1 : 0;
}

int quic_rx_pair_send(const struct quic_rx_pair *pair,
		      const struct quic_sealed *sealed)
{
	ssize_t len = sealed->len;

	return quic_sealed_send(pair->env.tx, &pair->env.to, sealed) == len &&
	       quic_sealed_send(pair->env.tx, &pair->to_plain, sealed) == len ?
	       0 : -1;
}

void quic_rx_pair_seal(struct quic_rx_pair *pair, unsigned int count,
		       size_t last)
{
	quic_sealed_build(&pair->sealed, pair->oracle, QUIC_RX_PAIR_GENERATION,
			  pair->packet, count, last);
	pair->packet.pn += count;
}

size_t quic_rx_pair_room(const struct quic_sealed *want, size_t room)
{
	size_t entries = 0;

	if (want->matched)
		entries = CMSG_SPACE(want->count * sizeof(*want->entry));
	return room > entries ? room - entries : 0;
}

/* The control messages of UDP, without the time that they tell */
static size_t other_messages(struct quic_received *received,
			     const uint8_t **from)
{
	struct msghdr mh = {
		.msg_control = received->control,
		.msg_controllen = received->control_len,
	};
	struct cmsghdr *cmsg;
	size_t entries = 0;

	for (cmsg = CMSG_FIRSTHDR(&mh); cmsg; cmsg = CMSG_NXTHDR(&mh, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET &&
		    cmsg->cmsg_type != SO_RXQ_OVFL)
			memset(CMSG_DATA(cmsg), 0, cmsg->cmsg_len - CMSG_LEN(0));
	if (received->entries_come_first)
		entries = CMSG_SPACE(received->count * sizeof(*received->entry));
	*from = (uint8_t *)received->control + entries;
	return received->control_len - entries;
}

const char *quic_rx_pair_differs(struct quic_received *ours,
				 struct quic_received *theirs,
				 const struct quic_sealed *want, int extra)
{
	const uint8_t *our_messages, *their_messages;
	size_t len;

	if (ours->ret != theirs->ret)
		return "return value";
	if (ours->ret < 0)
		return NULL;
	if (ours->flags != (theirs->flags | extra))
		return "flags";
	if (memcmp(&ours->from, &theirs->from, sizeof(ours->from)))
		return "source";

	len = other_messages(ours, &our_messages);
	if (len != other_messages(theirs, &their_messages))
		return "length of UDP's control messages";
	if (memcmp(our_messages, their_messages, len))
		return "UDP's control messages";
	if (memcmp(theirs->buf, want->wire, want->len))
		return "bytes of plain UDP";
	if (ours->buf[want->len] != 0xa5)
		return "too many bytes";
	return quic_received_content(ours, want);
}

const char *quic_rx_pair_receive(struct quic_rx_pair *pair,
				 const struct quic_sealed *want, size_t len,
				 size_t room, int flags, int extra)
{
	if (quic_received_get(&pair->ours, pair->env.rx, len, room, flags) < 0)
		pair->ours.ret = -errno;
	if (quic_received_get(&pair->theirs, pair->plain, len,
			      quic_rx_pair_room(want, room), flags) < 0)
		pair->theirs.ret = -errno;
	return quic_rx_pair_differs(&pair->ours, &pair->theirs, want, extra);
}
