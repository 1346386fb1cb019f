/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the parts of quic_preload.so share. */
#ifndef QUIC_PRELOAD_H
#define QUIC_PRELOAD_H

#include <stdatomic.h>
#include <sys/socket.h>

#include "quic_offload_receive.h"

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

/* QUIC_OFFLOAD=0, no memory, or no random numbers */
extern bool preload_off;

/* Connections whose keys were seen, those that are gone too */
extern atomic_uint preload_connections;

/* Whether ngtcp2 has had a packet of any kind encrypted here */
extern atomic_bool preload_encrypts;

/*
 * One lock for all that the library knows.  Inside of it functions that the
 * library stands in for go to the real ones.
 */
extern _Thread_local bool preload_inside;
void preload_lock(void);
void preload_unlock(void);

/* Whether this process is the one that the library was loaded in, or its fork;
 * not one that vfork() has made, which has this memory but other descriptors.
 */
bool preload_is_owner(void);

/* Tell the user, the same thing once, without newline; inside the lock */
void preload_say(const char *text);

/* Sockets */

/* Whether what is sent there are datagrams of UDP */
bool preload_is_udp(int fd);

/* Inside the lock.  NULL if it is no UDP socket. */
struct quic_offload_socket *preload_socket(int fd);

/* Whether it is one that preload_socket() has been asked for */
bool preload_knows_socket(int fd);

/* It is about to be closed. */
void preload_forget_socket(int fd);

/* Messages */

/**
 * preload_take() - see what is sent, and send it if packets are deferred in it
 * @fd: where to
 * @msg: as for sendmsg()
 * @flags: as for sendmsg()
 * @ret: what sendmsg() returns, and errno is set, if it was done here
 *
 * Return: whether it was done here, successfully or not
 */
bool preload_take(int fd, const struct msghdr *msg, int flags, ssize_t *ret);

/* Whether packets are deferred in a message: preload_take() has to send it. */
bool preload_wants(int fd, const struct msghdr *msg, int flags);

/* Datagrams of a program, all but preload_has_ticket() inside the lock */

/**
 * preload_note() - see whether a datagram has a packet that ngtcp2 protected
 * @fd: the UDP socket that it leaves by
 * @datagram: one datagram
 * @len: its length
 *
 * Connections learn here that their packets can be deferred.
 */
void preload_note(int fd, const uint8_t *datagram, size_t len);

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
 * @packet: filled in; @ready if its key is too old for quic_offload_send(), or
 *	if it has other packets before it: preload_protect() is left.  The data
 *	are the library's, and valid until the lock is released.
 *
 * Return: the connection of the packet, or NULL if that or the packet is gone
 */
struct quic_offload_conn *preload_redeem(const uint8_t *datagram, size_t len,
					 struct quic_offload_packet *packet);

/**
 * preload_protect() - do in userspace what the ticket of a datagram promises
 * @to: the datagram, with its last packet protected; same length
 * @datagram: one that preload_redeem() accepts
 * @len: its length
 *
 * Return: 0, or -1 on failure
 */
int preload_protect(uint8_t *to, const uint8_t *datagram, size_t len);

/**
 * preload_left() - the program is done with a datagram
 * @datagram: any
 * @len: its length
 * @kernel: whether the kernel protects packets on the socket
 */
void preload_left(const uint8_t *datagram, size_t len, bool kernel);

/**
 * preload_stop() - the program sends in a way in which nothing can be protected
 * @datagram: any, its connection has no other packets deferred from now on
 * @len: its length
 */
void preload_stop(const uint8_t *datagram, size_t len);

/* What became of the packets of all connections */
struct preload_stats {
	struct quic_offload_stats tx;
	struct quic_offload_rx_stats rx;
};
struct preload_stats preload_stats(void);

/* Datagrams that were protected here, and quic_offload knows as ready */
extern uint64_t preload_user_packets;

#endif /* QUIC_PRELOAD_H */
