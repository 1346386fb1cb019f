/* SPDX-License-Identifier: GPL-2.0 */
/* What arrives */
#ifndef FUZZ_WIRE_H
#define FUZZ_WIRE_H

#include "fuzz_types.h"

void fuzz_wire_open(void);
size_t fuzz_wire_protect(const struct fuzz_call *call,
			 const struct fuzz_message *m, uint8_t *wire);
/* The message, which stays, has been sent, as @wire; all of these have arrived. */
void fuzz_wire_expect(struct fuzz_call *call, const struct fuzz_message *m,
		      const uint8_t *wire);
void fuzz_wire_check(void);
/* How many datagrams more can be expected */
unsigned int fuzz_wire_room(void);
/*
 * What arrives of the socket is what arrives of the twin, and, if there is a
 * message @m that was protected, it is @wire or nothing.
 */
void fuzz_wire_like_twin(const struct fuzz_call *call,
			 const struct fuzz_message *m, const uint8_t *wire);
/* One packet without GRO; returns its length. */
ssize_t fuzz_wire_packet(uint8_t *buf, size_t size);

#endif /* FUZZ_WIRE_H */
