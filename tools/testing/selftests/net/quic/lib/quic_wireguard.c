// SPDX-License-Identifier: GPL-2.0
/* WireGuard over a path, without wireguard-tools. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/wireguard.h>

#include <openssl/evp.h>

#include "quic_wireguard.h"

#define PORT	51820

struct request {
	struct nlmsghdr nlh;
	struct genlmsghdr genl;
	char attrs[1024];
};

static struct nlattr *put(struct request *req, int type, const void *data,
			  size_t len)
{
	struct nlattr *attr = (void *)((char *)req + req->nlh.nlmsg_len);

	attr->nla_type = type;
	attr->nla_len = NLA_HDRLEN + len;
	if (len)
		memcpy((char *)attr + NLA_HDRLEN, data, len);
	req->nlh.nlmsg_len += NLA_HDRLEN + NLA_ALIGN(len);
	return attr;
}

static struct nlattr *nest(struct request *req, int type)
{
	return put(req, type | NLA_F_NESTED, NULL, 0);
}

static void nest_end(struct request *req, struct nlattr *attr)
{
	attr->nla_len = (char *)req + req->nlh.nlmsg_len - (char *)attr;
}

static void init(struct request *req, int type, int command, int version)
{
	memset(req, 0, sizeof(*req));
	req->nlh.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	req->nlh.nlmsg_type = type;
	req->nlh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	req->genl.cmd = command;
	req->genl.version = version;
}

/* The answer, or without one the acknowledgment, comes back in @req. */
static int ask(int fd, struct request *req)
{
	struct nlmsgerr *ack = NLMSG_DATA(&req->nlh);

	if (send(fd, req, req->nlh.nlmsg_len, 0) < 0 ||
	    recv(fd, req, sizeof(*req), 0) < 0)
		return -1;
	if (req->nlh.nlmsg_type != NLMSG_ERROR)
		return 0;
	errno = -ack->error;
	return errno ? -1 : 0;
}

static int find_family(int fd)
{
	struct request req;
	unsigned int at;

	init(&req, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	put(&req, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME, sizeof(WG_GENL_NAME));
	if (ask(fd, &req))
		return -1;
	for (at = NLMSG_LENGTH(GENL_HDRLEN); at < req.nlh.nlmsg_len; ) {
		struct nlattr *attr = (void *)((char *)&req + at);

		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			return *(uint16_t *)((char *)attr + NLA_HDRLEN);
		at += NLA_ALIGN(attr->nla_len);
	}
	errno = ENOENT;
	return -1;
}

static void private_key(uint8_t *key, unsigned int end)
{
	memset(key, 0x51 + end, WG_KEY_LEN);
}

static int public_key(uint8_t *key, unsigned int end)
{
	uint8_t private[WG_KEY_LEN];
	size_t len = WG_KEY_LEN;
	EVP_PKEY *pkey;
	int ok;

	private_key(private, end);
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, private,
					    WG_KEY_LEN);
	ok = pkey && EVP_PKEY_get_raw_public_key(pkey, key, &len) == 1;
	EVP_PKEY_free(pkey);
	errno = EPROTO;
	return ok ? 0 : -1;
}

/* Every address is the peer's. */
static void put_allowed_ips(struct request *req)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	static const struct in6_addr any;
	struct nlattr *ips, *ip;
	uint8_t mask = 0;
	int i;

	ips = nest(req, WGPEER_A_ALLOWEDIPS);
	for (i = 0; i < 2; i++) {
		ip = nest(req, 0);
		put(req, WGALLOWEDIP_A_FAMILY, &families[i],
		    sizeof(families[i]));
		put(req, WGALLOWEDIP_A_IPADDR, &any, i ? 16 : 4);
		put(req, WGALLOWEDIP_A_CIDR_MASK, &mask, sizeof(mask));
		nest_end(req, ip);
	}
	nest_end(req, ips);
}

/* Two of these with @end 0 and 1 are each other's peers. */
static int set_device(const char *device, unsigned int end,
		      const struct sockaddr_in *peer)
{
	uint16_t port = ntohs(peer->sin_port);
	struct nlattr *peers, *entry;
	uint8_t key[WG_KEY_LEN];
	struct request req;
	int fd, family, ret = -1;

	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (fd < 0)
		return -1;
	family = find_family(fd);
	/* The acknowledgment follows the answer. */
	if (family < 0 || recv(fd, &req, sizeof(req), 0) < 0)
		goto out;

	init(&req, family, WG_CMD_SET_DEVICE, WG_GENL_VERSION);
	put(&req, WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	private_key(key, end);
	put(&req, WGDEVICE_A_PRIVATE_KEY, key, sizeof(key));
	put(&req, WGDEVICE_A_LISTEN_PORT, &port, sizeof(port));
	peers = nest(&req, WGDEVICE_A_PEERS);
	entry = nest(&req, 0);
	if (public_key(key, !end))
		goto out;
	put(&req, WGPEER_A_PUBLIC_KEY, key, sizeof(key));
	put(&req, WGPEER_A_ENDPOINT, peer, sizeof(*peer));
	put_allowed_ips(&req);
	nest_end(&req, entry);
	nest_end(&req, peers);
	ret = ask(fd, &req);
out:
	close(fd);
	return ret;
}

int quic_wireguard_set(const struct quic_path *path, bool there)
{
	struct sockaddr_in peer = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
	};
	int ret;

	inet_pton(AF_INET, there ? "203.0.113.1" : "203.0.113.2",
		  &peer.sin_addr);
	if (quic_path_enter(path, there))
		return -1;
	ret = set_device(there ? "path1" : "path0", there, &peer);
	return quic_path_enter(path, false) ? -1 : ret;
}
