/* SPDX-License-Identifier: GPL-2.0 */
/* The argument that names a flow, and which of the flows matches a packet */
#ifndef FUZZ_MATCH_H
#define FUZZ_MATCH_H

#include "fuzz_types.h"

/* A structure of which at least @min bytes are there, and may be more. */
int fuzz_match_copy(const struct fuzz_call *call, size_t min, void *info,
		    size_t size);
/* What <linux/quic.h> says of struct quic_connection_info_key */
int fuzz_match_parse(const struct fuzz_sock *sock,
		     const struct quic_connection_info_key *key,
		     struct fuzz_flow *flow);
int fuzz_match_keys(const struct quic_connection_info *info,
		    struct quic_keys *keys);
/* The entry that is @wanted exactly; sock->flows if there is none */
unsigned int fuzz_match_entry(const struct fuzz_sock *sock,
			      const struct fuzz_flow *wanted);
/* The flow of a packet of @dest, be that where it goes or where it is from */
struct fuzz_flow *fuzz_match_find(const struct fuzz_sock *sock,
				  const struct fuzz_dest *dest,
				  const struct quic_dcid *dcid);

#endif /* FUZZ_MATCH_H */
