/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Receiving at the other end of a veth pair: quic0 sends, quic1 receives, in a
 * namespace of its own.  The caller stays there, where the counters are.
 */
#ifndef QUIC_RX_PATH_H
#define QUIC_RX_PATH_H

#include "quic_path.h"
#include "quic_rx_env.h"

struct quic_rx_path {
	struct quic_path path;
	struct quic_rx_env env;		/* without @wire: see @path */
};

/* All of these return -1 with errno where something is wrong. */
int quic_rx_path_open(struct quic_rx_path *rxp, int family);
void quic_rx_path_close(struct quic_rx_path *rxp);
/* Close what looks at the frames: nobody else has a share in them then. */
void quic_rx_path_untap(struct quic_rx_path *rxp);

/* quic_path_ip(), and back to the receiver */
int quic_rx_path_ip(const struct quic_rx_path *rxp, bool there,
		    const char *batch);
/* Of both devices */
int quic_rx_path_mtu(const struct quic_rx_path *rxp, unsigned int mtu);
/* A feature of ethtool, with its ETHTOOL_S* and ETHTOOL_G*; it is @on then. */
int quic_rx_path_feature(const struct quic_rx_path *rxp, bool there,
			 unsigned int set, unsigned int get, bool on);

#endif /* QUIC_RX_PATH_H */
