// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A path that takes smaller packets than it did */
#include "quic_ngtcp2_mtu.h"

/* PMTU_RAISE_TIMER of RFC 8899 section 5.1.1 */
#define RAISE_AFTER	(600 * NGTCP2_SECONDS)

size_t quic_ngtcp2_mtu_limit(const struct quic_ngtcp2_mtu *mtu,
			     const ngtcp2_path *path, size_t max,
			     ngtcp2_tstamp ts)
{
	if (ts < mtu->until && max > NGTCP2_MAX_UDP_PAYLOAD_SIZE &&
	    ngtcp2_path_eq(path, &mtu->path.path))
		return NGTCP2_MAX_UDP_PAYLOAD_SIZE;
	return max;
}

bool quic_ngtcp2_mtu_refused(struct quic_ngtcp2_mtu *mtu, ngtcp2_conn *conn,
			     const ngtcp2_path *path, size_t len,
			     ngtcp2_tstamp ts)
{
	if (len > ngtcp2_conn_get_path_max_tx_udp_payload_size(conn) ||
	    !ngtcp2_path_eq(path, ngtcp2_conn_get_path(conn)))
		return false;

	ngtcp2_path_storage_zero(&mtu->path);
	ngtcp2_path_copy(&mtu->path.path, path);
	mtu->until = ts + RAISE_AFTER;
	return true;
}
