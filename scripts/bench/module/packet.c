// SPDX-License-Identifier: GPL-2.0-only
/* A packet, and what is done to it. */

#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "module.h"

/* The module quic keeps it to itself. */
#if IS_ENABLED(CONFIG_QUIC)
#include "../../../net/quic/chacha20_poly1305.c"
#endif

void kbench_packet_free(struct kbench_packet *p)
{
	kfree(p->data);
	aead_request_free(p->req);
	crypto_free_aead(p->aead);
}

int kbench_packet_init(struct kbench_packet *p, const struct kbench_loop *loop)
{
	static const u8 key[32] = "benchmark";
	int err;

	memset(p, 0, sizeof(*p));
	if (loop->wire < loop->hdr_len + TAG_LEN || loop->wire > U16_MAX ||
	    loop->key_len > sizeof(key))
		return -EINVAL;
	p->hdr_len = loop->hdr_len;
	p->len = loop->wire - loop->hdr_len - TAG_LEN;

	p->aead = crypto_alloc_aead(loop->alg, 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(p->aead))
		return PTR_ERR(p->aead);

	err = crypto_aead_setkey(p->aead, key, loop->key_len);
	if (!err)
		err = crypto_aead_setauthsize(p->aead, TAG_LEN);
	if (err)
		goto out_free;

	err = -ENOMEM;
	p->req = aead_request_alloc(p->aead, GFP_KERNEL);
	p->data = kzalloc(loop->wire, GFP_KERNEL);
	if (!p->req || !p->data)
		goto out_free;

	p->nonce = p->iv;
	if (!strcmp(loop->alg, "ccm(aes)"))
		*p->nonce++ = 2;	/* RFC 3610: length of 3 bytes */

	sg_init_one(&p->sg, p->data, loop->wire);
	return 0;

out_free:
	kbench_packet_free(p);
	return err;
}

static void kbench_packet_request(struct kbench_packet *p, unsigned int len,
				  u64 pn)
{
	put_unaligned_be64(pn, p->nonce + 4);
	aead_request_set_tfm(p->req, p->aead);
	aead_request_set_callback(p->req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(p->req, p->hdr_len);
	aead_request_set_crypt(p->req, &p->sg, &p->sg, len, p->iv);
}

int kbench_packet_seal(struct kbench_packet *p, u64 pn)
{
	kbench_packet_request(p, p->len, pn);
	return crypto_aead_encrypt(p->req);
}

int kbench_packet_open(struct kbench_packet *p, u64 pn)
{
	kbench_packet_request(p, p->len + TAG_LEN, pn);
	return crypto_aead_decrypt(p->req);
}

/* What the offload does instead of rfc7539(chacha20,poly1305) */
#if IS_ENABLED(CONFIG_QUIC)
int kbench_packet_seal_library(struct kbench_packet *p, u64 pn)
{
	put_unaligned_be64(pn, p->iv + 8);
	quic_chacha20_poly1305_encrypt(p->chacha_key, p->iv, p->data,
				       p->hdr_len, p->len);
	return 0;
}

int kbench_packet_open_library(struct kbench_packet *p, u64 pn)
{
	put_unaligned_be64(pn, p->iv + 8);
	return quic_chacha20_poly1305_decrypt(p->chacha_key, p->iv, p->data,
					      p->hdr_len, p->len) ?
	       0 : -EBADMSG;
}
#else
int kbench_packet_seal_library(struct kbench_packet *p, u64 pn)
{
	return -EOPNOTSUPP;
}

int kbench_packet_open_library(struct kbench_packet *p, u64 pn)
{
	return -EOPNOTSUPP;
}
#endif
