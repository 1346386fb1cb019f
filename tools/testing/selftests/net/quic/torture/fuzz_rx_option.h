/* SPDX-License-Identifier: GPL-2.0 */
/* Socket options: flows come and go, and what else changes what is read. */
#ifndef FUZZ_RX_OPTION_H
#define FUZZ_RX_OPTION_H

#include "fuzz_rx_types.h"

/* A random one, set or read, and compared with the model */
void fuzz_rx_option(struct fuzz_rx_sock *rx);
/* UDP_QUIC_FLOW_INFO or UDP_QUIC_CAPABILITIES, likewise */
void fuzz_rx_option_ask(struct fuzz_rx_sock *rx);
/* No flow is left. */
void fuzz_rx_option_forget(struct fuzz_rx_sock *rx);

#endif /* FUZZ_RX_OPTION_H */
