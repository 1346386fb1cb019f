/* SPDX-License-Identifier: GPL-2.0 */
/* What the tests and the demonstration share: packets, flows, messages. */
#ifndef QUIC_LIB_H
#define QUIC_LIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <linux/quic.h>
#include <linux/udp.h>

#include "quic_oracle.h"

#ifndef SOL_UDP
#define SOL_UDP IPPROTO_UDP
#endif

/* First byte of a packet, RFC 9000 sections 17.2 and 17.3 */
#define QUIC_LONG_HEADER	0x80
#define QUIC_FIXED_BIT		0x40
#define QUIC_KEY_PHASE		0x04

#define QUIC_PN_LIMIT		(1ULL << 62)

#define QUIC_MAX_UDP_PAYLOAD	65527	/* IPv6; 20 less for IPv4 */
#define QUIC_MAX_SEGMENTS	128	/* UDP_MAX_SEGMENTS of the kernel */

/* Every plaintext payload starts with this, as far as it is long enough. */
#define QUIC_MARKER		"quic-kselftest!!"
#define QUIC_MARKER_SIZE	16

/* The short-header packet of RFC 9001 appendix A.5 */
struct quic_vector {
	struct quic_keys keys;
	uint64_t pn;
	uint8_t plain[5];
	uint8_t protected[21];
};

extern const struct quic_vector quic_rfc9001_a5;

struct quic_dcid {
	uint8_t len;
	uint8_t id[QUIC_MAX_CONNECTION_ID_SIZE];
};

/* Two DCIDs of one length and different @which differ. */
void quic_dcid_init(struct quic_dcid *dcid, uint8_t len, unsigned int which);

struct quic_packet {
	uint64_t pn;
	size_t len;		/* all of the plaintext packet */
	unsigned int pn_len;
	uint8_t flags;		/* first byte without packet number length */
	struct quic_dcid dcid;
};

size_t quic_packet_header(const struct quic_packet *packet);
void quic_packet_build(uint8_t *buf, const struct quic_packet *packet);

/* Plaintext packets, one behind the other. */
struct quic_train {
	unsigned int count;
	size_t len;
	uint8_t dcid_len;
	uint64_t pn[QUIC_MAX_SEGMENTS + 1];
	size_t at[QUIC_MAX_SEGMENTS + 2];	/* packet i: at[i] to at[i + 1] */
	uint8_t buf[1 << 16];
};

void quic_train_add(struct quic_train *train, const struct quic_packet *packet);
/* @count packets like @packet; the last has @last bytes, 0: as the others. */
void quic_train_build(struct quic_train *train, struct quic_packet packet,
		      unsigned int count, size_t last);

struct quic_addr {
	struct sockaddr_storage ss;
	socklen_t len;
};

/* @to NULL: any destination */
void quic_flow_info(struct quic_connection_info *info,
		    const struct quic_keys *keys, const struct quic_dcid *dcid,
		    const struct quic_addr *to);
int quic_flow_add(int fd, const struct quic_connection_info *info);
int quic_flow_del(int fd, const struct quic_connection_info *info);
/* UDP_QUIC_FLOW_INFO of the flow that @info names; EBADMSG: not all of it came */
int quic_flow_ask(int fd, struct quic_flow_info *info);
/* Generation @generation of flow @flow, with AES-128-GCM: what its packets must come
 * to, or NULL
 */
struct quic_oracle *quic_flow_begin(int fd, const struct quic_dcid *dcid,
				    const struct quic_addr *to, unsigned int flow,
				    uint8_t generation);

/* The parameters of one sendmsg() */
struct quic_msg {
	int fd;
	const struct quic_addr *to;	/* NULL: the connected peer */
	const void *buf;
	size_t len;
	unsigned int encrypts;		/* UDP_QUIC_ENCRYPT, so many times */
	struct quic_tx_ancillary_data anc;
	size_t anc_len;
	size_t cut;			/* bytes of the last cmsg left out */
	int gso;			/* UDP_SEGMENT, negative: without */
	int flags;
};

/* One train, protected: what a test wants else it changes in the result. */
struct quic_msg quic_msg(int fd, const struct quic_addr *to,
			 const struct quic_train *train);
ssize_t quic_send(const struct quic_msg *msg);

/* The same, ready for a system call of one's own. */
struct quic_msghdr {
	struct msghdr mh;
	struct iovec iov;
	uint64_t control[64];
};

void quic_msghdr_init(struct quic_msghdr *hdr, const struct quic_msg *msg);

/* Appends a control message to those of @mh, which has room for it. */
struct cmsghdr *quic_cmsg_put(struct msghdr *mh, int level, int type,
			      const void *data, size_t len);

/* TOS or traffic class of a packet that was received, -1 without */
int quic_cmsg_tos(struct msghdr *mh);

/* Give another process a descriptor, or take one; -1 if that fails. */
int quic_fd_send(int unix_fd, int fd);
int quic_fd_receive(int unix_fd);

/*
 * Receives packets as long as they are those of @train, protected by the
 * oracle of their phase: returns @train->count if all is well.
 */
unsigned int quic_receive(int rx, struct quic_oracle *const phase[2],
			  const struct quic_train *train);

/* A counter of /proc/net/quic_stat, -1 if it is not there. */
long quic_stat(const char *name);
/* The same of several, in one reading */
void quic_stats(const char *const *names, long *values, unsigned int count);
/* The sum of those whose names go on behind @prefix */
long quic_stat_sum(const char *prefix);
/* The same as soon as it is @expected, or in the end */
long quic_stat_becomes(const char *name, long expected);
/*
 * QuicCurrTxSw, as soon as it is @expected: what deletes flows may not be done
 * when somebody else has closed a socket.
 */
long quic_flows_become(long expected);

#endif /* QUIC_LIB_H */
