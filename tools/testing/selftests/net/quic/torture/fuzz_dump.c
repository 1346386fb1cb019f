// SPDX-License-Identifier: GPL-2.0
/* A call, complete and as C has it, for whoever has to find out. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz_dump.h"
#include "kselftest.h"

#define MOST_BYTES	4096

static void bytes(const char *name, const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t i;

	ksft_print_msg("%s[%zu] = {", name, len);
	for (i = 0; i < len && i < MOST_BYTES; i++)
		printf("%s0x%02x,", i % 16 ? " " : "\n#\t", p[i]);
	printf("%s\n#};\n", i < len ? " ..." : "");
}

static void dump_flow(const struct fuzz_flow *flow)
{
	char dcid[2 * QUIC_MAX_CONNECTION_ID_SIZE + 1] = "";
	unsigned int i, phase;

	for (i = 0; i < flow->dcid.len; i++)
		sprintf(dcid + 2 * i, "%02x", flow->dcid.id[i]);
	ksft_print_msg("/* flow %s of %s", dcid,
		       flow->any ? "any destination" : "one destination");
	for (phase = 0; phase < 2; phase++)
		if (flow->key[phase].oracle)
			printf(", generation %u: next %" PRIu64 ", %" PRIu64 " packets",
			       flow->key[phase].generation,
			       flow->key[phase].next, flow->key[phase].packets);
	printf(", %s; %" PRIu64 " packets, %" PRIu64 " bytes */\n",
	       flow->keys.cipher->name, flow->packets, flow->bytes);
}

static void dump_sock(const struct fuzz_sock *sock)
{
	unsigned int i;

	ksft_print_msg("/* %s socket%s%s%s%s%s%s, gso %d, device %u */\n",
		       sock->family == AF_INET ? "IPv4" : "IPv6",
		       sock->ulp ? ", ULP" : "", sock->full ? ", full" : "",
		       sock->corked ? ", corked" : "",
		       sock->pending ? ", pending" : "",
		       sock->connected ? ", connected" : "",
		       sock->no_check ? ", no checksums" : "", sock->gso,
		       sock->device);
	for (i = 0; i < sock->flows; i++)
		dump_flow(sock->flow[i]);
	if (sock->connected)
		bytes("/* peer */", &sock->peer, sizeof(sock->peer));
}

static void dump_send(const struct fuzz_call *call)
{
	size_t len = call->len < FUZZ_MESSAGE_SIZE ? call->len : FUZZ_MESSAGE_SIZE;
	size_t i;

	bytes("name", &call->name, call->name_len);
	bytes("control", call->control, call->control_len);
	bytes("message", call->message, len);
	ksft_print_msg("struct iovec iov[%zu] = {", call->iov_count);
	for (i = 0; i < call->iov_count; i++)
		printf("%s{ %p, %zu },", i % 4 ? " " : "\n#\t",
		       call->iov[i].iov_base, call->iov[i].iov_len);
	printf("\n#}; /* %zd of %zu bytes readable */\n", call->readable,
	       call->len);
	ksft_print_msg("sendmsg(fd, { name, %d, iov, %zu, control, %zu }, 0x%x);\n",
		       call->name_len, call->iov_count, call->control_len,
		       call->flags);
}

void fuzz_dump(const struct fuzz_call *call)
{
	if (!call->sock)
		return;
	dump_sock(call->sock);
	switch (call->kind) {
	case FUZZ_SEND:
		dump_send(call);
		break;
	case FUZZ_SETSOCKOPT:
		bytes("opt", call->opt, call->opt_len > 0 ? call->opt_len : 0);
		ksft_print_msg("setsockopt(fd, SOL_UDP, %d, opt, %d); /* %zd bytes readable */\n",
			       call->optname, call->opt_len, call->readable);
		break;
	case FUZZ_GETSOCKOPT:
		bytes("opt", call->opt, call->opt_len > 0 ? call->opt_len : 0);
		ksft_print_msg("getsockopt(fd, SOL_UDP, %d, opt, &(%d)); /* %zd bytes there */\n",
			       call->optname, call->opt_len, call->readable);
		break;
	case FUZZ_GET_ULP:
		ksft_print_msg("getsockopt(fd, SOL_UDP, UDP_ULP, name, &(%d));\n",
			       call->opt_len);
		break;
	case FUZZ_CONNECT:
		bytes("name", &call->name, call->name_len);
		ksft_print_msg("connect(fd, name, %d);\n", call->name_len);
		break;
	}
}
