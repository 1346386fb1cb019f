// SPDX-License-Identifier: GPL-2.0
/*
 * The packet of RFC 9001 appendix A.5 through the kernel, for demo.sh. Exit
 * status 0 if what arrives is what the RFC says.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "quic_env.h"

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "quic_demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_hex(const char *what, const uint8_t *bytes, size_t len)
{
	printf("   %-10s", what);
	while (len--)
		printf("%02x", *bytes++);
	putchar('\n');
}

int main(void)
{
	const struct quic_vector *v = &quic_rfc9001_a5;
	const struct quic_dcid no_dcid = {};
	struct quic_connection_info info;
	struct quic_train train = {
		.count = 1,
		.len = sizeof(v->plain),
		.pn[0] = v->pn,
	};
	struct quic_env env;
	struct quic_msg msg;
	uint8_t seen[64];
	ssize_t len;
	bool equal;

	if (quic_env_open(&env, AF_INET))
		die("network namespace");
	quic_flow_info(&info, &v->keys, &no_dcid, &env.to);
	if (quic_flow_add(env.tx, &info))
		die("UDP_QUIC_ADD_TX_CONNECTION");
	memcpy(train.buf, v->plain, sizeof(v->plain));
	msg = quic_msg(env.tx, &env.to, &train);
	if (quic_send(&msg) < 0)
		die("sendmsg");
	len = recv(env.rx, seen, sizeof(seen), 0);
	if (len < 0)
		die("recv");
	equal = len == sizeof(v->protected) && !memcmp(seen, v->protected, len);

	print_hex("plaintext", v->plain, sizeof(v->plain));
	print_hex("expected", v->protected, sizeof(v->protected));
	print_hex("captured", seen, len);
	printf("   %s\n", equal ? "equal" : "DIFFERENT");
	return !equal;
}
