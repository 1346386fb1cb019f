// SPDX-License-Identifier: GPL-2.0
/*
 * To be preloaded under a program built on ngtcp2, the peer of one that uses
 * the offload: at exit it says in the file QUIC_PEER how many packets the
 * program could open, how many not, how many had the other key phase, how many
 * ngtcp2 was told to be ECT(0), and which DSCP all of them had; and how many of
 * those that the kernel has opened were not of the first key.
 */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <linux/quic.h>
#include <linux/udp.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif

static unsigned long opened, undecryptable, updated, ect0, later_key;
static int common_tclass = 0xff;

static void count_entries(const struct cmsghdr *cmsg)
{
	const struct quic_rx_ancillary_data *entry = (void *)CMSG_DATA(cmsg);

	for (; (char *)entry < (char *)cmsg + cmsg->cmsg_len; entry++)
		later_key += entry->status == QUIC_RX_DECRYPTED &&
			     entry->key_gen;
}

/* A program reads only the two bits of ECN, and has asked for all eight. */
ssize_t recvmsg(int fd, struct msghdr *msg, int flags)
{
	static typeof(&recvmsg) next;
	struct cmsghdr *cmsg;
	ssize_t ret;

	if (!next)
		next = dlsym(RTLD_NEXT, "recvmsg");
	ret = next(fd, msg, flags);
	if (ret < 0)
		return ret;
	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg))
		if ((cmsg->cmsg_level == IPPROTO_IP &&
		     cmsg->cmsg_type == IP_TOS) ||
		    (cmsg->cmsg_level == IPPROTO_IPV6 &&
		     cmsg->cmsg_type == IPV6_TCLASS))
			common_tclass &= *CMSG_DATA(cmsg);
		else if (cmsg->cmsg_level == SOL_UDP &&
			 cmsg->cmsg_type == UDP_QUIC_DECRYPT)
			count_entries(cmsg);
	return ret;
}

/* ngtcp2_pkt_info begins with the two bits, or the whole byte. */
int ngtcp2_conn_read_pkt_versioned(void *conn, const void *path, int version,
				   const uint32_t *info, const uint8_t *packet,
				   size_t len, uint64_t ts)
{
	static typeof(&ngtcp2_conn_read_pkt_versioned) next;

	if (!next)
		next = dlsym(RTLD_NEXT, "ngtcp2_conn_read_pkt_versioned");
	ect0 += (*info & 3) == 2;
	return next(conn, path, version, info, packet, len, ts);
}

int ngtcp2_crypto_decrypt_cb(uint8_t *dest, const void *aead, const void *ctx,
			     const uint8_t *ciphertext, size_t len,
			     const uint8_t *nonce, size_t nonce_len,
			     const uint8_t *aad, size_t aad_len)
{
	static typeof(&ngtcp2_crypto_decrypt_cb) next;
	int err;

	if (!next)
		next = dlsym(RTLD_NEXT, "ngtcp2_crypto_decrypt_cb");
	err = next(dest, aead, ctx, ciphertext, len, nonce, nonce_len, aad,
		   aad_len);
	if (err)
		undecryptable++;
	else
		opened++;
	/* The unprotected header: short, key phase 1 */
	if (!err && (aad[0] & 0x84) == 0x04)
		updated++;
	return err;
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("QUIC_PEER");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	fprintf(f, "%lu opened, %lu undecryptable, %lu updated, %lu ect0, %d dscp, %lu later_key\n",
		opened, undecryptable, updated, ect0, common_tclass >> 2,
		later_key);
	fclose(f);
}
