/* SPDX-License-Identifier: GPL-2.0 */
/* WireGuard over a path, without wireguard-tools. */
#ifndef QUIC_WIREGUARD_H
#define QUIC_WIREGUARD_H

#include "quic_path.h"

/*
 * The devices path0 here and path1 there are each other's peers, which they reach at
 * 203.0.113.1 and 203.0.113.2.  Called for each of them; returns -1 with errno where
 * something is wrong.
 */
int quic_wireguard_set(const struct quic_path *path, bool there);

#endif /* QUIC_WIREGUARD_H */
