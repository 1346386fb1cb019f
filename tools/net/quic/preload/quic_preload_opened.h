/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Inside quic_preload.so: datagrams that the kernel has opened */
#ifndef QUIC_PRELOAD_OPENED_H
#define QUIC_PRELOAD_OPENED_H

#include "quic_offload_receive.h"

/* From <linux/udp.h>, which cannot be included with <netinet/udp.h> */
#ifndef SOL_UDP
#define SOL_UDP			17
#endif
#ifndef UDP_QUIC_DECRYPT
#define UDP_QUIC_DECRYPT	111
#endif

/* Whether a control message says what the kernel has opened */
static inline bool preload_is_entries(const struct cmsghdr *cmsg)
{
	return cmsg->cmsg_level == SOL_UDP &&
	       cmsg->cmsg_type == UDP_QUIC_DECRYPT;
}

/**
 * preload_expects() - whether packets may come opened
 * @fd: where a message is about to be received; preload_received_on() tells
 */
bool preload_expects(int fd);

/**
 * preload_received() - mark the datagrams of a message that were opened
 * @fd: where it was received
 * @msg: as recvmsg() has left it, with the entries of UDP_QUIC_DECRYPT
 * @len: what recvmsg() has returned
 */
void preload_received(int fd, const struct msghdr *msg, size_t len);

/**
 * preload_recognise() - what has become of a datagram that the program has;
 * inside the lock
 * @data: the datagram, maybe a copy
 * @len: its length
 * @datagram: filled in; of the generation it is known modulo 4
 */
void preload_recognise(const uint8_t *data, size_t len,
		       struct quic_offload_datagram *datagram);

/* Where this thread has received last; -1: nowhere */
int preload_received_on(void);

#endif /* QUIC_PRELOAD_OPENED_H */
