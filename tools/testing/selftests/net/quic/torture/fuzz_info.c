// SPDX-License-Identifier: GPL-2.0
/*
 * UDP_QUIC_FLOW_INFO and UDP_QUIC_CAPABILITIES: questions, and what each byte of
 * the answer must be.  Of an error none may be written, unless it is that there
 * is no memory to write to.
 */

#include <errno.h>
#include <string.h>

#include "fuzz_dcid.h"
#include "fuzz_dest.h"
#include "fuzz_fail.h"
#include "fuzz_info.h"
#include "fuzz_match.h"
#include "fuzz_memory.h"
#include "fuzz_random.h"

/* What the caller says: the key, and the direction behind it */
#define ASKED	(offsetof(struct quic_flow_info, direction) + 1)

static struct quic_flow_info *info_of(struct fuzz_call *call)
{
	return (void *)call->opt;
}

static void start(struct fuzz_call *call, int optname, size_t len)
{
	call->kind = FUZZ_GETSOCKOPT;
	call->readable = -1;
	call->optname = optname;
	call->opt_len = len;
	memset(call->opt, 0, sizeof(call->opt));
	/* What is not asked is not looked at. */
	fuzz_fill(call->opt, sizeof(struct quic_flow_info));
}

void fuzz_info_of(struct fuzz_call *call, uint8_t direction,
		  const struct fuzz_flow *flow)
{
	start(call, UDP_QUIC_FLOW_INFO, sizeof(struct quic_flow_info));
	fuzz_dest_key(&info_of(call)->key, &flow->dcid,
		      flow->any ? NULL : &flow->dest);
	info_of(call)->direction = direction;
}

static void gen_stranger(struct fuzz_call *call, uint8_t direction)
{
	struct fuzz_flow flow = {
		.any = fuzz_chance(50),
		.dest = fuzz_dest_random(call->sock),
		.dcid = fuzz_dcid_random(),
	};

	fuzz_info_of(call, direction, &flow);
}

/* Spoil any byte, any length, the memory. */
static void mutate(struct fuzz_call *call)
{
	static const int lens[] = { -1, 0, 1, 23, 24, 25, 47, 48, 49, 50, 56, 87,
				    88, 89, 4096 };

	switch (fuzz_below(5)) {
	case 0:
		call->opt[fuzz_below(ASKED)] ^= 1 << fuzz_below(8);
		break;
	case 1:
		call->opt[fuzz_below(ASKED)] = fuzz_random();
		break;
	case 2:
		call->opt_len = fuzz_pick(lens);
		break;
	case 3:
		call->opt_len = fuzz_below(fuzz_chance(80) ? 100 :
							     FUZZ_OPTION_SIZE);
		break;
	case 4:
		if (call->opt_len > 0)
			call->readable = fuzz_below(call->opt_len);
		break;
	}
}

void fuzz_info_gen(struct fuzz_call *call, uint8_t direction)
{
	const struct fuzz_sock *sock = call->sock;

	if (fuzz_chance(5))
		direction ^= QUIC_CAP_TX | QUIC_CAP_RX;
	if (fuzz_chance(10))
		start(call, UDP_QUIC_CAPABILITIES,
		      sizeof(struct quic_capabilities));
	else if (sock->flows && fuzz_chance(90))
		fuzz_info_of(call, direction,
			     sock->flow[fuzz_below(sock->flows)]);
	else
		gen_stranger(call, direction);
	if (fuzz_chance(25))
		mutate(call);
}

static int predict_flow(const struct fuzz_call *call,
			const struct fuzz_info *known,
			struct quic_flow_info *info)
{
	const struct fuzz_sock *sock = call->sock;
	struct fuzz_flow wanted;
	const struct fuzz_flow *flow;
	unsigned int i;
	int err;

	if (!sock->ulp)
		return ENOPROTOOPT;
	if (call->opt_len < (int)ASKED)
		return EINVAL;
	if (call->readable < ASKED)
		return EFAULT;
	memset(info, 0, sizeof(*info));
	memcpy(info, call->opt, ASKED);
	if (info->direction != QUIC_CAP_TX && info->direction != QUIC_CAP_RX)
		return EINVAL;
	err = fuzz_match_parse(sock, &info->key, &wanted);
	if (err)
		return err;
	i = fuzz_match_entry(sock, &wanted);
	if (i == sock->flows || info->direction != known->direction)
		return ENOENT;

	flow = sock->flow[i];
	info->conn_payload_key_gen = flow->keys.generation;
	info->key_gens = !!flow->key[0].oracle + !!flow->key[1].oracle;
	info->cipher_type = flow->keys.cipher->type;
	info->packets = flow->packets;
	info->bytes = flow->bytes;
	known->numbers(flow, info);
	return 0;
}

/* Returns the errno, or 0 with the @size bytes of the answer. */
static int predict(const struct fuzz_call *call, const struct fuzz_info *known,
		   void *answer, size_t *size)
{
	static const struct quic_capabilities can = {
		.ciphers = QUIC_CAP_AES_GCM_128 | QUIC_CAP_AES_GCM_256 |
			   QUIC_CAP_AES_CCM_128 | QUIC_CAP_CHACHA20_POLY1305,
		.directions = QUIC_CAP_TX | QUIC_CAP_RX,
		.tx_connection_size = sizeof(struct quic_connection_info),
		.rx_connection_size = sizeof(struct quic_rx_connection_info),
		.tx_ancillary_size = sizeof(struct quic_tx_ancillary_data),
		.rx_ancillary_size = sizeof(struct quic_rx_ancillary_data),
		.max_conn_id_length = QUIC_MAX_CONNECTION_ID_SIZE,
		.max_packets = QUIC_MAX_SEGMENTS,
	};

	if (call->opt_len < 0)
		return EINVAL;
	if (call->optname == UDP_QUIC_FLOW_INFO) {
		*size = sizeof(struct quic_flow_info);
		return predict_flow(call, known, answer);
	}
	*size = sizeof(can);
	memcpy(answer, &can, sizeof(can));
	return 0;
}

void fuzz_info_exec(const struct fuzz_call *call, const struct fuzz_info *known)
{
	size_t len = call->opt_len > 0 ? call->opt_len : 0, there, size, i;
	socklen_t got_len = call->opt_len, want_len = got_len;
	uint8_t want[FUZZ_OPTION_SIZE], *got;
	struct quic_flow_info answer;	/* the longer of the two */
	int err, ret;

	there = call->readable < len ? call->readable : len;
	memcpy(want, call->opt, there);
	err = predict(call, known, &answer, &size);
	if (!err) {
		want_len = len < size ? len : size;
		memcpy(want, &answer, want_len < there ? want_len : there);
		if (want_len > there) {
			err = EFAULT;
			want_len = got_len;
		}
	}

	got = fuzz_memory_at_end(call->opt, there);
	ret = getsockopt(call->sock->fd, SOL_UDP, call->optname, got, &got_len);
	fuzz_expect(ret ? -errno : 0, -err);
	if (got_len != want_len)
		fuzz_fail("length is %u, expected %u", got_len, want_len);
	for (i = 0; i < there; i++)
		/* Of an answer that finds no room it is open what is written. */
		if (got[i] != want[i] &&
		    (err != EFAULT || got[i] != call->opt[i]))
			fuzz_fail("byte %zu is %#x, expected %#x", i, got[i],
				  want[i]);
}
