/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a connection sends in one go.  nghttp3 is asked what to send once a burst,
 * not once a packet, and is told at its end how much of that was written.
 */
#ifndef H3_BURST_H
#define H3_BURST_H

#include "h3_endpoint.h"

/* One packet, with what streams have for it.  Returns its length. */
ngtcp2_ssize h3_burst_write(struct h3_conn *c, ngtcp2_tstamp now);
void h3_burst_end(struct h3_conn *c);

#endif /* H3_BURST_H */
