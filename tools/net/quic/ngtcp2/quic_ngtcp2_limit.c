// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How many packets a key may protect, and updating it in time */
#include <errno.h>
#include <stdio.h>

#include "quic_ngtcp2_limit.h"

#define MAX_PACKETS	"/sys/module/quic/parameters/max_packets_per_key"

/* A name that version 1.0 changed */
#if NGTCP2_VERSION_NUM >= 0x010000
#define ngtcp2_conn_is_in_closing_period	ngtcp2_conn_in_closing_period
#define ngtcp2_conn_is_in_draining_period	ngtcp2_conn_in_draining_period
#endif

/* Where it cannot be read the kernel will tell, when it is reached. */
static uint64_t administrators(void)
{
	FILE *f = fopen(MAX_PACKETS, "re");
	unsigned long long max;
	int n;

	if (!f)
		return UINT64_MAX;
	n = fscanf(f, "%llu", &max);
	fclose(f);
	return n == 1 ? max : UINT64_MAX;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void quic_ngtcp2_limit_renew(struct quic_ngtcp2_limit *limit,
			     unsigned int phase, uint64_t max)
{
	limit->limit = min(max, administrators());
	limit->used[phase] = 0;
}

static bool update(struct quic_ngtcp2_limit *limit, ngtcp2_conn *conn,
		   ngtcp2_tstamp ts)
{
	if (!ngtcp2_conn_get_handshake_completed(conn) ||
	    ngtcp2_conn_is_in_closing_period(conn) ||
	    ngtcp2_conn_is_in_draining_period(conn) ||
	    ngtcp2_conn_initiate_key_update(conn, ts))
		return false;
	limit->phase ^= 1;
	return true;
}

int quic_ngtcp2_limit_reached(struct quic_ngtcp2_limit *limit,
			      ngtcp2_conn *conn, unsigned int phase,
			      ngtcp2_tstamp ts)
{
	/* It has been lowered, maybe to less than what was used. */
	limit->limit = min(limit->limit,
			   min(limit->used[phase], administrators()));
	/* What was left of a key that is used no longer, or a new one */
	if (phase != limit->phase || update(limit, conn, ts))
		return 0;
	return -EKEYEXPIRED;
}

bool quic_ngtcp2_limit_spent(const struct quic_ngtcp2_limit *limit)
{
	return limit->used[limit->phase] >= limit->limit;
}

bool quic_ngtcp2_limit_near(struct quic_ngtcp2_limit *limit, ngtcp2_conn *conn,
			    ngtcp2_tstamp ts)
{
	if (update(limit, conn, ts) ||
	    limit->used[limit->phase] < limit->limit - limit->limit / 4)
		return true;

	limit->held = ts < limit->until;
	if (!limit->held)
		limit->until = ts + ngtcp2_conn_get_pto(conn) / 2;
	return !limit->held;
}
