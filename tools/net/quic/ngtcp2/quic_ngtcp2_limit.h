/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * How many packets a key may protect, RFC 9001 section 6.6, and updating it in
 * time.
 *
 * ngtcp2 updates a key that has reached the cipher's limit.  The kernel has
 * that of its administrator as well, who may have lowered it: to where a
 * connection gets in seconds, or milliseconds.  An update takes a while: the
 * one before has to be confirmed, and that three times PTO ago.  So it is tried
 * from half the limit on.  If three quarters are used up before it succeeds,
 * streams are held back: the rest is for what makes the peer answer.
 */
#ifndef QUIC_NGTCP2_LIMIT_H
#define QUIC_NGTCP2_LIMIT_H

#include <stdbool.h>

#include <ngtcp2/ngtcp2.h>

/**
 * struct quic_ngtcp2_limit - packets of the keys to send with
 * @limit: so many may a key protect; UINT64_MAX as long as there is none
 * @used: so many did the keys of each key phase
 * @phase: of the newest packet
 * @held: streams wait
 * @until: but for one packet at this time
 */
struct quic_ngtcp2_limit {
	uint64_t limit;
	uint64_t used[2];
	unsigned int phase;
	bool held;
	ngtcp2_tstamp until;
};

/* A key of @phase was installed, whose cipher allows @max packets. */
void quic_ngtcp2_limit_renew(struct quic_ngtcp2_limit *limit,
			     unsigned int phase, uint64_t max);

/* A packet with @phase was written. */
static inline void quic_ngtcp2_limit_count(struct quic_ngtcp2_limit *limit,
					   unsigned int phase)
{
	limit->phase = phase;
	limit->used[phase]++;
}

/* The kernel has said EKEYEXPIRED of a packet with @phase.
 * Return: 0 if there is a new key to send with, else -EKEYEXPIRED
 */
int quic_ngtcp2_limit_reached(struct quic_ngtcp2_limit *limit,
			      ngtcp2_conn *conn, unsigned int phase,
			      ngtcp2_tstamp ts);

/* Whether the newest key can be used no more */
bool quic_ngtcp2_limit_spent(const struct quic_ngtcp2_limit *limit);

/* The same as quic_ngtcp2_limit_allows(), of a key of which half is used */
bool quic_ngtcp2_limit_near(struct quic_ngtcp2_limit *limit, ngtcp2_conn *conn,
			    ngtcp2_tstamp ts);

/* Update the key if it is time to.
 * Return: whether the next packet may carry streams
 */
static inline bool quic_ngtcp2_limit_allows(struct quic_ngtcp2_limit *limit,
					    ngtcp2_conn *conn, ngtcp2_tstamp ts)
{
	limit->held = false;
	return limit->used[limit->phase] < limit->limit / 2 ||
	       quic_ngtcp2_limit_near(limit, conn, ts);
}

#endif /* QUIC_NGTCP2_LIMIT_H */
