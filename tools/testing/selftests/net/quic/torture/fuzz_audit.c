// SPDX-License-Identifier: GPL-2.0
/*
 * What holds for all that is sent, wherever it goes: no plain text on any
 * device.  And for all that arrives: no nonce is used for two packets.
 */

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "fuzz_fail.h"
#include "fuzz_audit.h"
#include "kselftest.h"
#include "quic_capture.h"
#include "quic_nonces.h"

static struct quic_audit *audit;
static struct quic_capture *capture;
static struct quic_nonces *nonces;
static unsigned long long num_nonces;

void fuzz_audit_open(void)
{
	nonces = quic_nonces_new();
	audit = quic_audit_new();
	/* Keys are not those of the auditor, and what is plain has no marker. */
	quic_audit_all_ports(audit, QUIC_AUDIT_BYTES);
	capture = quic_capture_open(audit);
	fuzz_must(!!capture, "capture");
}

/*
 * Here and not in a process of its own: what is sent over the loopback device
 * is in the capture at once, and it is known who has sent it.
 */
void fuzz_audit_look(void)
{
	quic_capture_read(capture);
	/* One of many calls was it. */
	fuzz_current = NULL;
	if (quic_audit_count(audit)->leaked)
		fuzz_fail("plain text was captured");
}

uint64_t fuzz_audit_key(const struct quic_keys *keys)
{
	uint8_t text[sizeof(keys->cipher->type) + sizeof(keys->key) +
		     sizeof(keys->iv)] = {}, *p = text;
	uint8_t digest[EVP_MAX_MD_SIZE];
	uint64_t key;

	memcpy(p, &keys->cipher->type, sizeof(keys->cipher->type));
	p += sizeof(keys->cipher->type);
	memcpy(p, keys->iv, sizeof(keys->iv));
	p += sizeof(keys->iv);
	memcpy(p, keys->key, keys->cipher->key_len);
	fuzz_must(EVP_Digest(text, sizeof(text), digest, NULL, EVP_sha256(),
			     NULL) == 1, "SHA-256");
	memcpy(&key, digest, sizeof(key));
	return key | 1;		/* not 0 */
}

void fuzz_audit_packet(uint64_t key, uint64_t pn, const uint8_t *packet,
		       size_t len)
{
	if (quic_nonces_reused(nonces, key, pn, packet, len))
		fuzz_fail("number %llu of a key is there again, for another packet",
			  (unsigned long long)pn);
}

void fuzz_audit_forget(void)
{
	num_nonces += quic_nonces_count(nonces);
	quic_nonces_forget(nonces);
}

void fuzz_audit_verdict(void)
{
	const struct quic_audit_count *count = quic_audit_count(audit);

	ksft_print_msg("%llu searched for plain text, %llu frames lost, %llu nonces\n",
		       (unsigned long long)count->searched,
		       (unsigned long long)count->lost, num_nonces);
	if (!count->searched || !num_nonces || !quic_audit_saw_most(count))
		fuzz_fail("nothing, or too little, was audited");
}
