/* SPDX-License-Identifier: GPL-2.0 */
/* No plain text on any device, no nonce used twice */
#ifndef FUZZ_AUDIT_H
#define FUZZ_AUDIT_H

#include "fuzz_types.h"

void fuzz_audit_open(void);
/* At all that was sent since the last look */
void fuzz_audit_look(void);
/* The same number for the same cipher, key and IV */
uint64_t fuzz_audit_key(const struct quic_keys *keys);
/* It has arrived, and has this number under the key with this id. */
void fuzz_audit_packet(uint64_t key, uint64_t pn, const uint8_t *packet,
		       size_t len);
/* There are new keys from now on. */
void fuzz_audit_forget(void);
void fuzz_audit_verdict(void);

#endif /* FUZZ_AUDIT_H */
