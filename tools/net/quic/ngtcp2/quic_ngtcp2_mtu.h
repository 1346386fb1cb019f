/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A path that takes smaller packets than it did.
 *
 * ngtcp2 finds out with probes how long packets may become, and has no way to
 * be told that they have become too long.  sendmsg() does tell, with EMSGSIZE.
 * What to use then is what RFC 8899 calls BASE_PLPMTU: 1200 bytes, which every
 * path of QUIC takes.
 */
#ifndef QUIC_NGTCP2_MTU_H
#define QUIC_NGTCP2_MTU_H

#include <stdbool.h>

#include <ngtcp2/ngtcp2.h>

/**
 * struct quic_ngtcp2_mtu - the path that got smaller
 * @path: its addresses
 * @until: when to use longer packets again, 0: there is no such path
 */
struct quic_ngtcp2_mtu {
	ngtcp2_path_storage path;
	ngtcp2_tstamp until;
};

/* How long a packet on @path may be at @ts, where ngtcp2 wants @max */
size_t quic_ngtcp2_mtu_limit(const struct quic_ngtcp2_mtu *mtu,
			     const ngtcp2_path *path, size_t max,
			     ngtcp2_tstamp ts);

/* sendmsg() failed with EMSGSIZE for a packet of @len bytes on @path.
 * Return: true if that is news about the path, false if it was a probe.
 */
bool quic_ngtcp2_mtu_refused(struct quic_ngtcp2_mtu *mtu, ngtcp2_conn *conn,
			     const ngtcp2_path *path, size_t len,
			     ngtcp2_tstamp ts);

#endif /* QUIC_NGTCP2_MTU_H */
