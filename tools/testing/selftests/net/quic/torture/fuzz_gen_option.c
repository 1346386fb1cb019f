// SPDX-License-Identifier: GPL-2.0
/* Socket options: flows and their keys, and what UDP itself has. */

#include <string.h>

#include <linux/tls.h>

#include "fuzz_dcid.h"
#include "fuzz_dest.h"
#include "fuzz_gen_option.h"
#include "fuzz_model.h"
#include "fuzz_random.h"

#define ULP_NAME	"quic-crypto"
#define ENOUGH_FLOWS	12	/* of a socket: deleting is as likely as adding */

static struct quic_connection_info *info_of(struct fuzz_call *call)
{
	return (void *)call->opt;
}

static void set_flow(struct fuzz_call *call, const struct fuzz_flow *flow)
{
	fuzz_dest_key(&info_of(call)->key, &flow->dcid,
		      flow->any ? NULL : &flow->dest);
}

static bool is_spent(const struct fuzz_flow *flow)
{
	const struct fuzz_key *key = &flow->key[flow->keys.generation & 1];

	return key->next > QUIC_PN_LIMIT / 2 ||
	       key->packets + 20 > fuzz_max_packets;
}

/* Rather one whose key is of no use any more */
static const struct fuzz_flow *some_flow(const struct fuzz_call *call)
{
	const struct fuzz_sock *sock = call->sock;
	unsigned int i;

	if (!sock->flows)
		return NULL;
	for (i = 0; i < sock->flows; i++)
		if (is_spent(sock->flow[i]) && fuzz_chance(50))
			return sock->flow[i];
	return sock->flow[fuzz_below(sock->flows)];
}

static void gen_new_flow(struct fuzz_call *call)
{
	static const uint16_t ciphers[] = {
		TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_256,
		TLS_CIPHER_AES_CCM_128, TLS_CIPHER_CHACHA20_POLY1305,
	};
	struct fuzz_dest dest = fuzz_dest_random(call->sock);
	struct quic_dcid dcid = fuzz_dcid_random();

	/* Of no interface, or of one that is not there */
	if (dest.scope_id && fuzz_chance(60))
		dest.scope_id = fuzz_chance(70) ? 0 : 77;
	fuzz_dest_key(&info_of(call)->key, &dcid,
		      fuzz_chance(50) ? NULL : &dest);
	info_of(call)->cipher_type = fuzz_pick(ciphers);
}

/* The next generation, or one that does not fit */
static void gen_update(struct fuzz_call *call, const struct fuzz_flow *flow)
{
	struct quic_connection_info *info = info_of(call);
	uint8_t newest = flow->keys.generation;

	set_flow(call, flow);
	info->cipher_type = flow->keys.cipher->type;
	memcpy(info->header_key, flow->keys.hp, flow->keys.cipher->key_len);
	info->conn_payload_key_gen = newest + 1;
	if (fuzz_chance(75))
		return;
	switch (fuzz_below(4)) {
	case 0:
		info->conn_payload_key_gen = newest - 2 + fuzz_below(6);
		break;
	case 1:
		info->conn_payload_key_gen = fuzz_below(256);
		break;
	case 2:
		info->cipher_type = TLS_CIPHER_AES_GCM_128 + fuzz_below(4);
		break;
	case 3:
		info->header_key[fuzz_below(32)] ^= 1 << fuzz_below(8);
		break;
	}
}

static void gen_add(struct fuzz_call *call)
{
	const struct fuzz_flow *flow = some_flow(call);

	call->optname = UDP_QUIC_ADD_TX_CONNECTION;
	call->opt_len = sizeof(struct quic_connection_info);
	memset(call->opt, 0, sizeof(call->opt));
	fuzz_fill(call->opt, sizeof(struct quic_connection_info));
	if (flow && fuzz_chance(60))
		gen_update(call, flow);
	else
		gen_new_flow(call);
}

static void gen_del(struct fuzz_call *call)
{
	const struct fuzz_flow *flow = some_flow(call);
	struct fuzz_dest dest = fuzz_dest_random(call->sock);
	struct quic_dcid dcid = fuzz_dcid_random();

	call->optname = UDP_QUIC_DEL_TX_CONNECTION;
	call->opt_len = sizeof(struct quic_connection_info);
	memset(call->opt, 0, sizeof(call->opt));
	fuzz_fill(call->opt, sizeof(struct quic_connection_info));
	if (flow && fuzz_chance(70))
		set_flow(call, flow);
	else
		fuzz_dest_key(&info_of(call)->key, &dcid,
			      fuzz_chance(50) ? NULL : &dest);
	if (fuzz_chance(20))
		call->opt_len = offsetof(struct quic_connection_info, header_key);
	else if (fuzz_chance(5))
		call->opt_len = 0;
}

static void gen_int(struct fuzz_call *call, int optname, int value)
{
	call->optname = optname;
	call->opt_len = sizeof(value);
	memcpy(call->opt, &value, sizeof(value));
}

static void gen_ulp(struct fuzz_call *call)
{
	static const char * const names[] = {
		ULP_NAME, ULP_NAME, "quic", "", "quic-crypto-and-more",
	};
	const char *name = fuzz_pick(names);

	call->optname = UDP_ULP;
	call->opt_len = strlen(name) + fuzz_below(2);
	memset(call->opt, 0, sizeof(call->opt));
	memcpy(call->opt, name, strlen(name));
}

/* Spoil any byte, any length, the memory. */
static void mutate(struct fuzz_call *call)
{
	static const int lens[] = {
		-1, 0, 1, 3, 4, 51, 52, 53, 127, 128, 129, 136, 4095, 4096, 4097,
	};

	switch (fuzz_below(5)) {
	case 0:
		call->opt[fuzz_below(52)] ^= 1 << fuzz_below(8);
		break;
	case 1:
		call->opt[fuzz_below(52)] = fuzz_random();
		break;
	case 2:
		call->opt_len = fuzz_pick(lens);
		break;
	case 3:
		call->opt_len = fuzz_below(FUZZ_OPTION_SIZE);
		if (fuzz_chance(50))
			call->opt[fuzz_below(FUZZ_OPTION_SIZE)] ^= 1;
		break;
	case 4:
		call->readable = call->opt_len > 0 ? fuzz_below(call->opt_len) : 0;
		break;
	}
}

void fuzz_gen_uncork(struct fuzz_call *call)
{
	call->kind = FUZZ_SETSOCKOPT;
	call->readable = -1;
	gen_int(call, UDP_CORK, 0);
}

void fuzz_gen_option(struct fuzz_call *call)
{
	static const int sizes[] = { 0, 0, 0, 1, 15, 16, 17, 60, 1200, 65535,
				     65536, -1 };
	unsigned int dice = fuzz_below(100);
	bool full = call->sock->full;

	call->kind = FUZZ_SETSOCKOPT;
	call->readable = -1;
	if (dice < 4)
		gen_ulp(call);
	else if (dice < 12)
		gen_int(call, UDP_SEGMENT, fuzz_pick(sizes));
	else if (dice < 16 && !full)
		fuzz_gen_uncork(call);
	else if (dice < 18 && !full)
		gen_int(call, UDP_CORK, 1);
	else if (dice < (call->sock->flows < ENOUGH_FLOWS ? 78 : 58))
		gen_add(call);
	else
		gen_del(call);

	if (call->optname >= UDP_ULP && fuzz_chance(20))
		mutate(call);
}
