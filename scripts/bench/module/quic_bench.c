// SPDX-License-Identifier: GPL-2.0-only
/*
 * What packet protection and sending cost without system calls: loops that a
 * program starts through /dev/quic_bench, and times against its own.
 */

#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/internal/aead.h>
#include <linux/file.h>
#include <linux/kernel.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/net.h>
#include <linux/prandom.h>
#include <linux/scatterlist.h>
#include <linux/socket.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "kbench.h"

/* The module quic keeps it to itself. */
#if IS_ENABLED(CONFIG_QUIC)
#include "../../../net/quic/chacha20_poly1305.c"
#endif

#define TAG_LEN		16

static u8 *source;

/* The assembly is not for modules: whoever loads this one looks the addresses
 * up in System.map.
 */
static unsigned long gcm_aad, gcm_update, gcm_final;
module_param(gcm_aad, ulong, 0);
module_param(gcm_update, ulong, 0);
module_param(gcm_final, ulong, 0);

/* One packet to protect in place over and over, so that it stays in L1 */
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

static void kbench_packet_free(struct kbench_packet *p)
{
	kfree(p->data);
	aead_request_free(p->req);
	crypto_free_aead(p->aead);
}

static int kbench_packet_init(struct kbench_packet *p,
			      const struct kbench_loop *loop)
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

static int kbench_aead_one(struct kbench_packet *p, u64 pn)
{
	put_unaligned_be64(pn, p->nonce + 4);
	aead_request_set_tfm(p->req, p->aead);
	aead_request_set_callback(p->req, CRYPTO_TFM_REQ_MAY_SLEEP, NULL, NULL);
	aead_request_set_ad(p->req, p->hdr_len);
	aead_request_set_crypt(p->req, &p->sg, &p->sg, p->len, p->iv);
	return crypto_aead_encrypt(p->req);
}

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

	err = kbench_aead_one(p, 1);
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

/* What the offload does instead of rfc7539(chacha20,poly1305) */
static int kbench_library_one(struct kbench_packet *p, u64 pn)
{
#if IS_ENABLED(CONFIG_QUIC)
	put_unaligned_be64(pn, p->iv + 8);
	quic_chacha20_poly1305(p->chacha_key, p->iv, p->data, p->hdr_len, p->len);
	return 0;
#else
	return -EOPNOTSUPP;
#endif
}

static int kbench_protect_one(u32 op, struct kbench_packet *p, u64 pn)
{
	switch (op) {
	case KBENCH_BARE:
		return kbench_bare_one(p, pn);
	case KBENCH_LIBRARY:
		return kbench_library_one(p, pn);
	}
	return kbench_aead_one(p, pn);
}

static int kbench_protect(struct kbench_loop *loop)
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

static int kbench_memcpy(struct kbench_loop *loop)
{
	u32 i, packet = 0;
	u64 start;
	u8 *to;

	to = kmalloc(loop->wire, GFP_KERNEL);
	if (!to)
		return -ENOMEM;

	start = ktime_get_ns();
	for (i = 0; i < loop->loops; i++) {
		memcpy(to, source + loop->base + packet * loop->stride, loop->wire);
		barrier_data(to);
		if (++packet == loop->ring)
			packet = 0;
	}
	loop->ns = ktime_get_ns() - start;

	kfree(to);
	return 0;
}

/* Give the packets of a train the connection ID of a flow. */
static void kbench_set_flow(const struct kbench_loop *loop, u8 *train, u32 flow)
{
	u32 i;

	for (i = 0; i < loop->train; i++)
		put_unaligned_be32(flow, train + i * loop->stride + 1);
}

static int kbench_send(struct kbench_loop *loop)
{
	u64 *pkt_num = (void *)loop->control + loop->pkt_num_at;
	size_t len = (size_t)loop->train * loop->stride;
	u32 i, packet = 0;
	struct rnd_state rnd;
	struct socket *sock;
	u64 start;
	int err = 0;

	if (loop->name_len > sizeof(loop->name) ||
	    loop->control_len > sizeof(loop->control) ||
	    loop->pkt_num_at > sizeof(loop->control) - sizeof(u64))
		return -EINVAL;

	sock = sockfd_lookup(loop->fd, &err);
	if (!sock)
		return err;

	prandom_seed_state(&rnd, loop->lap);
	start = ktime_get_ns();
	for (i = 0; i < loop->loops; i++) {
		u8 *train = source + loop->base +
			    (size_t)packet * loop->stride;
		struct kvec vec = { .iov_base = train, .iov_len = len };
		struct msghdr msg = {
			.msg_name	= loop->name_len ? loop->name : NULL,
			.msg_namelen	= loop->name_len,
			.msg_control	= loop->control,
			.msg_controllen	= loop->control_len,
		};

		if (loop->flows)
			kbench_set_flow(loop, train, !loop->random ? 0 :
					prandom_u32_state(&rnd) % loop->flows);
		if (loop->pkt_num_at)
			*pkt_num = loop->lap * BENCH_LAP + packet;

		err = kernel_sendmsg(sock, &msg, &vec, 1, len);
		if (err < 0)
			break;

		packet += loop->train;
		if (packet >= loop->ring) {
			packet = 0;
			loop->lap++;
		}
	}
	loop->ns = ktime_get_ns() - start;

	sockfd_put(sock);
	return min(err, 0);
}

static int kbench_run(struct kbench_loop *loop)
{
	loop->alg[sizeof(loop->alg) - 1] = 0;
	if (loop->base + (u64)loop->ring * loop->stride > KBENCH_SOURCE ||
	    !loop->train || loop->train > loop->ring)
		return -EINVAL;

	switch (loop->op) {
	case KBENCH_MEMCPY:
		return kbench_memcpy(loop);
	case KBENCH_AEAD:
	case KBENCH_BARE:
	case KBENCH_LIBRARY:
		return kbench_protect(loop);
	case KBENCH_SEND:
		return kbench_send(loop);
	}
	return -EINVAL;
}

static int kbench_setsockopt(struct kbench_setsockopt *opt)
{
	struct socket *sock;
	int err = 0;
	u64 start;
	u32 flow;

	if (opt->len > sizeof(opt->value) ||
	    opt->flow_at > sizeof(opt->value) - sizeof(u32))
		return -EINVAL;
	sock = sockfd_lookup(opt->fd, &err);
	if (!sock)
		return err;

	start = ktime_get_ns();
	for (flow = 0; flow < opt->flows && !err; flow++) {
		put_unaligned_be32(flow, (u8 *)opt->value + opt->flow_at);
		err = sock->ops->setsockopt(sock, SOL_UDP, opt->name,
					    KERNEL_SOCKPTR(opt->value),
					    opt->len);
	}
	opt->ns = ktime_get_ns() - start;

	sockfd_put(sock);
	return err;
}

static long kbench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void *data;
	int err;

	if (cmd != KBENCH_RUN && cmd != KBENCH_SETSOCKOPT)
		return -ENOTTY;
	data = memdup_user((void __user *)arg, _IOC_SIZE(cmd));
	if (IS_ERR(data))
		return PTR_ERR(data);

	err = cmd == KBENCH_RUN ? kbench_run(data) : kbench_setsockopt(data);
	if (!err && copy_to_user((void __user *)arg, data, _IOC_SIZE(cmd)))
		err = -EFAULT;

	kfree(data);
	return err;
}

static ssize_t kbench_write(struct file *file, const char __user *from,
			    size_t len, loff_t *pos)
{
	return simple_write_to_buffer(source, KBENCH_SOURCE, pos, from, len);
}

static const struct file_operations kbench_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= kbench_ioctl,
	.write		= kbench_write,
	.llseek		= default_llseek,
};

static struct miscdevice kbench_dev = {
	.minor		= MISC_DYNAMIC_MINOR,
	.name		= "quic_bench",
	.fops		= &kbench_fops,
};

static int __init kbench_init(void)
{
	int err;

	/* A packet may be copied from the last stride of the ring. */
	source = vzalloc(KBENCH_SOURCE + U16_MAX);
	if (!source)
		return -ENOMEM;

	err = misc_register(&kbench_dev);
	if (err)
		vfree(source);
	return err;
}

static void __exit kbench_exit(void)
{
	misc_deregister(&kbench_dev);
	vfree(source);
}

module_init(kbench_init);
module_exit(kbench_exit);
MODULE_DESCRIPTION("Benchmark of QUIC packet protection");
MODULE_LICENSE("GPL");
