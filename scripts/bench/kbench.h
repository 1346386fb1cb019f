/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/quic_bench: loops that run inside the kernel, without system calls. */
#ifndef KBENCH_H
#define KBENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* The packets that are sent lie in the source, which write() fills.  They
 * have one byte of flags, a connection ID and a short packet number, so that
 * those of a train stay as they are while next_pkt_num goes up by whole laps.
 */
#define KBENCH_SOURCE	(32 << 20)
#define BENCH_DCID_LEN	8
#define BENCH_PN_LEN	2
#define BENCH_HDR_LEN	(1 + BENCH_DCID_LEN + BENCH_PN_LEN)
#define BENCH_LAP	(1 << 8 * BENCH_PN_LEN)

enum {
	KBENCH_MEMCPY,		/* copy packets of the source to one place */
	KBENCH_AEAD,		/* crypto_aead on one packet, in place */
	KBENCH_BARE,		/* the same by the assembly below it */
	KBENCH_LIBRARY,		/* the same by the offload's own library calls */
	KBENCH_SEND,		/* sendmsg() of trains */
	KBENCH_OPEN,		/* crypto_aead, opening in place */
	KBENCH_OPEN_LIBRARY,	/* the same by the offload's own library calls */
	KBENCH_SKB_COPY,	/* copy a packet, but its header, from an skb */
};

/**
 * struct kbench_loop - argument of KBENCH_RUN
 * @op: KBENCH_*
 * @loops: how often
 * @wire: bytes of a packet, with tag
 * @stride: bytes from packet to packet in the source
 * @train: packets of a message
 * @base: where in the source the first train begins
 * @ring: packets from there on that are used, one train after the other
 * @key_len: bytes in the key of @alg
 * @hdr_len: bytes of associated data
 * @alg: AEAD in the crypto API
 * @fd: UDP socket
 * @name_len: bytes of @name; 0 sends to the peer of the socket
 * @control_len: bytes of @control
 * @pkt_num_at: where in @control the number of the first packet stands, or 0
 * @flows: write a connection ID below this into each train, unless 0
 * @random: any of them, else always 0
 * @name: destination
 * @control: control messages
 * @lap: how often the source has been gone through
 * @ns: how long it took
 */
struct kbench_loop {
	__u32	op;
	__u32	loops;
	__u32	wire;
	__u32	stride;
	__u32	train;
	__u32	base;
	__u32	ring;
	__u32	key_len;
	__u32	hdr_len;
	char	alg[28];
	__s32	fd;
	__u32	name_len;
	__u32	control_len;
	__u32	pkt_num_at;
	__u32	flows;
	__u32	random;
	__u8	name[32];
	__u64	control[8];
	__u64	lap;
	__u64	ns;
};

/**
 * struct kbench_setsockopt - argument of KBENCH_SETSOCKOPT
 * @fd: UDP socket
 * @name: option
 * @flows: how often, with flow numbers from 0 on
 * @flow_at: where in @value the number of the flow stands
 * @len: bytes of @value
 * @value: value
 * @ns: how long it took
 */
struct kbench_setsockopt {
	__s32	fd;
	__u32	name;
	__u32	flows;
	__u32	flow_at;
	__u32	len;
	__u32	pad;
	__u64	value[24];
	__u64	ns;
};

/**
 * struct kbench_receive - argument of KBENCH_RECEIVE
 * @fd: UDP socket that receives
 * @send_fd: UDP socket that is connected to it and cuts what it is given into
 *	packets; -1 to read what is in the queue, until it is empty
 * @messages: that are sent, and then received, which is timed
 * @batches: how often
 * @wire: bytes of a packet, and from packet to packet in the source
 * @train: packets of a message
 * @ring: packets of the source that are sent, one train after the other
 * @packet: the next one of them; updated
 * @flows: each message is of any of so many flows, unless 0
 * @tags_at: where in the source the tags of flow 0 begin, then those of flow 1
 * @control_len: bytes of room for control messages
 * @seed: of the random numbers
 * @received: messages, in all batches
 * @ns: how long it took to receive them
 * @control: the control messages of the last one, as much as fits
 */
struct kbench_receive {
	__s32	fd;
	__s32	send_fd;
	__u32	messages;
	__u32	batches;
	__u32	wire;
	__u32	train;
	__u32	ring;
	__u32	packet;
	__u32	flows;
	__u32	tags_at;
	__u32	control_len;
	__u32	pad;
	__u64	seed;
	__u64	received;
	__u64	ns;
	__u64	control[8];
};

#define KBENCH_RUN		_IOWR('Q', 0, struct kbench_loop)
#define KBENCH_SETSOCKOPT	_IOWR('Q', 1, struct kbench_setsockopt)
#define KBENCH_RECEIVE		_IOWR('Q', 2, struct kbench_receive)

#endif /* KBENCH_H */
