/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MODULE_H
#define MODULE_H

#include <crypto/aead.h>
#include <crypto/aes.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "kbench.h"

#define TAG_LEN		16

/* main.c */
extern u8 *source;

/* packet.c */

/* One packet to protect or to open in place */
struct kbench_packet {
	struct crypto_aead	*aead;
	struct aead_request	*req;
	struct scatterlist	sg;
	u8			iv[AES_BLOCK_SIZE];
	u8			*nonce;
	u32			chacha_key[8];
	u8			*data;
	unsigned int		hdr_len;
	unsigned int		len;	/* without header and tag */
};

int kbench_packet_init(struct kbench_packet *p, const struct kbench_loop *loop);
void kbench_packet_free(struct kbench_packet *p);
int kbench_packet_seal(struct kbench_packet *p, u64 pn);
int kbench_packet_open(struct kbench_packet *p, u64 pn);
int kbench_packet_seal_library(struct kbench_packet *p, u64 pn);
int kbench_packet_open_library(struct kbench_packet *p, u64 pn);

/* The rest: loops, one file each */
int kbench_protect(struct kbench_loop *loop);
int kbench_open(struct kbench_loop *loop);
int kbench_memcpy(struct kbench_loop *loop);
int kbench_skb_copy(struct kbench_loop *loop);
int kbench_send(struct kbench_loop *loop);
int kbench_receive(struct kbench_receive *r);

#endif /* MODULE_H */
