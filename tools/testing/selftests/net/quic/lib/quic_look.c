// SPDX-License-Identifier: GPL-2.0
/* Where plain text is seen, and where not. */

#include <errno.h>
#include <string.h>

#include <linux/if_packet.h>

#include "quic_look.h"

#define MAX_PACKET	2000

/* A destination that is unreachable, or a packet that is too big */
static bool is_error(const uint8_t *frame, ssize_t len)
{
	if (len >= 28 && frame[0] == 0x45)
		return frame[9] == IPPROTO_ICMP && frame[20] == 3;
	return len >= 48 && frame[0] >> 4 == 6 && frame[6] == IPPROTO_ICMPV6 &&
	       (frame[40] == 1 || frame[40] == 2);
}

void quic_look_at(int wire, unsigned int home, struct quic_look *look)
{
	static uint8_t frame[1 << 17];
	struct sockaddr_ll sll;
	socklen_t sll_len;
	ssize_t len;

	for (;;) {
		sll_len = sizeof(sll);
		len = recvfrom(wire, frame, sizeof(frame), MSG_DONTWAIT,
			       (void *)&sll, &sll_len);
		/* A device that it sees may have gone down. */
		if (len < 0 && errno != ENETDOWN)
			return;
		if (len <= 0)
			continue;
		if (home && is_error(frame, len))
			look->errors++;
		if (!memmem(frame, len, QUIC_MARKER, QUIC_MARKER_SIZE))
			continue;
		if (home && sll.sll_ifindex == (int)home &&
		    sll.sll_pkttype == PACKET_OUTGOING) {
			look->home++;
		} else {
			look->elsewhere++;
			look->where = sll.sll_ifindex;
		}
	}
}

struct quic_look quic_look(const struct quic_path *path, unsigned int home)
{
	struct quic_look look = {};

	quic_look_at(path->wire[0], home, &look);
	quic_look_at(path->wire[1], 0, &look);
	return look;
}

/* Which packet of the train it is, of those that have not come so often */
static int find(const uint8_t want[][MAX_PACKET], const struct quic_train *train,
		const uint8_t *packet, size_t len, const unsigned int *came,
		unsigned int times)
{
	unsigned int i;

	for (i = 0; i < train->count; i++)
		if (came[i] < times &&
		    len == train->at[i + 1] - train->at[i] + QUIC_TAG_SIZE &&
		    !memcmp(packet, want[i], len))
			return i;
	return -1;
}

unsigned int quic_receive_times(int rx, struct quic_oracle *const phase[2],
				const struct quic_train *train,
				unsigned int times)
{
	static uint8_t want[QUIC_MAX_SEGMENTS][MAX_PACKET];
	unsigned int came[QUIC_MAX_SEGMENTS] = {}, n, i;
	uint8_t packet[MAX_PACKET];
	ssize_t len;
	int which;

	for (i = 0; i < train->count; i++) {
		const uint8_t *plain = train->buf + train->at[i];

		quic_oracle_protect(phase[!!(*plain & QUIC_KEY_PHASE)],
				    train->pn[i], train->dcid_len, plain,
				    train->at[i + 1] - train->at[i], want[i]);
	}
	for (n = 0; n < times * train->count; n++) {
		len = recv(rx, packet, sizeof(packet), 0);
		if (len < 0)
			break;
		which = find(want, train, packet, len, came, times);
		if (which < 0)
			break;
		came[which]++;
	}
	return n;
}
