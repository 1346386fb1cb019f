// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the packets of a train are copied, protected, and handed to UDP from:
 * page fragments of the sending task, as UDP itself fills.
 */

#include <linux/mm.h>
#include <linux/sched.h>
#include <net/hotdata.h>
#include <net/sock.h>

#include "quic.h"

/* Header and sample are read through the first fragment of a packet. */
static_assert(QUIC_MAX_SAMPLE_END <= PAGE_SIZE);

/**
 * quic_txbuf_init - begin a train
 * @buf: buffer
 * @len: bytes that the train will have
 */
void quic_txbuf_init(struct quic_txbuf *buf, unsigned int len)
{
	struct page_frag *pfrag = &current->task_frag;

	buf->nr_bvecs = 0;
	buf->len = 0;
	sg_init_table(buf->sg, ARRAY_SIZE(buf->sg));

	/* An skb takes 64 KiB in pages of 4 KiB if they are filled from the
	 * first byte on: do not begin a long train in the middle.  A fragment
	 * that nobody else holds is used from its start anyway.
	 */
	if (len > PAGE_SIZE << SKB_FRAG_PAGE_ORDER && pfrag->page &&
	    page_ref_count(pfrag->page) > 1) {
		put_page(pfrag->page);
		pfrag->page = NULL;
	}
}

/**
 * quic_txbuf_release - let go of the fragments
 * @buf: buffer
 */
void quic_txbuf_release(struct quic_txbuf *buf)
{
	while (buf->nr_bvecs)
		put_page(buf->bvecs[--buf->nr_bvecs].bv_page);
}

/* Take @len bytes of the task's fragment and append them to the train. */
static int quic_txbuf_append(struct quic_txbuf *buf, struct page_frag *pfrag,
			     unsigned int len)
{
	struct bio_vec *last = NULL;

	if (buf->nr_bvecs)
		last = &buf->bvecs[buf->nr_bvecs - 1];

	if (last && last->bv_page == pfrag->page &&
	    last->bv_offset + last->bv_len == pfrag->offset) {
		last->bv_len += len;
	} else {
		if (WARN_ON_ONCE(buf->nr_bvecs == ARRAY_SIZE(buf->bvecs)))
			return -EMSGSIZE;
		get_page(pfrag->page);
		bvec_set_page(&buf->bvecs[buf->nr_bvecs++], pfrag->page, len,
			      pfrag->offset);
	}

	pfrag->offset += len;
	buf->len += len;
	return 0;
}

/**
 * quic_txbuf_add - append a packet and room for its tag
 * @buf: buffer
 * @from: where to copy the packet from, is advanced
 * @len: bytes in the packet
 *
 * On return @buf->sg covers packet and tag.  All of it is in one entry unless
 * it is longer than a page; the first entry has a page at least.
 *
 * Context: process context, may fault.
 * Return: 0, -ENOBUFS without memory, -EFAULT if the packet can't be read.
 */
int quic_txbuf_add(struct quic_txbuf *buf, struct iov_iter *from,
		   unsigned int len)
{
	struct page_frag *pfrag = &current->task_frag;
	unsigned int left = len + QUIC_TAG_SIZE;
	struct scatterlist *sg = buf->sg;
	int err;

	for (;;) {
		unsigned int piece, copy;

		if (!skb_page_frag_refill(min_t(unsigned int, left, PAGE_SIZE),
					  pfrag, GFP_KERNEL))
			return -ENOBUFS;

		piece = min(left, pfrag->size - pfrag->offset);
		sg_unmark_end(sg);
		sg_set_page(sg, pfrag->page, piece, pfrag->offset);

		/* Append first: the copy may fault and, in theory, come back
		 * here for the task's fragment.
		 */
		err = quic_txbuf_append(buf, pfrag, piece);
		if (err)
			return err;

		copy = min(piece, len);
		if (!copy_from_iter_full(sg_virt(sg), copy, from))
			return -EFAULT;

		len -= copy;
		left -= piece;
		if (!left)
			break;
		sg++;
	}
	sg_mark_end(sg);

	return 0;
}

/**
 * quic_txbuf_spliceable - will an skb take the fragments as they are?
 * @buf: buffer
 *
 * UDP makes a fragment of every page; if there are too many it has to copy.
 *
 * Return: whether MSG_SPLICE_PAGES can be used.
 */
bool quic_txbuf_spliceable(const struct quic_txbuf *buf)
{
	unsigned int i, pages = 0;

	for (i = 0; i < buf->nr_bvecs; i++)
		pages += DIV_ROUND_UP(offset_in_page(buf->bvecs[i].bv_offset) +
				      buf->bvecs[i].bv_len, PAGE_SIZE);

	return pages <= READ_ONCE(net_hotdata.sysctl_max_skb_frags);
}
