/* SPDX-License-Identifier: GPL-2.0 */
/* Ethernet frames with a UDP datagram, built by hand and let in by a TAP. */
#ifndef QUIC_FRAME_H
#define QUIC_FRAME_H

#include <linux/virtio_net.h>

#include "quic_lib.h"

/* Where frames for the TAP go */
#define QUIC_FRAME_MAC		"02:00:00:00:00:03"

#define QUIC_FRAME_PIECES	18	/* MAX_SKB_FRAGS, and a linear part */

struct quic_frame {
	size_t headers;			/* of Ethernet, IP and UDP */
	size_t len;
	struct virtio_net_hdr hdr;	/* nothing to do, as it is built */
	uint8_t bytes[1 << 17];
};

/* @from and @to are addresses of one family; the checksum is right. */
void quic_frame_build(struct quic_frame *frame, const struct quic_addr *from,
		      const struct quic_addr *to, const void *payload,
		      size_t len);
/* The checksum, where it is */
uint8_t *quic_frame_checksum(struct quic_frame *frame);
/* It is left to whoever sends it on, as a train cut every @gso_size bytes. */
void quic_frame_train(struct quic_frame *frame, uint8_t gso_type,
		      uint16_t gso_size);

/*
 * A TAP of this name, which is up.  With @pieces the skb has a linear part and
 * fragments of the lengths that quic_frame_inject() is told.  -1 with errno.
 */
int quic_frame_tap(const char *device, bool pieces);
/*
 * The first piece, linear, has @linear bytes behind the headers, the others
 * @piece, at most 4096; 0: as the device has it.  Returns 0, or the errno.
 */
int quic_frame_inject(int tap, const struct quic_frame *frame, size_t linear,
		      size_t piece);

#endif /* QUIC_FRAME_H */
