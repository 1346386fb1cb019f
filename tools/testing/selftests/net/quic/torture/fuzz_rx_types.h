/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages for sockets that open packets, random reads, and a model beside
 * them that knows what each read must give.
 *
 * What is sent has been sealed by libcrypto.  The model keeps the queue of each
 * socket, opens packets with libcrypto when they are read, and writes down the
 * control messages, so that all that the kernel writes to memory is predicted,
 * but for the time in a timestamp.
 *
 * Each file knows those above its line, and none beside it or below:
 *
 *	fuzz_types, fuzz_fail, fuzz_random, fuzz_dest, fuzz_dcid, fuzz_match,
 *	fuzz_memory, fuzz_info: shared with the other fuzzer
 *	fuzz_rx_types
 *	fuzz_rx_count, fuzz_rx_queue, fuzz_rx_control, fuzz_rx_memory,
 *	fuzz_rx_path, fuzz_rx_dump
 *	fuzz_rx_flow
 *	fuzz_rx_open, fuzz_rx_sock
 *	fuzz_rx_model, fuzz_rx_seal
 *	fuzz_rx_gen, fuzz_rx_send, fuzz_rx_option, fuzz_rx_env
 *	fuzz_rx_exec
 *	fuzz_receive
 */
#ifndef FUZZ_RX_TYPES_H
#define FUZZ_RX_TYPES_H

#include "fuzz_types.h"

#define FUZZ_RX_SOCKS		4
#define FUZZ_RX_QUEUE		160		/* messages of a socket, at most */
#define FUZZ_RX_QUEUE_BYTES	(1 << 19)	/* when no more are sent */
#define FUZZ_RX_MESSAGE		(1 << 16)
#define FUZZ_RX_ROOM		(FUZZ_RX_MESSAGE + 4096)
#define FUZZ_RX_CONTROL		2400		/* all that there can be, and more */
#define FUZZ_RX_VLEN		16		/* messages of one recvmmsg() */
#define FUZZ_RX_UNWRITTEN	0xa5		/* memory before the call */

/* What has arrived and was not read */
struct fuzz_rx_message {
	struct fuzz_dest from;
	struct in6_addr to;
	uint8_t tos;
	uint32_t drops;		/* of the socket, when it came */
	bool peeked;
	size_t stride;		/* as UDP_GRO tells; 0: not a train */
	size_t len;
	uint8_t wire[];
};

enum fuzz_rx_time { FUZZ_RX_NO_TIME, FUZZ_RX_TIMEVAL, FUZZ_RX_TIMESPEC };

struct fuzz_rx_sock {
	struct fuzz_sock sock;	/* with its flows */
	bool drop;		/* UDP_QUIC_RX_DROP */
	bool gro;
	int peek_off;
	/* control messages that were asked for */
	enum fuzz_rx_time time;
	bool overflow;
	bool pktinfo, ttl, tos;
	bool pktinfo6, hoplimit, tclass;
	uint32_t drops;
	size_t bytes;		/* in the queue */
	unsigned int messages;
	struct fuzz_rx_message *queue[FUZZ_RX_QUEUE];
};

enum fuzz_rx_call { FUZZ_RX_RECVMSG, FUZZ_RX_RECVMMSG, FUZZ_RX_RECV, FUZZ_RX_READ };

/* Where a control buffer is not */
enum fuzz_rx_nowhere { FUZZ_RX_SOMEWHERE, FUZZ_RX_NULL, FUZZ_RX_UNMAPPED };

struct fuzz_rx_read {
	enum fuzz_rx_call call;
	struct fuzz_rx_sock *rx;
	int flags;
	size_t room;
	size_t writable;	/* bytes of @room */
	enum fuzz_rx_nowhere nowhere;
	size_t control_len;
	size_t name_len;
};

/* What a read must come to */
struct fuzz_rx_want {
	long ret;		/* or negative errno */
	size_t len;		/* bytes that were written */
	int flags;
	/* of what: the message, and where in it */
	size_t wire_len, stride, off;
	bool blurred;		/* how far its flows are now, nobody knows */
	enum fuzz_rx_nowhere nowhere;
	size_t control_room;
	size_t control_len;
	size_t time_at, time_len;	/* bytes that nobody knows */
	size_t name_len;
	struct sockaddr_in6 name;
	uint8_t control[FUZZ_RX_CONTROL];
	uint8_t bytes[FUZZ_RX_MESSAGE];
	uint8_t wire[FUZZ_RX_MESSAGE];
};

#endif /* FUZZ_RX_TYPES_H */
