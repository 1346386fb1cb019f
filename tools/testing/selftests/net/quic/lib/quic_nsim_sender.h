/* SPDX-License-Identifier: GPL-2.0 */
/* A socket that sends by a netdevsim that takes keys. */
#ifndef QUIC_NSIM_SENDER_H
#define QUIC_NSIM_SENDER_H

#include "quic_nsim.h"

#define QUIC_NSIM_DCID_LEN	8

struct quic_nsim_sender {
	struct quic_path path;
	struct quic_nsim nsim;
	int tx;
	struct quic_addr to;
	struct quic_packet packet;	/* the next one */
	struct quic_oracle *phase[2];	/* by key phase, what packets come to */
	struct quic_train train;	/* the last one */
};

/*
 * Returns -1 with errno where something is wrong.  @family AF_UNSPEC: IPv4 from an
 * IPv6 socket.  There are no flows.
 */
int quic_nsim_sender_open(struct quic_nsim_sender *sender, int family,
			  bool segments);
void quic_nsim_sender_close(struct quic_nsim_sender *sender);
/* The socket alone, if it is there: the device is to forget its keys. */
void quic_nsim_sender_hang_up(struct quic_nsim_sender *sender);

/* Generation @generation of flow @which, whose packets are the next ones then */
int quic_nsim_sender_begin(struct quic_nsim_sender *sender, int cipher,
			   unsigned int which, uint8_t generation);
int quic_nsim_sender_delete(struct quic_nsim_sender *sender,
			    unsigned int which);

/* So many of the next packets */
void quic_nsim_sender_build(struct quic_nsim_sender *sender, unsigned int count,
			    size_t last);

#endif /* QUIC_NSIM_SENDER_H */
