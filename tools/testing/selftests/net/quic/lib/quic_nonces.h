/* SPDX-License-Identifier: GPL-2.0 */
/* Nonces that have been seen, and what each was used for. */
#ifndef QUIC_NONCES_H
#define QUIC_NONCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quic_nonces;

/* Without memory for them the program ends. */
struct quic_nonces *quic_nonces_new(void);
void quic_nonces_free(struct quic_nonces *nonces);
/* For keys that are not used any more */
void quic_nonces_forget(struct quic_nonces *nonces);
/* How many different ones, without those forgotten */
size_t quic_nonces_count(const struct quic_nonces *nonces);

/*
 * The packet of @len bytes has number @pn under @key, which is not 0.  Its tag
 * is right: a packet that differs in a byte has another one.  Returns whether
 * the nonce was used before for another packet.
 */
bool quic_nonces_reused(struct quic_nonces *nonces, uint64_t key, uint64_t pn,
			const uint8_t *packet, size_t len);

#endif /* QUIC_NONCES_H */
