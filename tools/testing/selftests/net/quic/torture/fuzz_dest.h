/* SPDX-License-Identifier: GPL-2.0 */
/* Addresses, of receivers and others */
#ifndef FUZZ_DEST_H
#define FUZZ_DEST_H

#include "fuzz_types.h"

#define FUZZ_ADDRESSES	4

extern const char *fuzz_dest_address[FUZZ_ADDRESSES];
extern uint32_t fuzz_lo;		/* index of the device */

struct fuzz_dest fuzz_dest_random(const struct fuzz_sock *sock);
int fuzz_dest_name(const struct fuzz_sock *sock, const struct fuzz_dest *dest,
		   struct sockaddr_storage *name);
/* What names the flow; @dest NULL: of any destination */
void fuzz_dest_key(struct quic_connection_info_key *key,
		   const struct quic_dcid *dcid, const struct fuzz_dest *dest);
/* There is a receiver, and the way there is plain. */
bool fuzz_dest_known(const struct fuzz_dest *dest);

#endif /* FUZZ_DEST_H */
