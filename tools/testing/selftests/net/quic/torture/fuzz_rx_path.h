/* SPDX-License-Identifier: GPL-2.0 */
/* What messages go through: the shapes of skb that they may become */
#ifndef FUZZ_RX_PATH_H
#define FUZZ_RX_PATH_H

#include "fuzz_rx_types.h"

enum fuzz_rx_shape {
	FUZZ_RX_WHOLE,		/* a train in page fragments */
	FUZZ_RX_LINEAR,		/* a train in one piece */
	FUZZ_RX_GRO_FRAGS,	/* cut, and put together from fragments */
	FUZZ_RX_GRO_LIST,	/* cut, and put together as a list */
	FUZZ_RX_SINGLE,		/* cut, and left so */
	FUZZ_RX_SHAPES,
};

/* As they are now */
extern enum fuzz_rx_shape fuzz_rx_shape;
extern size_t fuzz_rx_mtu;

/* Two namespaces: that of the senders, and that of the receivers, where we are. */
void fuzz_rx_path_open(void);
void fuzz_rx_path_change(enum fuzz_rx_shape shape, size_t mtu);

/* Who sends as this peer */
int fuzz_rx_path_sender(const struct fuzz_dest *from);
/* Where it sends to: an address of the receiver; the port is not set. */
struct sockaddr_in6 fuzz_rx_path_to(const struct fuzz_dest *from);

#endif /* FUZZ_RX_PATH_H */
