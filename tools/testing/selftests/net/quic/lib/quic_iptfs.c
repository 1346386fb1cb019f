// SPDX-License-Identifier: GPL-2.0
/* A tunnel that collects packets (RFC 9347) over a path, which ip(8) does not know yet. */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/xfrm.h>

#include "quic_iptfs.h"
#include "quic_netlink.h"

#define SPI		8
#define MARK		1
#define KEY_SIZE	32

static const struct xfrm_lifetime_cfg for_ever = {
	.soft_byte_limit = XFRM_INF,
	.hard_byte_limit = XFRM_INF,
	.soft_packet_limit = XFRM_INF,
	.hard_packet_limit = XFRM_INF,
};

static xfrm_address_t address(const char *text)
{
	xfrm_address_t result = {};

	inet_pton(AF_INET, text, &result);
	return result;
}

static void put_algorithm(struct quic_netlink *msg, uint16_t type,
			  const char *name)
{
	struct {
		struct xfrm_algo algo;
		uint8_t key[KEY_SIZE];
	} algorithm = { .algo.alg_key_len = KEY_SIZE * 8 };

	strcpy(algorithm.algo.alg_name, name);
	memset(algorithm.key, 0x52, KEY_SIZE);
	quic_netlink_put(msg, type, &algorithm, sizeof(algorithm));
}

static int add_state(int fd, bool there)
{
	struct xfrm_usersa_info info = {
		.saddr = address("203.0.113.1"),
		.id = {
			.daddr = address("203.0.113.2"),
			.spi = htonl(SPI),
			.proto = IPPROTO_ESP,
		},
		.family = AF_INET,
		.mode = XFRM_MODE_IPTFS,
		.flags = XFRM_STATE_AF_UNSPEC,
		.lft = for_ever,
	};
	uint8_t dir = there ? XFRM_SA_DIR_IN : XFRM_SA_DIR_OUT;
	struct quic_netlink msg;

	quic_netlink_init(&msg, XFRM_MSG_NEWSA, NLM_F_ACK, &info, sizeof(info));
	put_algorithm(&msg, XFRMA_ALG_CRYPT, "cbc(aes)");
	put_algorithm(&msg, XFRMA_ALG_AUTH, "hmac(sha256)");
	quic_netlink_put(&msg, XFRMA_SA_DIR, &dir, sizeof(dir));
	return quic_netlink_ask(fd, &msg);
}

/* There also what comes without a tunnel is welcome. */
static int add_policy(int fd, bool there, int family)
{
	struct xfrm_userpolicy_info info = {
		.sel.family = family,
		.lft = for_ever,
		.dir = there ? XFRM_POLICY_IN : XFRM_POLICY_OUT,
		.action = XFRM_POLICY_ALLOW,
	};
	struct xfrm_user_tmpl template = {
		.id = {
			.daddr = address("203.0.113.2"),
			.proto = IPPROTO_ESP,
		},
		.family = AF_INET,
		.saddr = address("203.0.113.1"),
		.mode = XFRM_MODE_IPTFS,
		.optional = there,
		.aalgos = ~0U,
		.ealgos = ~0U,
		.calgos = ~0U,
	};
	struct xfrm_mark mark = { .v = MARK, .m = ~0U };
	struct quic_netlink msg;

	quic_netlink_init(&msg, XFRM_MSG_NEWPOLICY, NLM_F_ACK, &info,
			  sizeof(info));
	quic_netlink_put(&msg, XFRMA_TMPL, &template, sizeof(template));
	if (!there)
		quic_netlink_put(&msg, XFRMA_MARK, &mark, sizeof(mark));
	return quic_netlink_ask(fd, &msg);
}

int quic_iptfs_set(const struct quic_path *path, bool there)
{
	int fd, ret = -1;

	if (quic_path_enter(path, there))
		return -1;
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_XFRM);
	if (fd >= 0 && !add_state(fd, there) &&
	    !add_policy(fd, there, AF_INET) && !add_policy(fd, there, AF_INET6))
		ret = 0;
	close(fd);
	return quic_path_enter(path, false) ? -1 : ret;
}
