/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets that receive */
#ifndef FUZZ_RX_SOCK_H
#define FUZZ_RX_SOCK_H

#include "fuzz_rx_types.h"

extern struct fuzz_rx_sock fuzz_rx_sock[FUZZ_RX_SOCKS];

void fuzz_rx_sock_open(struct fuzz_rx_sock *rx);
void fuzz_rx_sock_close(struct fuzz_rx_sock *rx);
void fuzz_rx_sock_gro(struct fuzz_rx_sock *rx, bool on);
void fuzz_rx_sock_peek_off(struct fuzz_rx_sock *rx, int off);

#endif /* FUZZ_RX_SOCK_H */
