/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Messages for a socket that opens packets: what goes over the wire, sealed by
 * libcrypto, and what must be delivered.
 */
#ifndef QUIC_SEALED_H
#define QUIC_SEALED_H

#include "quic_lib.h"

/* An array of entries for more datagrams than there can be */
#define QUIC_MAX_CONTROL	4096

struct quic_sealed {
	unsigned int count;
	size_t len;
	size_t at[QUIC_MAX_SEGMENTS + 2];	/* datagram i: at[i] to at[i + 1] */
	unsigned int header[QUIC_MAX_SEGMENTS + 1];	/* bytes, 0: not sealed */
	bool matched;				/* there is a flow for one of them */
	unsigned int unknown;			/* short headers without a flow */
	struct quic_rx_ancillary_data entry[QUIC_MAX_SEGMENTS + 1];
	uint8_t wire[1 << 16];
	uint8_t want[1 << 16];
};

void quic_sealed_start(struct quic_sealed *sealed);
/* One more datagram, which is expected to be opened */
void quic_sealed_add(struct quic_sealed *sealed, struct quic_oracle *oracle,
		     uint8_t generation, const struct quic_packet *packet);
/* So many of them; the last has @last bytes without tag, 0: as the others. */
void quic_sealed_build(struct quic_sealed *sealed, struct quic_oracle *oracle,
		       uint8_t generation, struct quic_packet packet,
		       unsigned int count, size_t last);
/* One more, delivered as it is; @unknown: a short header without a flow. */
void quic_sealed_raw(struct quic_sealed *sealed, const void *datagram,
		     size_t len, bool unknown);
/* Datagram @i comes to something else. */
void quic_sealed_expect(struct quic_sealed *sealed, unsigned int i, int status);
/* Bit @bit of datagram @i is wrong on the wire: QUIC_RX_BAD_TAG. */
void quic_sealed_flip(struct quic_sealed *sealed, unsigned int i, size_t bit);
/* Nothing of it is opened, nor counted. */
void quic_sealed_as_wire(struct quic_sealed *sealed);
/* The reader has room for @len bytes: the datagram that ends there is cut. */
void quic_sealed_cut(struct quic_sealed *sealed, size_t len);

/* Some of them, in @part */
void quic_sealed_part(struct quic_sealed *part,
		      const struct quic_sealed *sealed, unsigned int first,
		      unsigned int count);

/* In one message, cut by UDP_SEGMENT; or one after the other. */
ssize_t quic_sealed_send(int fd, const struct quic_addr *to,
			 const struct quic_sealed *sealed);
ssize_t quic_sealed_send_singly(int fd, const struct quic_addr *to,
				const struct quic_sealed *sealed);

/* What recvmsg() says */
struct quic_received {
	ssize_t ret;
	int flags;
	bool entries_come_first;
	unsigned int count;			/* of entries */
	struct quic_rx_ancillary_data entry[QUIC_MAX_SEGMENTS + 1];
	int gro;				/* 0 without */
	struct sockaddr_in6 from;
	size_t control_len;
	uint64_t control[QUIC_MAX_CONTROL / 8];
	uint8_t buf[(1 << 16) + 1];
};

/* With room for @len bytes, and @control_len of control messages */
ssize_t quic_received_get(struct quic_received *received, int fd, size_t len,
			  size_t control_len, int flags);
/* The same in two steps, with a system call of one's own between them */
void quic_received_msghdr(struct quic_received *received, struct msghdr *mh,
			  struct iovec *iov, size_t len, size_t control_len);
void quic_received_parse(struct quic_received *received, struct msghdr *mh);
/* NULL if it is what @sealed must come to, else what is wrong with it */
const char *quic_received_differs(const struct quic_received *received,
				  const struct quic_sealed *sealed);
/* The same for its bytes and entries only, whatever was cut off behind them */
const char *quic_received_content(const struct quic_received *received,
				  const struct quic_sealed *sealed);

/* The counters of receiving */
struct quic_rx_counters {
	long packets, bytes, bad_tag, no_key, no_flow, limit, dropped;
};

struct quic_rx_counters quic_rx_counters(void);
/* What they become with @sealed */
void quic_rx_counters_add(struct quic_rx_counters *counters,
			  const struct quic_sealed *sealed);

int quic_rx_flow_add(int fd, const struct quic_connection_info *info,
		     uint64_t next_pkt_num);
int quic_rx_flow_del(int fd, const struct quic_connection_info *info);

#endif /* QUIC_SEALED_H */
