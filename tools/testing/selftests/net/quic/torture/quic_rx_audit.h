/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An auditor of what readers are given: it knows the bytes of the wire, from a
 * tap, and the convention of quic_audit.h, nothing of who sent what.  Plaintext
 * is only given of packets that libcrypto finds authentic.
 */
#ifndef QUIC_RX_AUDIT_H
#define QUIC_RX_AUDIT_H

#include "quic_sealed.h"

#define QUIC_RX_AUDIT_GENERATIONS	4	/* from 0: all that there are */

struct quic_rx_audit_count {
	unsigned long status[QUIC_RX_LIMIT + 1];	/* datagrams */
	unsigned long cut;		/* and those that came in part */
	unsigned long faults;		/* messages whose reader had EFAULT */
	unsigned long forged;		/* what should not have been given */
	unsigned long changed;		/* frames that a tap saw change */
};

/* A message as it was on the wire */
struct quic_rx_frame {
	size_t len;
	uint8_t bytes[1 << 16];
};

struct quic_rx_audit;

struct quic_rx_audit *quic_rx_audit_new(void);
void quic_rx_audit_free(struct quic_rx_audit *audit);
const struct quic_rx_audit_count *
quic_rx_audit_count(const struct quic_rx_audit *audit);

/* The message @frame was received, maybe in part. */
void quic_rx_audit_message(struct quic_rx_audit *audit,
			   const struct quic_rx_frame *frame,
			   const struct quic_received *received);
/*
 * A reader had EFAULT, and @len bytes at @buf before the fault; datagrams are
 * @stride bytes.
 */
void quic_rx_audit_fault(struct quic_rx_audit *audit,
			 const struct quic_rx_frame *frame, const uint8_t *buf,
			 size_t len, size_t stride);
/* A tap saw the frame before it was received, and once more after that. */
void quic_rx_audit_frames(struct quic_rx_audit *audit,
			  const struct quic_rx_frame *before,
			  const struct quic_rx_frame *after);

#endif /* QUIC_RX_AUDIT_H */
