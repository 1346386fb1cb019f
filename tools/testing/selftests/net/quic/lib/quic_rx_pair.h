/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two receivers, one with a flow and one of plain UDP: what both make of the
 * same message.
 */
#ifndef QUIC_RX_PAIR_H
#define QUIC_RX_PAIR_H

#include "quic_rx_env.h"

#define QUIC_RX_PAIR_DCID_LEN	8
#define QUIC_RX_PAIR_GENERATION	4
/* Control messages enough for all that there can be */
#define QUIC_RX_PAIR_ROOM	QUIC_MAX_CONTROL

struct quic_rx_pair {
	struct quic_rx_env env;		/* @env.rx has the flow */
	int plain;			/* the other one */
	struct quic_addr to_plain;
	struct quic_oracle *oracle;
	struct quic_connection_info info;
	struct quic_packet packet;	/* the one that comes next */
	struct quic_sealed sealed;	/* a message, see quic_rx_pair_seal() */
	struct quic_received ours, theirs;	/* @ret: negative errno */
};

/* These return -1 with errno where something is wrong. */
int quic_rx_pair_open(struct quic_rx_pair *pair, int family);
void quic_rx_pair_close(struct quic_rx_pair *pair);
int quic_rx_pair_setsockopt(const struct quic_rx_pair *pair, int level,
			    int name, const void *value, socklen_t len);
/* To both of them, in one message each */
int quic_rx_pair_send(const struct quic_rx_pair *pair,
		      const struct quic_sealed *sealed);

/* The next @count packets; the last has @last bytes, 0: as the others. */
void quic_rx_pair_seal(struct quic_rx_pair *pair, unsigned int count,
		       size_t last);

/* What plain UDP is given of @room, if entries for @want come before. */
size_t quic_rx_pair_room(const struct quic_sealed *want, size_t room);

/*
 * NULL if @ours is what @want says in what @theirs says, which is as on the
 * wire.  @extra: flags that plain UDP does not set.
 */
const char *quic_rx_pair_differs(struct quic_received *ours,
				 struct quic_received *theirs,
				 const struct quic_sealed *want, int extra);

/* Both receive, with room for so much; returns as quic_rx_pair_differs(). */
const char *quic_rx_pair_receive(struct quic_rx_pair *pair,
				 const struct quic_sealed *want, size_t len,
				 size_t room, int flags, int extra);

#endif /* QUIC_RX_PAIR_H */
