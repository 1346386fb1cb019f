/* SPDX-License-Identifier: GPL-2.0 */
/* Sockets, each with its twin */
#ifndef FUZZ_SOCK_H
#define FUZZ_SOCK_H

#include "fuzz_types.h"

extern struct fuzz_sock fuzz_sock[FUZZ_SOCKS];

void fuzz_sock_open(struct fuzz_sock *sock);
/* Without anything special about it */
void fuzz_sock_open_plain(struct fuzz_sock *sock);
/* With its send buffer full, as it stays */
void fuzz_sock_open_full(struct fuzz_sock *sock);
void fuzz_sock_close(struct fuzz_sock *sock);
/* After connect(): what it did to the twin */
void fuzz_sock_refresh(struct fuzz_sock *sock);

#endif /* FUZZ_SOCK_H */
