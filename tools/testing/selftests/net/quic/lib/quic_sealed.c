// SPDX-License-Identifier: GPL-2.0
/* Messages for a socket that opens packets. */

#include <stdio.h>
#include <string.h>

#include "quic_sealed.h"

void quic_sealed_start(struct quic_sealed *sealed)
{
	sealed->count = 0;
	sealed->len = 0;
	sealed->at[0] = 0;
	sealed->matched = false;
	sealed->unknown = 0;
}

/* What was appended to @wire and @want is a datagram. */
static struct quic_rx_ancillary_data *sealed_append(struct quic_sealed *sealed,
						    size_t len)
{
	struct quic_rx_ancillary_data *entry = &sealed->entry[sealed->count];

	memset(entry, 0, sizeof(*entry));
	sealed->header[sealed->count] = 0;
	sealed->len += len;
	sealed->at[++sealed->count] = sealed->len;
	return entry;
}

void quic_sealed_add(struct quic_sealed *sealed, struct quic_oracle *oracle,
		     uint8_t generation, const struct quic_packet *packet)
{
	uint8_t *want = sealed->want + sealed->len;
	uint8_t *wire = sealed->wire + sealed->len;
	struct quic_rx_ancillary_data *entry;

	quic_packet_build(want, packet);
	memset(want + packet->len, 0, QUIC_TAG_SIZE);
	quic_oracle_protect(oracle, packet->pn, packet->dcid.len, want,
			    packet->len, wire);

	entry = sealed_append(sealed, packet->len + QUIC_TAG_SIZE);
	entry->pkt_num = packet->pn;
	entry->status = QUIC_RX_DECRYPTED;
	entry->key_gen = generation;
	entry->conn_id_length = packet->dcid.len;
	sealed->header[sealed->count - 1] = quic_packet_header(packet);
	sealed->matched = true;
}

void quic_sealed_build(struct quic_sealed *sealed, struct quic_oracle *oracle,
		       uint8_t generation, struct quic_packet packet,
		       unsigned int count, size_t last)
{
	quic_sealed_start(sealed);
	for (; count; count--, packet.pn++) {
		if (count == 1 && last)
			packet.len = last;
		quic_sealed_add(sealed, oracle, generation, &packet);
	}
}

void quic_sealed_raw(struct quic_sealed *sealed, const void *datagram,
		     size_t len, bool unknown)
{
	memcpy(sealed->wire + sealed->len, datagram, len);
	memcpy(sealed->want + sealed->len, datagram, len);
	sealed_append(sealed, len);
	sealed->unknown += unknown;
}

void quic_sealed_expect(struct quic_sealed *sealed, unsigned int i, int status)
{
	struct quic_rx_ancillary_data *entry = &sealed->entry[i];
	size_t from = sealed->at[i], len = sealed->at[i + 1] - from;

	entry->status = status;
	entry->key_gen = 0;
	if (status == QUIC_RX_NO_KEY) {
		from += sealed->header[i];
		len -= sealed->header[i];
	} else {
		entry->pkt_num = 0;
	}
	if (status == QUIC_RX_NOT_OFFLOADED)
		entry->conn_id_length = 0;
	memcpy(sealed->want + from, sealed->wire + from, len);
}

void quic_sealed_flip(struct quic_sealed *sealed, unsigned int i, size_t bit)
{
	sealed->wire[sealed->at[i] + bit / 8] ^= 1 << bit % 8;
	quic_sealed_expect(sealed, i, QUIC_RX_BAD_TAG);
}

void quic_sealed_as_wire(struct quic_sealed *sealed)
{
	unsigned int i;

	for (i = 0; i < sealed->count; i++) {
		quic_sealed_expect(sealed, i, QUIC_RX_NOT_OFFLOADED);
		sealed->header[i] = 0;
	}
	sealed->matched = false;
	sealed->unknown = 0;
}

void quic_sealed_cut(struct quic_sealed *sealed, size_t len)
{
	unsigned int i;

	if (len >= sealed->len)
		return;

	sealed->len = len;
	sealed->matched = false;
	for (i = 0; sealed->at[i + 1] <= len; i++)
		sealed->matched |= sealed->entry[i].status !=
				   QUIC_RX_NOT_OFFLOADED;
	if (sealed->at[i] < len) {
		/* Its connection ID is enough to find the flow. */
		sealed->matched |= sealed->header[i] &&
				   len - sealed->at[i] >
				   sealed->entry[i].conn_id_length;
		quic_sealed_expect(sealed, i++, QUIC_RX_NOT_OFFLOADED);
	}
	sealed->count = i;
	sealed->at[i] = len;
}

void quic_sealed_part(struct quic_sealed *part,
		      const struct quic_sealed *sealed, unsigned int first,
		      unsigned int count)
{
	size_t from = sealed->at[first];
	unsigned int i;

	quic_sealed_start(part);
	part->count = count;
	part->len = sealed->at[first + count] - from;
	for (i = 0; i < count; i++) {
		part->at[i + 1] = sealed->at[first + i + 1] - from;
		part->header[i] = sealed->header[first + i];
		part->entry[i] = sealed->entry[first + i];
		part->matched |= part->header[i];
	}
	memcpy(part->wire, sealed->wire + from, part->len);
	memcpy(part->want, sealed->want + from, part->len);
}

static ssize_t sealed_send(int fd, const struct quic_addr *to,
			   const uint8_t *buf, size_t len, uint16_t gso)
{
	uint64_t control[CMSG_SPACE(sizeof(gso)) / 8] = {};
	struct iovec iov = { (void *)buf, len };
	struct msghdr mh = {
		.msg_name = to ? (void *)&to->ss : NULL,
		.msg_namelen = to ? to->len : 0,
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};

	if (gso)
		quic_cmsg_put(&mh, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso));
	return sendmsg(fd, &mh, 0);
}

ssize_t quic_sealed_send(int fd, const struct quic_addr *to,
			 const struct quic_sealed *sealed)
{
	return sealed_send(fd, to, sealed->wire, sealed->len,
			   sealed->count > 1 ? sealed->at[1] : 0);
}

ssize_t quic_sealed_send_singly(int fd, const struct quic_addr *to,
				const struct quic_sealed *sealed)
{
	unsigned int i;

	for (i = 0; i < sealed->count; i++) {
		size_t len = sealed->at[i + 1] - sealed->at[i];

		if (sealed_send(fd, to, sealed->wire + sealed->at[i], len, 0) !=
		    (ssize_t)len)
			return -1;
	}
	return sealed->len;
}

void quic_received_parse(struct quic_received *received, struct msghdr *mh)
{
	struct cmsghdr *cmsg;
	size_t len;

	received->flags = mh->msg_flags;
	received->control_len = mh->msg_controllen;
	received->count = 0;
	received->gro = 0;
	received->entries_come_first = false;
	for (cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level != SOL_UDP)
			continue;
		len = cmsg->cmsg_len - CMSG_LEN(0);
		if (cmsg->cmsg_type == UDP_GRO)
			memcpy(&received->gro, CMSG_DATA(cmsg), sizeof(int));
		if (cmsg->cmsg_type != UDP_QUIC_DECRYPT ||
		    len > sizeof(received->entry))
			continue;
		received->entries_come_first = cmsg == CMSG_FIRSTHDR(mh);
		received->count = len / sizeof(*received->entry);
		memcpy(received->entry, CMSG_DATA(cmsg), len);
	}
}

void quic_received_msghdr(struct quic_received *received, struct msghdr *mh,
			  struct iovec *iov, size_t len, size_t control_len)
{
	iov->iov_base = received->buf;
	iov->iov_len = len;
	*mh = (struct msghdr) {
		.msg_name = &received->from,
		.msg_namelen = sizeof(received->from),
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = received->control,
		.msg_controllen = control_len,
	};

	/* Nothing of what was there before passes for something received. */
	memset(received->buf, 0xa5, sizeof(received->buf));
	memset(received->control, 0xa5, sizeof(received->control));
}

ssize_t quic_received_get(struct quic_received *received, int fd, size_t len,
			  size_t control_len, int flags)
{
	struct msghdr mh;
	struct iovec iov;

	quic_received_msghdr(received, &mh, &iov, len, control_len);
	received->ret = recvmsg(fd, &mh, flags);
	if (received->ret < 0)
		mh.msg_controllen = 0;
	quic_received_parse(received, &mh);
	return received->ret;
}

const char *quic_received_content(const struct quic_received *received,
				  const struct quic_sealed *sealed)
{
	unsigned int i;

	if (memcmp(received->buf, sealed->want, sealed->len))
		return "bytes";
	if (!sealed->matched)
		return received->count ? "entries without a flow" : NULL;
	if (!received->entries_come_first)
		return "order of control messages";
	if (received->count != sealed->count)
		return "number of entries";
	for (i = 0; i < sealed->count; i++)
		if (memcmp(&received->entry[i], &sealed->entry[i],
			   sizeof(*sealed->entry)))
			return "entries";
	return NULL;
}

const char *quic_received_differs(const struct quic_received *received,
				  const struct quic_sealed *sealed)
{
	if (received->ret != (ssize_t)sealed->len)
		return "length";
	if (received->flags & (MSG_TRUNC | MSG_CTRUNC))
		return "flags";
	if (received->gro && received->gro != (int)sealed->at[1])
		return "stride";
	return quic_received_content(received, sealed);
}

/* They are read at once: tests read them often. */
struct quic_rx_counters quic_rx_counters(void)
{
	struct quic_rx_counters c = { -1, -1, -1, -1, -1, -1, -1 };
	const struct {
		const char *name;
		long *value;
	} counters[] = {
		{ "QuicRxSwPackets", &c.packets },
		{ "QuicRxSwBytes", &c.bytes },
		{ "QuicRxSwBadTag", &c.bad_tag },
		{ "QuicRxSwNoKey", &c.no_key },
		{ "QuicRxSwNoFlow", &c.no_flow },
		{ "QuicRxSwLimit", &c.limit },
		{ "QuicRxSwDropped", &c.dropped },
	};
	FILE *f = fopen("/proc/self/net/quic_stat", "r");
	char found[64];
	unsigned int i;
	long value;

	if (!f)
		return c;
	while (fscanf(f, "%63s %ld", found, &value) == 2)
		for (i = 0; i < sizeof(counters) / sizeof(*counters); i++)
			if (!strcmp(found, counters[i].name))
				*counters[i].value = value;
	fclose(f);
	return c;
}

void quic_rx_counters_add(struct quic_rx_counters *counters,
			  const struct quic_sealed *sealed)
{
	unsigned int i;

	for (i = 0; i < sealed->count; i++) {
		if (sealed->entry[i].status == QUIC_RX_DECRYPTED) {
			counters->packets++;
			counters->bytes += sealed->at[i + 1] - sealed->at[i];
		}
		counters->bad_tag += sealed->entry[i].status == QUIC_RX_BAD_TAG;
		counters->no_key += sealed->entry[i].status == QUIC_RX_NO_KEY;
		counters->limit += sealed->entry[i].status == QUIC_RX_LIMIT;
	}
	counters->no_flow += sealed->unknown;
}

int quic_rx_flow_add(int fd, const struct quic_connection_info *info,
		     uint64_t next_pkt_num)
{
	struct quic_rx_connection_info rx = {
		.conn = *info,
		.next_pkt_num = next_pkt_num,
	};

	return setsockopt(fd, SOL_UDP, UDP_QUIC_ADD_RX_CONNECTION, &rx,
			  sizeof(rx));
}

int quic_rx_flow_del(int fd, const struct quic_connection_info *info)
{
	return setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, info,
			  sizeof(*info));
}
