// SPDX-License-Identifier: GPL-2.0
/* What the tests and the demonstration share: packets, flows, messages. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/tls.h>

#include "quic_lib.h"

const struct quic_vector quic_rfc9001_a5 = {
	.keys = {
		.cipher = &quic_ciphers[QUIC_CHACHA20_POLY1305],
		.key = {
			0xc6, 0xd9, 0x8f, 0xf3, 0x44, 0x1c, 0x3f, 0xe1,
			0xb2, 0x18, 0x20, 0x94, 0xf6, 0x9c, 0xaa, 0x2e,
			0xd4, 0xb7, 0x16, 0xb6, 0x54, 0x88, 0x96, 0x0a,
			0x7a, 0x98, 0x49, 0x79, 0xfb, 0x23, 0xe1, 0xc8,
		},
		.iv = {
			0xe0, 0x45, 0x9b, 0x34, 0x74, 0xbd,
			0xd0, 0xe4, 0x4a, 0x41, 0xc1, 0x44,
		},
		.hp = {
			0x25, 0xa2, 0x82, 0xb9, 0xe8, 0x2f, 0x06, 0xf2,
			0x1f, 0x48, 0x89, 0x17, 0xa4, 0xfc, 0x8f, 0x1b,
			0x73, 0x57, 0x36, 0x85, 0x60, 0x85, 0x97, 0xd0,
			0xef, 0xcb, 0x07, 0x6b, 0x0a, 0xb7, 0xa7, 0xa4,
		},
	},
	.pn = 654360564,
	.plain = { 0x42, 0x00, 0xbf, 0xf4, 0x01 },
	.protected = {
		0x4c, 0xfe, 0x41, 0x89, 0x65, 0x5e, 0x5c, 0xd5,
		0x5c, 0x41, 0xf6, 0x90, 0x80, 0x57, 0x5d, 0x79,
		0x99, 0xc2, 0x5a, 0x5b, 0xfb,
	},
};

void quic_dcid_init(struct quic_dcid *dcid, uint8_t len, unsigned int which)
{
	unsigned int i;

	memset(dcid, 0, sizeof(*dcid));
	dcid->len = len;
	for (i = 0; i < len; i++)
		dcid->id[i] = 0xd0 + which + 7 * i;
}

size_t quic_packet_header(const struct quic_packet *packet)
{
	return 1 + packet->dcid.len + packet->pn_len;
}

void quic_packet_build(uint8_t *buf, const struct quic_packet *packet)
{
	size_t payload = packet->len - quic_packet_header(packet), i;

	*buf++ = packet->flags | (packet->pn_len - 1);
	memcpy(buf, packet->dcid.id, packet->dcid.len);
	buf += packet->dcid.len;
	for (i = packet->pn_len; i-- > 0; )
		*buf++ = packet->pn >> (8 * i);
	for (i = 0; i < payload; i++)
		buf[i] = i < QUIC_MARKER_SIZE ? QUIC_MARKER[i] :
			 (packet->pn + i) * 167 >> 3;
}

void quic_train_add(struct quic_train *train, const struct quic_packet *packet)
{
	if (!train->count)
		train->len = 0;
	train->dcid_len = packet->dcid.len;
	train->pn[train->count] = packet->pn;
	train->at[train->count] = train->len;
	quic_packet_build(train->buf + train->len, packet);
	train->len += packet->len;
	train->at[++train->count] = train->len;
}

void quic_train_build(struct quic_train *train, struct quic_packet packet,
		      unsigned int count, size_t last)
{
	train->count = 0;
	for (; count; count--, packet.pn++) {
		if (count == 1 && last)
			packet.len = last;
		quic_train_add(train, &packet);
	}
}

void quic_flow_info(struct quic_connection_info *info,
		    const struct quic_keys *keys, const struct quic_dcid *dcid,
		    const struct quic_addr *to)
{
	struct quic_connection_info_key *key = &info->key;

	/* What the interface says is not looked at holds garbage. */
	memset(info, 0xff, sizeof(*info));
	info->cipher_type = keys->cipher->type;
	info->conn_payload_key_gen = keys->generation;
	memcpy(info->header_key, keys->hp, keys->cipher->key_len);
	memcpy(info->payload_key, keys->key, keys->cipher->key_len);
	memcpy(info->payload_iv, keys->iv, sizeof(info->payload_iv));

	memset(key, 0, sizeof(*key));
	key->conn_id_length = dcid->len;
	memcpy(key->conn_id + sizeof(key->conn_id) - dcid->len, dcid->id,
	       dcid->len);
	if (!to)
		return;
	key->family = to->ss.ss_family;
	if (key->family == AF_INET) {
		const struct sockaddr_in *sin = (const void *)&to->ss;

		key->udp_port = sin->sin_port;
		key->addr.ipv4_addr = sin->sin_addr;
	} else {
		const struct sockaddr_in6 *sin6 = (const void *)&to->ss;

		key->udp_port = sin6->sin6_port;
		key->scope_id = sin6->sin6_scope_id;
		key->addr.ipv6_addr = sin6->sin6_addr;
	}
}

int quic_flow_add(int fd, const struct quic_connection_info *info)
{
	return setsockopt(fd, SOL_UDP, UDP_QUIC_ADD_TX_CONNECTION, info,
			  sizeof(*info));
}

int quic_flow_del(int fd, const struct quic_connection_info *info)
{
	return setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_TX_CONNECTION, info,
			  sizeof(*info));
}

int quic_flow_ask(int fd, struct quic_flow_info *info)
{
	socklen_t len = sizeof(*info);

	if (getsockopt(fd, SOL_UDP, UDP_QUIC_FLOW_INFO, info, &len))
		return -1;
	errno = EBADMSG;
	return len == sizeof(*info) ? 0 : -1;
}

struct quic_oracle *quic_flow_begin(int fd, const struct quic_dcid *dcid,
				    const struct quic_addr *to, unsigned int flow,
				    uint8_t generation)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], flow,
			 generation);
	quic_flow_info(&info, &keys, dcid, to);
	return quic_flow_add(fd, &info) ? NULL : quic_oracle_new(&keys);
}

struct quic_msg quic_msg(int fd, const struct quic_addr *to,
			 const struct quic_train *train)
{
	struct quic_msg msg = {
		.fd = fd,
		.to = to,
		.buf = train->buf,
		.len = train->len,
		.encrypts = 1,
		.anc_len = sizeof(msg.anc),
		.gso = -1,
	};

	/* __reserved is not looked at */
	memset(&msg.anc, 0xff, sizeof(msg.anc));
	msg.anc.flags = 0;
	msg.anc.next_pkt_num = train->pn[0];
	msg.anc.conn_id_length = train->dcid_len;
	if (train->count > 1)
		msg.gso = train->at[1] + QUIC_TAG_SIZE;
	return msg;
}

struct cmsghdr *quic_cmsg_put(struct msghdr *mh, int level, int type,
			      const void *data, size_t len)
{
	struct cmsghdr *cmsg;

	cmsg = (void *)((char *)mh->msg_control + mh->msg_controllen);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	mh->msg_controllen += CMSG_SPACE(len);
	return cmsg;
}

int quic_cmsg_tos(struct msghdr *mh)
{
	struct cmsghdr *cmsg;
	int tos;

	for (cmsg = CMSG_FIRSTHDR(mh); cmsg; cmsg = CMSG_NXTHDR(mh, cmsg)) {
		if (cmsg->cmsg_level == SOL_IP && cmsg->cmsg_type == IP_TOS)
			return *CMSG_DATA(cmsg);
		if (cmsg->cmsg_level == SOL_IPV6 &&
		    cmsg->cmsg_type == IPV6_TCLASS) {
			memcpy(&tos, CMSG_DATA(cmsg), sizeof(tos));
			return tos;
		}
	}
	return -1;
}

void quic_msghdr_init(struct quic_msghdr *hdr, const struct quic_msg *msg)
{
	struct {
		struct quic_tx_ancillary_data anc;
		uint8_t surplus[64];
	} data = { .anc = msg->anc };
	uint16_t gso = msg->gso;
	unsigned int i;

	memset(hdr, 0, sizeof(*hdr));
	hdr->iov.iov_base = (void *)msg->buf;
	hdr->iov.iov_len = msg->len;
	hdr->mh.msg_iov = &hdr->iov;
	hdr->mh.msg_iovlen = 1;
	if (msg->to) {
		hdr->mh.msg_name = (void *)&msg->to->ss;
		hdr->mh.msg_namelen = msg->to->len;
	}
	hdr->mh.msg_control = hdr->control;
	for (i = 0; i < msg->encrypts; i++)
		quic_cmsg_put(&hdr->mh, SOL_UDP, UDP_QUIC_ENCRYPT, &data,
			      msg->anc_len);
	if (msg->gso >= 0)
		quic_cmsg_put(&hdr->mh, SOL_UDP, UDP_SEGMENT, &gso,
			      sizeof(gso));
	hdr->mh.msg_controllen -= msg->cut;
}

ssize_t quic_send(const struct quic_msg *msg)
{
	struct quic_msghdr hdr;

	quic_msghdr_init(&hdr, msg);
	return sendmsg(msg->fd, &hdr.mh, msg->flags);
}

int quic_fd_send(int unix_fd, int fd)
{
	uint64_t control[8] = {};
	struct iovec iov = { "", 1 };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};

	quic_cmsg_put(&mh, SOL_SOCKET, SCM_RIGHTS, &fd, sizeof(fd));
	return sendmsg(unix_fd, &mh, 0) == 1 ? 0 : -1;
}

int quic_fd_receive(int unix_fd)
{
	uint64_t control[8] = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	int fd;

	if (recvmsg(unix_fd, &mh, 0) != 1 || !CMSG_FIRSTHDR(&mh))
		return -1;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&mh)), sizeof(fd));
	return fd;
}

unsigned int quic_receive(int rx, struct quic_oracle *const phase[2],
			  const struct quic_train *train)
{
	uint8_t expected[QUIC_MAX_UDP_PAYLOAD], seen[QUIC_MAX_UDP_PAYLOAD];
	unsigned int i;

	for (i = 0; i < train->count; i++) {
		const uint8_t *packet = train->buf + train->at[i];
		ssize_t len = train->at[i + 1] - train->at[i];

		len = quic_oracle_protect(phase[!!(*packet & QUIC_KEY_PHASE)],
					  train->pn[i], train->dcid_len,
					  packet, len, expected);
		if (recv(rx, seen, sizeof(seen), 0) != len ||
		    memcmp(expected, seen, len))
			break;
	}
	return i;
}

/* The next counter of the file, if it could be opened and has one */
static bool next_stat(FILE *f, char name[64], long *value)
{
	return f && fscanf(f, "%63s %ld", name, value) == 2;
}

void quic_stats(const char *const *names, long *values, unsigned int count)
{
	FILE *f = fopen("/proc/self/net/quic_stat", "r");
	char found[64];
	unsigned int i;
	long value;

	for (i = 0; i < count; i++)
		values[i] = -1;
	while (next_stat(f, found, &value)) {
		for (i = 0; i < count; i++) {
			if (!strcmp(found, names[i]))
				values[i] = value;
		}
	}
	if (f)
		fclose(f);
}

long quic_stat(const char *name)
{
	long value;

	quic_stats(&name, &value, 1);
	return value;
}

long quic_stat_sum(const char *prefix)
{
	FILE *f = fopen("/proc/self/net/quic_stat", "r");
	size_t len = strlen(prefix);
	long value, sum = -1;
	char found[64];

	while (next_stat(f, found, &value)) {
		if (!strncmp(found, prefix, len) && found[len])
			sum = value + (sum < 0 ? 0 : sum);
	}
	if (f)
		fclose(f);
	return sum;
}

long quic_stat_becomes(const char *name, long expected)
{
	long value;
	int i;

	for (i = 0; i < 6000; i++) {
		value = quic_stat(name);
		if (value == expected)
			break;
		usleep(10000);
	}
	return value;
}

long quic_flows_become(long expected)
{
	return quic_stat_becomes("QuicCurrTxSw", expected);
}
