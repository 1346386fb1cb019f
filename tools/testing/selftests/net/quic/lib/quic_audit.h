/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An auditor of packets on the wire.  Programs that torture the kernel follow
 * one convention, so that it can judge what they send without having been told:
 * DCIDs have 8 bytes, cipher and keys are a function of the DCID, and payloads
 * start with QUIC_MARKER.
 */
#ifndef QUIC_AUDIT_H
#define QUIC_AUDIT_H

#include <stdbool.h>

#include "quic_lib.h"

#define QUIC_AUDIT_DCID_LEN	8

/* The keys that the flow with this DCID has in this generation */
void quic_audit_keys(struct quic_keys *keys, const uint8_t *dcid,
		     uint8_t generation);

/* What is sent to a port */
enum quic_audit_kind {
	QUIC_AUDIT_PACKETS,	/* one protected packet in each datagram */
	QUIC_AUDIT_BYTES,	/* what has no marker in it */
	QUIC_AUDIT_PLAIN,	/* whatever it likes */
};

struct quic_audit_count {
	uint64_t searched;	/* datagrams and fragments, for the marker */
	uint64_t datagrams;	/* to ports with packets */
	uint64_t fragments;	/* of IP: only searched for the marker */
	uint64_t nonces;	/* different ones that were seen */
	uint64_t lost;		/* frames that the capture had no room for */
	uint64_t leaked;	/* with the marker */
	uint64_t not_opened;	/* under no generation of the key */
	uint64_t reused;	/* a nonce for two different packets */
};

struct quic_audit;

/* All ports expect packets. */
struct quic_audit *quic_audit_new(void);
void quic_audit_free(struct quic_audit *audit);
void quic_audit_all_ports(struct quic_audit *audit, enum quic_audit_kind kind);
/* @port is in network byte order. */
void quic_audit_port(struct quic_audit *audit, in_port_t port,
		     enum quic_audit_kind kind);

/* Judge a datagram, or, with a @segment, those that UDP GSO makes of it. */
void quic_audit_datagram(struct quic_audit *audit, in_port_t port,
			 const uint8_t *data, size_t len, size_t segment);
/* Judge a piece of one: it has the marker in it or not. */
void quic_audit_fragment(struct quic_audit *audit, const uint8_t *data,
			 size_t len);

struct quic_audit_count *quic_audit_count(struct quic_audit *audit);
/* Whether few frames were lost: else it has seen too little to judge. */
bool quic_audit_saw_most(const struct quic_audit_count *count);
/* Says what was seen; returns whether it is as it has to be. */
bool quic_audit_verdict(const struct quic_audit_count *count);

#endif /* QUIC_AUDIT_H */
