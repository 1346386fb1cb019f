// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that protects QUIC packets: RFC 9001 section 5, written anew, so that
 * net/quic has something to be compared with.
 *
 * Locks: reg_lock, then what net/quic has, then lock.
 */

#include <crypto/aes-gcm.h>
#include <crypto/chacha.h>
#include <crypto/poly1305.h>
#include <linux/tls.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>
#include <net/quic_dev.h>

#include "netdevsim.h"

#define NSIM_QUIC_PHASE		0x04
#define NSIM_QUIC_PN_LEN	0x03
#define NSIM_QUIC_HIDDEN	0x1f
#define NSIM_QUIC_MAX_PN_LEN	4
#define NSIM_QUIC_SAMPLE	16
#define NSIM_QUIC_TAG		16
#define NSIM_QUIC_NONCE		12

struct nsim_quic_key {
	struct list_head list;
	struct quic_dev_key *key;
	unsigned long due;	/* when the add is done, and how it ends */
	int err;
	bool forgotten;
	bool is_chacha;
	u8 iv[NSIM_QUIC_NONCE];
	union {
		struct {
			struct aes_gcm_key payload;
			struct aes_enckey header;
		} aes;
		struct {
			u32 payload[CHACHA_KEY_WORDS];
			u32 header[CHACHA_KEY_WORDS];
		} chacha;
	};
};

static void nsim_quic_poly1305_padded(struct poly1305_desc_ctx *poly,
				      const u8 *data, unsigned int len)
{
	static const u8 zeros[POLY1305_BLOCK_SIZE];

	poly1305_update(poly, data, len);
	poly1305_update(poly, zeros, -len % POLY1305_BLOCK_SIZE);
}

/* RFC 8439 section 2.8.  The library has the AEAD, but only for nonces that start
 * with four zeros.
 */
static void nsim_quic_seal_chacha(const u32 key[CHACHA_KEY_WORDS],
				  const u8 nonce[NSIM_QUIC_NONCE], const u8 *hdr,
				  unsigned int hdr_len, u8 *data,
				  unsigned int len)
{
	u8 iv[CHACHA_IV_SIZE] = {}, block[CHACHA_BLOCK_SIZE];
	struct poly1305_desc_ctx poly;
	struct chacha_state state;
	__le64 lens[2];

	memcpy(iv + sizeof(u32), nonce, NSIM_QUIC_NONCE);
	chacha_init(&state, key, iv);
	chacha20_block(&state, block);
	poly1305_init(&poly, block);
	chacha20_crypt(&state, data, data, len);

	nsim_quic_poly1305_padded(&poly, hdr, hdr_len);
	nsim_quic_poly1305_padded(&poly, data, len);
	lens[0] = cpu_to_le64(hdr_len);
	lens[1] = cpu_to_le64(len);
	poly1305_update(&poly, (u8 *)lens, sizeof(lens));
	poly1305_final(&poly, data + len);

	chacha_zeroize_state(&state);
	memzero_explicit(block, sizeof(block));
}

/* len: of the data, the tag goes behind it */
static void nsim_quic_seal(const struct nsim_quic_key *nkey, u64 number,
			   const u8 *hdr, unsigned int hdr_len, u8 *data,
			   unsigned int len)
{
	u8 nonce[NSIM_QUIC_NONCE];
	unsigned int i;

	memcpy(nonce, nkey->iv, sizeof(nonce));
	for (i = 0; i < sizeof(number); i++)
		nonce[NSIM_QUIC_NONCE - 1 - i] ^= number >> (8 * i);

	if (nkey->is_chacha)
		nsim_quic_seal_chacha(nkey->chacha.payload, nonce, hdr, hdr_len,
				      data, len);
	else
		aes_gcm_encrypt(data, data, len, data + len, hdr, hdr_len,
				nonce, &nkey->aes.payload);
}

static void nsim_quic_hide(const struct nsim_quic_key *nkey, u8 *packet,
			   unsigned int pn_at, unsigned int pn_len)
{
	const u8 *sample = packet + pn_at + NSIM_QUIC_MAX_PN_LEN;
	u8 mask[CHACHA_BLOCK_SIZE];
	struct chacha_state state;
	unsigned int i;

	if (nkey->is_chacha) {
		chacha_init(&state, nkey->chacha.header, sample);
		chacha20_block(&state, mask);
		chacha_zeroize_state(&state);
	} else {
		aes_encrypt(&nkey->aes.header, mask, sample);
	}

	packet[0] ^= mask[0] & NSIM_QUIC_HIDDEN;
	for (i = 0; i < pn_len; i++)
		packet[pn_at + i] ^= mask[1 + i];
}

/* len: with room for the tag; next: smallest number that the packet can have */
static bool nsim_quic_protect(struct nsim_quic_key *const keys[2],
			      const struct quic_skb_ext *ext, u8 *packet,
			      unsigned int len, u64 *next)
{
	unsigned int pn_at = 1 + ext->dcid_len, pn_len, hdr_len, i;
	const struct nsim_quic_key *nkey;
	u64 number = 0, window;

	if (len < pn_at + NSIM_QUIC_MAX_PN_LEN + NSIM_QUIC_SAMPLE)
		return false;

	nkey = keys[!!(packet[0] & NSIM_QUIC_PHASE)];
	if (!nkey)
		return false;

	pn_len = (packet[0] & NSIM_QUIC_PN_LEN) + 1;
	for (i = 0; i < pn_len; i++)
		number = number << 8 | packet[pn_at + i];
	window = 1ULL << (8 * pn_len);
	number |= *next & ~(window - 1);
	if (number < *next)
		number += window;
	if (number >= ext->next_pkt_num)
		return false;
	*next = number + 1;

	hdr_len = pn_at + pn_len;
	nsim_quic_seal(nkey, number, packet, hdr_len, packet + hdr_len,
		       len - hdr_len - NSIM_QUIC_TAG);
	nsim_quic_hide(nkey, packet, pn_at, pn_len);

	return true;
}

static bool nsim_quic_protect_all(struct nsim_quic_key *const keys[2],
				  const struct quic_skb_ext *ext,
				  struct sk_buff *skb, unsigned int offset)
{
	unsigned int len = skb->len - offset, stride = len;
	u64 next = ext->pkt_num;
	u8 *packet;

	if (skb_is_gso(skb)) {
		stride = skb_shinfo(skb)->gso_size;
		if (stride != ext->stride || len != ext->len)
			return false;
	} else if (len > ext->len) {
		return false;
	}

	/* Taps may have clones, other segments the same pages. */
	if (skb_ensure_writable(skb, skb->len))
		return false;

	for (packet = skb->data + offset; len; packet += stride) {
		stride = min(stride, len);
		if (!nsim_quic_protect(keys, ext, packet, stride, &next))
			return false;
		len -= stride;
	}

	return true;
}

static bool nsim_quic_xmit(struct sk_buff *skb, struct netdevsim *ns,
			   const struct quic_skb_ext *ext)
{
	const struct quic_dev *qd = rcu_dereference(ns->netdev->quic_dev);
	struct nsim_quic_key *keys[2] = {};
	unsigned int phase, offset;

	/* A sum that is there already would be that of the plain text. */
	if (!qd || skb->ip_summed != CHECKSUM_PARTIAL)
		return false;

	offset = skb_checksum_start_offset(skb) + sizeof(struct udphdr);
	if (offset >= skb->len)
		return false;

	for (phase = 0; phase < 2; phase++) {
		struct quic_dev_key *key;

		if (!(ext->phases & BIT(phase)))
			continue;
		key = quic_dev_skb_key(qd, ext, phase);
		if (!key)
			return false;
		keys[phase] = key->priv;
		if (READ_ONCE(keys[phase]->forgotten))
			return false;
	}

	/* On purpose, plain text leaves then: what all but the arithmetic costs can be
	 * measured.
	 */
	if (READ_ONCE(ns->quic.null_cipher))
		return true;

	return nsim_quic_protect_all(keys, ext, skb, offset);
}

/* RCU read side.  Returns false if the skb must be dropped.  The checksum stays to be
 * computed, as that of what else is forwarded.
 */
bool nsim_do_quic(struct sk_buff *skb, struct netdevsim *ns)
{
	const struct quic_skb_ext *ext = quic_dev_skb(skb);
	unsigned int packets;
	bool sent;

	if (!ext)
		return true;

	packets = skb_shinfo(skb)->gso_segs ?: 1;
	sent = nsim_quic_xmit(skb, ns, ext);
	if (sent)
		quic_dev_skb_done(skb);
	atomic_add(packets, sent ? &ns->quic.packets : &ns->quic.drops);

	return sent;
}

static void nsim_quic_load_chacha_key(u32 to[CHACHA_KEY_WORDS], const u8 *key)
{
	unsigned int i;

	for (i = 0; i < CHACHA_KEY_WORDS; i++)
		to[i] = get_unaligned_le32(key + i * sizeof(u32));
}

static int nsim_quic_prepare(struct nsim_quic_key *nkey,
			     const struct quic_dev_key *key)
{
	unsigned int size;
	int err;

	memcpy(nkey->iv, key->payload_iv, sizeof(nkey->iv));

	switch (key->cipher_type) {
	case TLS_CIPHER_AES_GCM_128:
		size = TLS_CIPHER_AES_GCM_128_KEY_SIZE;
		break;
	case TLS_CIPHER_AES_GCM_256:
		size = TLS_CIPHER_AES_GCM_256_KEY_SIZE;
		break;
	case TLS_CIPHER_CHACHA20_POLY1305:
		nkey->is_chacha = true;
		nsim_quic_load_chacha_key(nkey->chacha.payload,
					  key->payload_key);
		nsim_quic_load_chacha_key(nkey->chacha.header, key->header_key);
		return 0;
	default:
		return -EOPNOTSUPP;
	}

	err = aes_gcm_preparekey(&nkey->aes.payload, key->payload_key, size,
				 NSIM_QUIC_TAG);
	if (err)
		return err;

	return aes_prepareenckey(&nkey->aes.header, key->header_key, size);
}

static void nsim_quic_insert(struct netdevsim *ns, struct nsim_quic_key *nkey)
{
	lockdep_assert_held(&ns->quic.lock);

	list_move(&nkey->list, &ns->quic.table);
	ns->quic.keys++;
	ns->quic.adds++;
}

/* Who gets an error has nothing deleted. */
static void nsim_quic_add_failed(struct netdevsim *ns,
				 struct nsim_quic_key *nkey, int err)
{
	struct quic_dev_key *key = nkey->key;

	atomic_inc(&ns->quic.refusals);
	key->priv = NULL;
	kfree_sensitive(nkey);
	quic_dev_key_ready(key, err);
}

/* Adds are done one after the other, as firmware does them. */
static struct nsim_quic_key *nsim_quic_next_add(struct netdevsim *ns)
{
	struct nsim_quic_key *nkey;
	unsigned long now = jiffies;

	mutex_lock(&ns->quic.lock);
	nkey = list_first_entry_or_null(&ns->quic.adding, struct nsim_quic_key,
					list);
	if (nkey && time_before(now, nkey->due)) {
		queue_delayed_work(system_dfl_wq, &ns->quic.add_work,
				   nkey->due - now);
		nkey = NULL;
	} else if (nkey) {
		ns->quic.pending--;
		if (nkey->err)
			list_del(&nkey->list);
		else
			nsim_quic_insert(ns, nkey);
	}
	mutex_unlock(&ns->quic.lock);

	return nkey;
}

static void nsim_quic_add_work(struct work_struct *work)
{
	struct netdevsim *ns = container_of(to_delayed_work(work),
					    struct netdevsim, quic.add_work);
	struct nsim_quic_key *nkey;

	while ((nkey = nsim_quic_next_add(ns))) {
		/* Once it is told that the key is there it may be deleted. */
		if (nkey->err)
			nsim_quic_add_failed(ns, nkey, nkey->err);
		else
			quic_dev_key_ready(nkey->key, 0);
	}
}

static int nsim_quic_table_add(struct netdevsim *ns, struct nsim_quic_key *nkey)
{
	unsigned long delay = msecs_to_jiffies(READ_ONCE(ns->quic.add_delay_ms));
	int ret = 0;

	mutex_lock(&ns->quic.lock);
	if (ns->quic.keys + ns->quic.pending >= READ_ONCE(ns->quic.max_keys)) {
		ret = -ENOSPC;
	} else if (delay && !ns->quic.stopping) {
		nkey->due = jiffies + delay;
		list_add_tail(&nkey->list, &ns->quic.adding);
		ns->quic.pending++;
		queue_delayed_work(system_dfl_wq, &ns->quic.add_work, delay);
		ret = -EINPROGRESS;
	} else if (nkey->err) {
		ret = nkey->err;
	} else {
		nsim_quic_insert(ns, nkey);
	}
	mutex_unlock(&ns->quic.lock);

	return ret;
}

static int nsim_quic_try_add(struct netdevsim *ns, struct quic_dev_key *key)
{
	struct nsim_quic_key *nkey;
	int err;

	if (!(READ_ONCE(ns->quic.conn_id_lengths) &
	      BIT(key->conn.conn_id_length)))
		return -EOPNOTSUPP;

	nkey = kzalloc_obj(*nkey);
	if (!nkey)
		return -ENOMEM;

	INIT_LIST_HEAD(&nkey->list);
	nkey->key = key;
	nkey->err = -(int)READ_ONCE(ns->quic.add_error);
	err = nsim_quic_prepare(nkey, key);
	if (err)
		goto err_free;

	key->priv = nkey;
	err = nsim_quic_table_add(ns, nkey);
	/* It is the work's then, which may be done with it. */
	if (!err || err == -EINPROGRESS)
		return err;
	key->priv = NULL;

err_free:
	kfree_sensitive(nkey);
	return err;
}

static int nsim_quic_key_add(struct quic_dev *qd, struct quic_dev_key *key)
{
	struct netdevsim *ns = quic_dev_priv(qd);
	int err = nsim_quic_try_add(ns, key);

	if (err && err != -EINPROGRESS)
		atomic_inc(&ns->quic.refusals);

	return err;
}

static void nsim_quic_key_del(struct quic_dev *qd, struct quic_dev_key *key)
{
	struct netdevsim *ns = quic_dev_priv(qd);
	struct nsim_quic_key *nkey = key->priv;

	mutex_lock(&ns->quic.lock);
	ns->quic.dels++;
	if (!nkey->forgotten) {
		list_del(&nkey->list);
		ns->quic.keys--;
	}
	mutex_unlock(&ns->quic.lock);

	key->priv = NULL;
	kfree_sensitive(nkey);
}

static const struct quic_dev_ops nsim_quic_ops = {
	.key_add	= nsim_quic_key_add,
	.key_del	= nsim_quic_key_del,
};

static void nsim_quic_cancel_adds(struct netdevsim *ns, struct list_head *adds)
{
	struct nsim_quic_key *nkey, *next;

	list_for_each_entry_safe(nkey, next, adds, list)
		nsim_quic_add_failed(ns, nkey, -ECANCELED);
}

static void nsim_quic_forget(struct netdevsim *ns)
{
	struct nsim_quic_key *nkey, *next;
	LIST_HEAD(adds);

	mutex_lock(&ns->quic.lock);
	list_for_each_entry_safe(nkey, next, &ns->quic.table, list) {
		list_del(&nkey->list);
		WRITE_ONCE(nkey->forgotten, true);
	}
	ns->quic.keys = 0;
	list_splice_init(&ns->quic.adding, &adds);
	ns->quic.pending = 0;
	mutex_unlock(&ns->quic.lock);

	/* It may be about to tell that a key is there which has just been forgotten. */
	flush_delayed_work(&ns->quic.add_work);
	nsim_quic_cancel_adds(ns, &adds);
	quic_dev_reset(ns->quic.dev);
}

static int nsim_quic_start(struct netdevsim *ns)
{
	struct quic_dev_caps caps = {
		.ciphers	 = QUIC_CAP_AES_GCM_128 | QUIC_CAP_AES_GCM_256 |
				   QUIC_CAP_CHACHA20_POLY1305,
		.conn_id_lengths = READ_ONCE(ns->quic.conn_id_lengths),
	};
	struct quic_dev *qd;

	ns->quic.stopping = false;
	qd = quic_dev_register(ns->netdev, &nsim_quic_ops, &caps, ns);
	if (IS_ERR(qd))
		return PTR_ERR(qd);

	ns->quic.dev = qd;
	return 0;
}

static void nsim_quic_stop(struct netdevsim *ns)
{
	LIST_HEAD(adds);

	if (!ns->quic.dev)
		return;

	/* No add takes its time from now on, those that do come to an end. */
	mutex_lock(&ns->quic.lock);
	ns->quic.stopping = true;
	list_splice_init(&ns->quic.adding, &adds);
	ns->quic.pending = 0;
	mutex_unlock(&ns->quic.lock);
	cancel_delayed_work_sync(&ns->quic.add_work);
	nsim_quic_cancel_adds(ns, &adds);

	quic_dev_unregister(ns->quic.dev);
	ns->quic.dev = NULL;
	WARN_ON(ns->quic.keys || ns->quic.adds != ns->quic.dels);
}

static ssize_t nsim_quic_reset_write(struct file *file, const char __user *data,
				     size_t count, loff_t *ppos)
{
	struct netdevsim *ns = file->private_data;
	ssize_t ret = count;

	mutex_lock(&ns->quic.reg_lock);
	if (ns->quic.dev)
		nsim_quic_forget(ns);
	else
		ret = -ENODEV;
	mutex_unlock(&ns->quic.reg_lock);

	return ret;
}

static const struct file_operations nsim_quic_reset_fops = {
	.open = simple_open,
	.write = nsim_quic_reset_write,
	.llseek = generic_file_llseek,
	.owner = THIS_MODULE,
};

static ssize_t nsim_quic_rereg_write(struct file *file, const char __user *data,
				     size_t count, loff_t *ppos)
{
	struct netdevsim *ns = file->private_data;
	int err;

	mutex_lock(&ns->quic.reg_lock);
	nsim_quic_stop(ns);
	err = nsim_quic_start(ns);
	mutex_unlock(&ns->quic.reg_lock);

	return err ?: count;
}

static const struct file_operations nsim_quic_rereg_fops = {
	.open = simple_open,
	.write = nsim_quic_rereg_write,
	.llseek = generic_file_llseek,
	.owner = THIS_MODULE,
};

static int nsim_quic_add_error_get(void *data, u64 *val)
{
	struct netdevsim *ns = data;

	*val = READ_ONCE(ns->quic.add_error);
	return 0;
}

static int nsim_quic_add_error_set(void *data, u64 val)
{
	struct netdevsim *ns = data;

	/* An answer would be waited for that never comes. */
	if (val > MAX_ERRNO || val == EINPROGRESS)
		return -EINVAL;

	WRITE_ONCE(ns->quic.add_error, val);
	return 0;
}

DEFINE_DEBUGFS_ATTRIBUTE(nsim_quic_add_error_fops, nsim_quic_add_error_get,
			 nsim_quic_add_error_set, "%llu\n");

static void nsim_quic_debugfs_init(struct netdevsim *ns)
{
	struct dentry *ddir;

	ddir = debugfs_create_dir("quic", ns->nsim_dev_port->ddir);
	ns->quic.ddir = ddir;

	debugfs_create_u32("keys", 0400, ddir, &ns->quic.keys);
	debugfs_create_u32("pending", 0400, ddir, &ns->quic.pending);
	debugfs_create_u32("adds", 0400, ddir, &ns->quic.adds);
	debugfs_create_u32("dels", 0400, ddir, &ns->quic.dels);
	debugfs_create_atomic_t("packets", 0400, ddir, &ns->quic.packets);
	debugfs_create_atomic_t("drops", 0400, ddir, &ns->quic.drops);
	debugfs_create_atomic_t("refusals", 0400, ddir, &ns->quic.refusals);

	/* Keys are refused from now on, what net/quic is told is as of "rereg". */
	debugfs_create_u32("conn_id_lengths", 0600, ddir,
			   &ns->quic.conn_id_lengths);
	debugfs_create_u32("max_keys", 0600, ddir, &ns->quic.max_keys);
	debugfs_create_file_unsafe("add_error", 0600, ddir, ns,
				   &nsim_quic_add_error_fops);
	debugfs_create_u32("add_delay_ms", 0600, ddir, &ns->quic.add_delay_ms);
	debugfs_create_bool("null_cipher", 0600, ddir, &ns->quic.null_cipher);
	debugfs_create_file("reset", 0200, ddir, ns, &nsim_quic_reset_fops);
	debugfs_create_file("rereg", 0200, ddir, ns, &nsim_quic_rereg_fops);
}

int nsim_quic_init(struct netdevsim *ns)
{
	int err;

	mutex_init(&ns->quic.reg_lock);
	mutex_init(&ns->quic.lock);
	INIT_LIST_HEAD(&ns->quic.table);
	INIT_LIST_HEAD(&ns->quic.adding);
	INIT_DELAYED_WORK(&ns->quic.add_work, nsim_quic_add_work);
	ns->quic.max_keys = 1 << 16;
	ns->quic.conn_id_lengths = GENMASK(QUIC_MAX_CONNECTION_ID_SIZE, 0);

	err = nsim_quic_start(ns);
	if (err)
		return err;

	nsim_quic_debugfs_init(ns);
	return 0;
}

void nsim_quic_uninit(struct netdevsim *ns)
{
	debugfs_remove(ns->quic.ddir);
	nsim_quic_stop(ns);
	mutex_destroy(&ns->quic.lock);
	mutex_destroy(&ns->quic.reg_lock);
}
