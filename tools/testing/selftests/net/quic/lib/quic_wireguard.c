// SPDX-License-Identifier: GPL-2.0
/* WireGuard over a path, without wireguard-tools. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <sys/socket.h>

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <openssl/evp.h>

#include "quic_netlink.h"
#include "quic_wireguard.h"

#define PORT	51820

static void init(struct quic_netlink *msg, uint16_t type, int command,
		 int version)
{
	struct genlmsghdr genl = { .cmd = command, .version = version };

	quic_netlink_init(msg, type, NLM_F_ACK, &genl, sizeof(genl));
}

static int find_family(int fd)
{
	struct quic_netlink msg;
	unsigned int at;

	init(&msg, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	quic_netlink_put(&msg, CTRL_ATTR_FAMILY_NAME, WG_GENL_NAME,
			 sizeof(WG_GENL_NAME));
	if (quic_netlink_ask(fd, &msg))
		return -1;
	for (at = NLMSG_LENGTH(GENL_HDRLEN); at < msg.nlh.nlmsg_len; ) {
		struct nlattr *attr = (void *)((char *)&msg + at);

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
static void put_allowed_ips(struct quic_netlink *msg)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	static const struct in6_addr any;
	struct nlattr *ips, *ip;
	uint8_t mask = 0;
	int i;

	ips = quic_netlink_nest(msg, WGPEER_A_ALLOWEDIPS);
	for (i = 0; i < 2; i++) {
		ip = quic_netlink_nest(msg, 0);
		quic_netlink_put(msg, WGALLOWEDIP_A_FAMILY, &families[i],
				 sizeof(families[i]));
		quic_netlink_put(msg, WGALLOWEDIP_A_IPADDR, &any, i ? 16 : 4);
		quic_netlink_put(msg, WGALLOWEDIP_A_CIDR_MASK, &mask,
				 sizeof(mask));
		quic_netlink_nest_end(msg, ip);
	}
	quic_netlink_nest_end(msg, ips);
}

/* Two of these with @end 0 and 1 are each other's peers. */
static int set_device(const char *device, unsigned int end,
		      const struct sockaddr_in *peer)
{
	uint16_t port = ntohs(peer->sin_port);
	struct nlattr *peers, *entry;
	uint8_t key[WG_KEY_LEN];
	struct quic_netlink msg;
	int fd, family, ret = -1;

	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	if (fd < 0)
		return -1;
	family = find_family(fd);
	/* The acknowledgment follows the answer. */
	if (family < 0 || recv(fd, &msg, sizeof(msg), 0) < 0)
		goto out;

	init(&msg, family, WG_CMD_SET_DEVICE, WG_GENL_VERSION);
	quic_netlink_put(&msg, WGDEVICE_A_IFNAME, device, strlen(device) + 1);
	private_key(key, end);
	quic_netlink_put(&msg, WGDEVICE_A_PRIVATE_KEY, key, sizeof(key));
	quic_netlink_put(&msg, WGDEVICE_A_LISTEN_PORT, &port, sizeof(port));
	peers = quic_netlink_nest(&msg, WGDEVICE_A_PEERS);
	entry = quic_netlink_nest(&msg, 0);
	if (public_key(key, !end))
		goto out;
	quic_netlink_put(&msg, WGPEER_A_PUBLIC_KEY, key, sizeof(key));
	quic_netlink_put(&msg, WGPEER_A_ENDPOINT, peer, sizeof(*peer));
	put_allowed_ips(&msg);
	quic_netlink_nest_end(&msg, entry);
	quic_netlink_nest_end(&msg, peers);
	ret = quic_netlink_ask(fd, &msg);
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
