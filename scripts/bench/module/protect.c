// SPDX-License-Identifier: GPL-2.0-only
/* Loops that protect one packet over and over, so that it stays in L1. */

#include <crypto/internal/aead.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>

#include "module.h"

/* The assembly is not for modules: whoever loads this one looks the addresses
 * up in System.map.
 */
static unsigned long gcm_aad, gcm_update, gcm_final;
module_param(gcm_aad, ulong, 0);
module_param(gcm_update, ulong, 0);
module_param(gcm_final, ulong, 0);

/* As gcm_crypt() in arch/x86/crypto/aesni-intel_glue.c, for memory that is
 * contiguous.
 */
static int kbench_bare_one(struct kbench_packet *p, u64 pn)
{
	void (*aad)(const void *key, u8 acc[16], const u8 *aad, int len) =
		(void *)gcm_aad;
	void (*update)(const void *key, const u32 ctr[4], u8 acc[16],
		       const u8 *src, u8 *dst, int len) = (void *)gcm_update;
	void (*final)(const void *key, const u32 ctr[4], u8 acc[16],
		      u64 aad_len, u64 len) = (void *)gcm_final;
	const void *key = PTR_ALIGN((u8 *)crypto_aead_ctx(p->aead), 64);
	u8 *data = p->data + p->hdr_len, acc[16] = {};
	u32 ctr[4] = { 2 };

	put_unaligned_be64(pn, p->nonce + 4);
	ctr[1] = get_unaligned_be32(p->nonce + 8);
	ctr[2] = get_unaligned_be32(p->nonce + 4);
	ctr[3] = get_unaligned_be32(p->nonce);

	aad(key, acc, p->data, p->hdr_len);
	update(key, ctr, acc, data, data, p->len);
	final(key, ctr, acc, p->hdr_len, p->len);
	memcpy(data + p->len, acc, TAG_LEN);
	return 0;
}

/* The two ways must agree before one is called the limit of the other. */
static int kbench_bare_check(struct kbench_packet *p, unsigned int wire)
{
	u8 *expected;
	int err;

	if (!gcm_aad || !gcm_update || !gcm_final ||
	    strcmp(crypto_tfm_alg_driver_name(crypto_aead_tfm(p->aead)),
		   "generic-gcm-vaes-avx512"))
		return -EOPNOTSUPP;

	err = kbench_packet_seal(p, 1);
	if (err)
		return err;
	expected = kmemdup(p->data, wire, GFP_KERNEL);
	if (!expected)
		return -ENOMEM;

	memset(p->data, 0, wire);
	kbench_bare_one(p, 1);
	err = memcmp(p->data, expected, wire) ? -EBADMSG : 0;
	kfree(expected);
	return err;
}

static int kbench_protect_one(u32 op, struct kbench_packet *p, u64 pn)
{
	switch (op) {
	case KBENCH_BARE:
		return kbench_bare_one(p, pn);
	case KBENCH_LIBRARY:
		return kbench_packet_seal_library(p, pn);
	}
	return kbench_packet_seal(p, pn);
}

int kbench_protect(struct kbench_loop *loop)
{
	struct kbench_packet packet;
	u64 start, pn;
	int err;

	err = kbench_packet_init(&packet, loop);
	if (err)
		return err;
	if (loop->op == KBENCH_BARE)
		err = kbench_bare_check(&packet, loop->wire);
	if (loop->op == KBENCH_LIBRARY &&
	    strcmp(loop->alg, "rfc7539(chacha20,poly1305)"))
		err = -EOPNOTSUPP;

	start = ktime_get_ns();
	for (pn = 0; pn < loop->loops && !err; pn++)
		err = kbench_protect_one(loop->op, &packet, pn);
	loop->ns = ktime_get_ns() - start;

	kbench_packet_free(&packet);
	return err;
}
