/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the parts of quic_preload.so share. */
#ifndef QUIC_PRELOAD_H
#define QUIC_PRELOAD_H

#include <stdatomic.h>

#include "quic_offload.h"

/* All else is hidden: the program may have a quic_offload.c of its own. */
#define EXPORT	__attribute__((visibility("default")))

/* The function of that name that is called where this library is not loaded */
#define NEXT(name) ({							\
	static _Atomic(void *) next;					\
									\
	if (!next)							\
		next = preload_next(#name);				\
	(typeof(&name))next;						\
})
void *preload_next(const char *name);

/* Whether packets are left to the kernel */
enum preload_state {
	PRELOAD_WAIT,	/* for the first QUIC packet: not yet */
	PRELOAD_ON,
	PRELOAD_OFF,	/* never again */
};
extern _Atomic(enum preload_state) preload_state;

/*
 * One lock for all that the library knows.  Inside of it functions that the
 * library stands in for go to the real ones.
 */
extern _Thread_local bool preload_inside;
void preload_lock(void);
void preload_unlock(void);

/**
 * preload_has_ticket() - whether a datagram ends with a packet to protect
 * @datagram: one datagram
 * @len: its length
 */
bool preload_has_ticket(const uint8_t *datagram, size_t len);

/**
 * preload_redeem() - the packet to protect at the end of a datagram
 * @datagram: one that has a ticket
 * @len: its length, ticket included
 * @packet: filled in, refers to @datagram; begins later than that if the
 *	datagram has other packets before it.  @ready if its key is too old
 *	for quic_offload_send(): preload_protect() is left
 *
 * Return: the connection of the packet, or NULL if that is gone; inside the
 * lock, and valid until it is released
 */
struct quic_offload_conn *preload_redeem(const uint8_t *datagram, size_t len,
					 struct quic_offload_packet *packet);

/**
 * preload_protect() - do in userspace what the ticket of a datagram promises
 * @to: a copy of the datagram, with its last packet protected; same length
 * @datagram: one that preload_redeem() accepts
 * @len: its length
 *
 * Return: 0, or -1 on failure; inside the lock
 */
int preload_protect(uint8_t *to, const uint8_t *datagram, size_t len);

/**
 * preload_stats() - what became of the packets of all connections
 */
struct quic_offload_stats preload_stats(void);

#endif /* QUIC_PRELOAD_H */
