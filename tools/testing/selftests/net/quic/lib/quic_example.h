/* SPDX-License-Identifier: GPL-2.0 */
#ifndef QUIC_EXAMPLE_H
#define QUIC_EXAMPLE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* The variables that the example takes for granted, under its names */
extern const uint8_t conn_id[5];
extern const size_t conn_id_len;
extern const uint8_t conn_key[16];
extern const uint8_t conn_iv[12];
extern const uint8_t conn_hdr_key[16];

/* The published example of the interface, in two pieces. */
int quic_example_add(int fd);
void quic_example_cmsg(struct cmsghdr *cmsg_hdr);

#endif /* QUIC_EXAMPLE_H */
