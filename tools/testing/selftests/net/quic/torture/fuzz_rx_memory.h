/* SPDX-License-Identifier: GPL-2.0 */
/* Memory that messages are read into */
#ifndef FUZZ_RX_MEMORY_H
#define FUZZ_RX_MEMORY_H

#include "fuzz_rx_types.h"

#define FUZZ_RX_PIECES	12

struct fuzz_rx_memory {
	size_t pieces;
	struct iovec iov[FUZZ_RX_PIECES];
	void *control;		/* of @control_len bytes, NULL if it is nowhere */
	struct sockaddr_in6 name;
};

void fuzz_rx_memory_open(void);
/* For message @i of a call; it is all unwritten. */
void fuzz_rx_memory_place(unsigned int i, const struct fuzz_rx_read *read,
			  struct fuzz_rx_memory *memory);
/* Ends the program unless all that was written is what is wanted. */
void fuzz_rx_memory_check(const struct fuzz_rx_read *read,
			  const struct fuzz_rx_memory *memory,
			  const struct fuzz_rx_want *want);

#endif /* FUZZ_RX_MEMORY_H */
