// SPDX-License-Identifier: GPL-2.0
/* A read, and what it must come to, for whoever has to find out */

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "fuzz_rx_dump.h"
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

static const char *dest(const struct fuzz_dest *dest, char text[100])
{
	char addr[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, &dest->addr, addr, sizeof(addr));
	snprintf(text, 100, "[%s%%%u]:%u", addr, dest->scope_id,
		 ntohs(dest->port));
	return text;
}

static void dump_flow(const struct fuzz_flow *flow)
{
	unsigned int i, phase;
	char text[100];

	ksft_print_msg("flow ");
	for (i = 0; i < flow->dcid.len; i++)
		printf("%02x", flow->dcid.id[i]);
	printf(" (%u) of %s, next %" PRIu64, flow->dcid.len,
	       flow->any ? "any peer" : dest(&flow->dest, text),
	       flow->next_pkt_num);
	for (phase = 0; phase < 2; phase++)
		if (flow->key[phase].oracle)
			printf(", generation %u: %" PRIu64 " failed",
			       flow->key[phase].generation,
			       flow->key[phase].failed);
	printf(", %s; %" PRIu64 " packets, %" PRIu64 " bytes\n",
	       flow->keys.cipher->name, flow->packets, flow->bytes);
}

void fuzz_rx_dump_sock(const struct fuzz_rx_sock *rx)
{
	unsigned int i;

	ksft_print_msg("%s socket%s%s%s, peek offset %d, %u drops, %u messages left\n",
		       rx->sock.family == AF_INET ? "IPv4" : "IPv6",
		       rx->sock.ulp ? ", ULP" : "", rx->gro ? ", UDP_GRO" : "",
		       rx->drop ? ", UDP_QUIC_RX_DROP" : "", rx->peek_off,
		       rx->drops, rx->messages);
	for (i = 0; i < rx->sock.flows; i++)
		dump_flow(rx->sock.flow[i]);
}

static void dump_entries(const struct fuzz_rx_want *want)
{
	struct quic_rx_ancillary_data entry;
	struct cmsghdr cmsg;
	size_t at;

	memcpy(&cmsg, want->control, sizeof(cmsg));
	if (want->control_len < sizeof(cmsg) || cmsg.cmsg_level != SOL_UDP ||
	    cmsg.cmsg_type != UDP_QUIC_DECRYPT)
		return;
	for (at = CMSG_LEN(0); at < cmsg.cmsg_len; at += sizeof(entry)) {
		memcpy(&entry, want->control + at, sizeof(entry));
		ksft_print_msg("expected: status %u, number %llu, generation %u, DCID of %u\n",
			       entry.status, (unsigned long long)entry.pkt_num,
			       entry.key_gen, entry.conn_id_length);
	}
}

void fuzz_rx_dump_read(const struct fuzz_rx_read *read,
		       const struct fuzz_rx_want *want)
{
	static const char * const calls[] = {
		[FUZZ_RX_RECVMSG] = "recvmsg", [FUZZ_RX_RECVMMSG] = "recvmmsg",
		[FUZZ_RX_RECV] = "recv", [FUZZ_RX_READ] = "read",
	};
	static const char * const wheres[] = {
		[FUZZ_RX_SOMEWHERE] = "", [FUZZ_RX_NULL] = ", at NULL",
		[FUZZ_RX_UNMAPPED] = ", at unmapped memory",
	};

	fuzz_rx_dump_sock(read->rx);
	bytes("wire", want->wire, want->wire_len);
	ksft_print_msg("UDP_GRO of %zu, offset %zu\n", want->stride, want->off);
	ksft_print_msg("%s(fd, %zu bytes, %zu writable; control %zu%s; name %zu; flags %#x)\n",
		       calls[read->call], read->room, read->writable,
		       read->control_len, wheres[read->nowhere], read->name_len,
		       read->flags);
	ksft_print_msg("expected: %ld, flags %#x, %zu bytes of control messages\n",
		       want->ret, want->flags, want->control_len);
	dump_entries(want);
}

void fuzz_rx_dump_option(const struct fuzz_call *call)
{
	bytes("opt", call->opt, call->opt_len > 0 ? call->opt_len : 0);
	ksft_print_msg("%cetsockopt(fd, SOL_UDP, %d, opt, %d); /* %zd bytes there */\n",
		       call->kind == FUZZ_GETSOCKOPT ? 'g' : 's',
		       call->optname, call->opt_len, call->readable);
}
