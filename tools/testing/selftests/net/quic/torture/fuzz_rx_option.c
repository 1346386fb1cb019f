// SPDX-License-Identifier: GPL-2.0
/* Socket options: flows come and go, and what else changes what is read. */

#include <errno.h>
#include <string.h>

#include <linux/tls.h>

#include "fuzz_dcid.h"
#include "fuzz_dest.h"
#include "fuzz_fail.h"
#include "fuzz_info.h"
#include "fuzz_memory.h"
#include "fuzz_random.h"
#include "fuzz_rx_flow.h"
#include "fuzz_rx_open.h"
#include "fuzz_rx_option.h"
#include "fuzz_rx_sock.h"

#define ENOUGH_FLOWS	9	/* of a socket: deleting is as likely as adding */

static struct quic_rx_connection_info *info_of(struct fuzz_call *call)
{
	return (void *)call->opt;
}

static void put_keys(struct fuzz_call *call, const struct quic_keys *keys)
{
	struct quic_connection_info *conn = &info_of(call)->conn;

	conn->cipher_type = keys->cipher->type;
	conn->conn_payload_key_gen = keys->generation;
	memcpy(conn->header_key, keys->hp, keys->cipher->key_len);
	memcpy(conn->payload_key, keys->key, keys->cipher->key_len);
	memcpy(conn->payload_iv, keys->iv, sizeof(keys->iv));
}

static void put_flow(struct fuzz_call *call, const struct fuzz_flow *flow)
{
	fuzz_dest_key(&info_of(call)->conn.key, &flow->dcid,
		      flow->any ? NULL : &flow->dest);
}

static void put_stranger(struct fuzz_call *call)
{
	struct fuzz_dest dest = fuzz_dest_random(call->sock);
	struct quic_dcid dcid = fuzz_dcid_random();

	/* Of no interface, or of one that is not there */
	if (dest.scope_id && fuzz_chance(60))
		dest.scope_id = fuzz_chance(70) ? 0 : 77;
	fuzz_dest_key(&info_of(call)->conn.key, &dcid,
		      fuzz_chance(50) ? NULL : &dest);
}

static uint64_t some_number(uint64_t near)
{
	unsigned int dice = fuzz_below(100);

	if (dice < 40)
		return 0;
	if (dice < 80)
		return near + fuzz_below(500) - fuzz_below(500);
	if (dice < 96)
		return fuzz_random() >> (2 + fuzz_below(62));
	return QUIC_PN_LIMIT - 2 + fuzz_below(5);
}

/* The next generation, one that is there, or one that does not fit */
static void gen_update(struct fuzz_call *call, const struct fuzz_flow *flow)
{
	struct quic_connection_info *conn = &info_of(call)->conn;
	struct quic_keys keys;

	keys = fuzz_rx_flow_keys(flow, fuzz_chance(50) ? 1 :
				       fuzz_chance(70) ? 0 : -1);
	if (fuzz_chance(5))
		keys.generation += fuzz_below(6) - 3;
	put_flow(call, flow);
	put_keys(call, &keys);
	info_of(call)->next_pkt_num = some_number(flow->next_pkt_num);
	if (fuzz_chance(75))
		return;
	switch (fuzz_below(6)) {
	case 0:
		conn->conn_payload_key_gen = fuzz_below(256);
		break;
	case 1:
		conn->cipher_type = TLS_CIPHER_AES_GCM_128 + fuzz_below(4);
		break;
	case 2:
		conn->header_key[fuzz_below(32)] ^= 1 << fuzz_below(8);
		break;
	case 3:
		conn->payload_key[fuzz_below(32)] ^= 1 << fuzz_below(8);
		break;
	case 4:
		conn->payload_iv[fuzz_below(12)] ^= 1 << fuzz_below(8);
		break;
	case 5:
		conn->__pad = fuzz_random();
		break;
	}
}

static void gen_new(struct fuzz_call *call)
{
	static const uint16_t ciphers[] = {
		TLS_CIPHER_AES_GCM_128, TLS_CIPHER_AES_GCM_128,
		TLS_CIPHER_AES_GCM_256, TLS_CIPHER_AES_CCM_128,
		TLS_CIPHER_CHACHA20_POLY1305, TLS_CIPHER_CHACHA20_POLY1305,
	};

	put_stranger(call);
	info_of(call)->conn.cipher_type = fuzz_pick(ciphers);
	info_of(call)->next_pkt_num = some_number(1000);
}

static const struct fuzz_flow *some_flow(const struct fuzz_sock *sock)
{
	return sock->flows ? sock->flow[fuzz_below(sock->flows)] : NULL;
}

static void gen_add(struct fuzz_call *call)
{
	const struct fuzz_flow *flow = some_flow(call->sock);

	call->optname = UDP_QUIC_ADD_RX_CONNECTION;
	call->opt_len = sizeof(struct quic_rx_connection_info);
	fuzz_fill(call->opt, sizeof(struct quic_rx_connection_info));
	if (flow && fuzz_chance(60))
		gen_update(call, flow);
	else
		gen_new(call);
}

static void gen_del(struct fuzz_call *call)
{
	const struct fuzz_flow *flow = some_flow(call->sock);

	call->optname = UDP_QUIC_DEL_RX_CONNECTION;
	call->opt_len = sizeof(struct quic_rx_connection_info);
	fuzz_fill(call->opt, sizeof(struct quic_rx_connection_info));
	if (flow && fuzz_chance(70))
		put_flow(call, flow);
	else
		put_stranger(call);
	if (fuzz_chance(30))
		call->opt_len = offsetof(struct quic_connection_info,
					 header_key) + fuzz_below(90);
	else if (fuzz_chance(5))
		call->opt_len = 0;
}

static void gen_drop(struct fuzz_call *call)
{
	int value = fuzz_chance(95) ? fuzz_chance(35) :
				      (int)fuzz_below(5) - 2;

	call->optname = UDP_QUIC_RX_DROP;
	call->opt_len = sizeof(value) + (fuzz_chance(10) ? fuzz_below(9) : 0);
	memcpy(call->opt, &value, sizeof(value));
}

/* Spoil any byte, any length, the memory. */
static void mutate(struct fuzz_call *call)
{
	static const int lens[] = {
		-1, 0, 1, 3, 4, 51, 52, 53, 127, 128, 129, 135, 136, 137, 144,
		4095, 4096, 4097,
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

static void expect(const char *what, long got, long want)
{
	if (got != want)
		fuzz_fail("%s: %s, expected %s", what,
			  got ? strerrorname_np(got) : "success",
			  want ? strerrorname_np(want) : "success");
}

static void set(struct fuzz_rx_sock *rx, struct fuzz_call *call)
{
	const void *opt = fuzz_memory_option(call);
	int got;

	fuzz_current = call;
	got = setsockopt(rx->sock.fd, SOL_UDP, call->optname, opt,
			 call->opt_len) ? errno : 0;
	expect("setsockopt", got, fuzz_rx_flow_setsockopt(rx, call));
	fuzz_current = NULL;
}

static void get_drop(const struct fuzz_rx_sock *rx)
{
	int value = FUZZ_RX_UNWRITTEN, drop = rx->drop, want = value;
	socklen_t len = fuzz_below(8), n = len < sizeof(int) ? len : sizeof(int);

	if (getsockopt(rx->sock.fd, SOL_UDP, UDP_QUIC_RX_DROP, &value, &len)) {
		expect("UDP_QUIC_RX_DROP", errno,
		       rx->sock.ulp ? 0 : ENOPROTOOPT);
		return;
	}
	if (!rx->sock.ulp)
		fuzz_fail("UDP_QUIC_RX_DROP without the ULP");
	memcpy(&want, &drop, n);
	if (len != n || value != want)
		fuzz_fail("UDP_QUIC_RX_DROP is %#x, in %u bytes, expected %#x",
			  value, len, want);
}

static struct fuzz_call *new_call(struct fuzz_rx_sock *rx)
{
	static struct fuzz_call call;

	call.kind = FUZZ_SETSOCKOPT;
	call.sock = &rx->sock;
	call.readable = -1;
	memset(call.opt, 0, sizeof(call.opt));
	return &call;
}

void fuzz_rx_option(struct fuzz_rx_sock *rx)
{
	struct fuzz_call *call = new_call(rx);
	unsigned int dice = fuzz_below(100);

	if (dice < 5) {
		get_drop(rx);
		return;
	}
	if (dice < 10) {
		fuzz_rx_sock_gro(rx, fuzz_chance(75));
		return;
	}
	if (dice < 20) {
		fuzz_rx_sock_peek_off(rx, fuzz_chance(60) ? -1 : fuzz_chance(50) ?
				      0 : (int)fuzz_below(rx->bytes + 100));
		return;
	}
	if (dice < 30)
		gen_drop(call);
	else if (dice < (rx->sock.flows < ENOUGH_FLOWS ? 85 : 65))
		gen_add(call);
	else
		gen_del(call);
	if (fuzz_chance(15))
		mutate(call);
	set(rx, call);
}

void fuzz_rx_option_ask(struct fuzz_rx_sock *rx)
{
	static const struct fuzz_info known = { QUIC_CAP_RX, fuzz_rx_open_info };
	struct fuzz_call *call = new_call(rx);

	fuzz_current = call;
	fuzz_info_gen(call, QUIC_CAP_RX);
	fuzz_info_exec(call, &known);
	fuzz_current = NULL;
}

void fuzz_rx_option_forget(struct fuzz_rx_sock *rx)
{
	struct fuzz_call *call = new_call(rx);

	if (!rx->sock.ulp)
		return;
	call->optname = UDP_QUIC_DEL_RX_CONNECTION;
	call->opt_len = 0;
	set(rx, call);
}
