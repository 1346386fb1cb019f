/* SPDX-License-Identifier: GPL-2.0 */
/* A tunnel that collects packets (RFC 9347) over a path, which ip(8) does not know yet. */
#ifndef QUIC_IPTFS_H
#define QUIC_IPTFS_H

#include "quic_path.h"

/*
 * What has the mark 1 here goes there in a tunnel from 203.0.113.1 to 203.0.113.2.
 * Called for each side; returns -1 with errno where something is wrong.
 */
int quic_iptfs_set(const struct quic_path *path, bool there);

#endif /* QUIC_IPTFS_H */
