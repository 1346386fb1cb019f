// SPDX-License-Identifier: GPL-2.0
/* Messages to be sent: packets of flows, spoiled ones, and strangers */

#include <string.h>

#include "fuzz_dcid.h"
#include "fuzz_dest.h"
#include "fuzz_random.h"
#include "fuzz_rx_flow.h"
#include "fuzz_rx_seal.h"

#define MAX_LEN		65000
#define HEADERS		48	/* of UDP and IP */

static uint8_t payload[2 * FUZZ_RX_MESSAGE];

void fuzz_rx_seal_epoch(void)
{
	fuzz_dcid_epoch();
	fuzz_fill(payload, sizeof(payload));
}

/* What the datagrams of a message are */
struct mixture {
	struct fuzz_flow *flow;		/* of most of them, NULL without */
	struct quic_oracle *other;	/* a generation that is not installed */
	unsigned int other_phase;
	unsigned int spoiled, strangers;	/* percent */
};

static uint64_t choose_number(const struct fuzz_flow *flow)
{
	uint64_t next = flow->sealed, pn;
	unsigned int dice = fuzz_below(1000);

	if (next < flow->next_pkt_num)
		next = flow->next_pkt_num;
	if (dice < 700)
		pn = next;
	else if (dice < 850)
		pn = next + fuzz_below(5);
	else if (dice < 890)
		pn = next + fuzz_below(300);
	else if (dice < 950)
		pn = next - 1 - fuzz_below(5);
	else if (dice < 980)
		pn = next - fuzz_below(300);
	else if (dice < 990)
		pn = next + (1ULL << fuzz_below(34));
	else if (dice < 999)
		pn = next - (1ULL << fuzz_below(34));
	else
		pn = QUIC_PN_LIMIT - 1 - fuzz_below(300);
	/* Below zero, too */
	return pn < QUIC_PN_LIMIT ? pn : next < QUIC_PN_LIMIT ? next :
					 QUIC_PN_LIMIT - 1;
}

/* Bytes of a number that is told from those around the one that comes next; 5: it
 * can't be told
 */
static unsigned int enough_for(const struct fuzz_flow *flow, uint64_t pn)
{
	uint64_t next = flow->next_pkt_num, gap = pn < next ? next - pn : pn - next;
	unsigned int pn_len = 1;

	while (pn_len < 5 && gap >> (8 * pn_len - 1))
		pn_len++;
	return pn_len;
}

/* Random bytes, behind a first byte that says what they are */
static void stranger(uint8_t *wire, size_t len, struct quic_dcid dcid)
{
	memcpy(wire, payload + fuzz_below(FUZZ_RX_MESSAGE), len);
	wire[0] &= ~QUIC_LONG_HEADER;
	/* Something of a connection ID, or all of it */
	if (fuzz_chance(30) && len > dcid.len)
		memcpy(wire + 1, dcid.id, fuzz_chance(50) ? dcid.len :
					  fuzz_below(dcid.len + 1));
}

static void flip(uint8_t *wire, size_t len, unsigned int header)
{
	size_t at;

	switch (fuzz_below(4)) {
	case 0:
		at = 0;
		break;
	case 1:
		at = fuzz_below(header);
		break;
	case 2:
		at = len - QUIC_TAG_SIZE + fuzz_below(QUIC_TAG_SIZE);
		break;
	default:
		at = header + fuzz_below(len - header);
	}
	wire[at] ^= 1 << fuzz_below(8);
}

static void packet(const struct mixture *mix, struct fuzz_flow *flow,
		   uint8_t *wire, size_t len)
{
	static uint8_t plain[FUZZ_RX_MESSAGE];
	unsigned int pn_len, header, phase, i;
	struct quic_oracle *oracle;
	uint64_t pn;

	if (len < 1U + flow->dcid.len + 4 + QUIC_TAG_SIZE) {
		stranger(wire, len, flow->dcid);
		return;
	}
	phase = flow->keys.generation & 1;
	if (flow->key[!phase].oracle && fuzz_chance(20))
		phase ^= 1;
	oracle = flow->key[phase].oracle;
	pn = choose_number(flow);
	pn_len = fuzz_chance(90) ? enough_for(flow, pn) : 1;
	pn_len = pn_len < 4 ? pn_len + fuzz_below(5 - pn_len) : 4;
	header = 1 + flow->dcid.len + pn_len;
	if (mix->other && flow == mix->flow && fuzz_chance(60)) {
		phase = mix->other_phase;
		oracle = mix->other;
	} else if (flow->sealed <= pn && pn_len >= enough_for(flow, pn)) {
		flow->sealed = pn + 1;
	}

	plain[0] = (fuzz_random() & 0x78) | phase << 2 | (pn_len - 1);
	memcpy(plain + 1, flow->dcid.id, flow->dcid.len);
	for (i = 0; i < pn_len; i++)
		plain[header - 1 - i] = pn >> (8 * i);
	len -= QUIC_TAG_SIZE;
	memcpy(plain + header, payload + fuzz_below(FUZZ_RX_MESSAGE),
	       len - header);
	quic_oracle_protect(oracle, pn, flow->dcid.len, plain, len, wire);
	if (fuzz_chance(mix->spoiled))
		flip(wire, len + QUIC_TAG_SIZE, header);
}

static void datagram(const struct fuzz_rx_sock *rx, const struct mixture *mix,
		     uint8_t *wire, size_t len)
{
	struct fuzz_flow *flow = mix->flow;

	if (!len)
		return;
	if (!flow || fuzz_chance(mix->strangers)) {
		stranger(wire, len, flow ? flow->dcid : fuzz_dcid_random());
		if (mix->strangers < 100 && fuzz_chance(40))
			wire[0] |= QUIC_LONG_HEADER;
		return;
	}
	if (fuzz_chance(15))
		flow = rx->sock.flow[fuzz_below(rx->sock.flows)];
	packet(mix, flow, wire, len);
}

static unsigned int choose_count(unsigned int most)
{
	unsigned int dice = fuzz_below(1000), count = 1;

	if (dice < 250)
		count = 2 + fuzz_below(4);
	else if (dice < 350)
		count = 6 + fuzz_below(40);
	else if (dice < 360)
		count = QUIC_MAX_SEGMENTS - fuzz_below(5);
	return count < most ? count : most;
}

static size_t choose_stride(size_t header)
{
	unsigned int dice = fuzz_below(1000);

	if (dice < 700)
		return header + 20 + fuzz_below(40);
	if (dice < 850)
		return header + 20 + fuzz_below(6);
	if (dice < 900)
		return fuzz_below(header + 20);
	if (dice < 980)
		return fuzz_below(1500);
	/* Around what the kernel opens at once */
	if (dice < 990)
		return 6080 + fuzz_below(130);
	return fuzz_below(fuzz_chance(80) ? 10000 : MAX_LEN);
}

static void shape(const struct fuzz_rx_sock *rx, const struct mixture *mix,
		  struct fuzz_rx_sealed *sealed, unsigned int most, size_t mtu)
{
	const struct fuzz_flow *flow = mix->flow;

	sealed->from = fuzz_dest_random(&rx->sock);
	if (flow && !flow->any && fuzz_chance(90)) {
		struct fuzz_dest from = flow->dest;

		/* Flows of no interface match it, too. */
		if (IN6_IS_ADDR_LINKLOCAL(&from.addr))
			from.scope_id = fuzz_lo;
		if (fuzz_dest_known(&from))
			sealed->from = from;
	}
	sealed->tos = fuzz_chance(20) ? fuzz_random() : 0;
	sealed->stride = choose_stride(1 + (flow ? flow->dcid.len : 0));
	sealed->count = choose_count(most);
	if (sealed->stride + HEADERS > mtu ||
	    sealed->stride * sealed->count > MAX_LEN || !sealed->stride)
		sealed->count = 1;
	sealed->len = sealed->stride * sealed->count;
	if (sealed->count > 1 && fuzz_chance(40))
		sealed->len -= fuzz_below(sealed->stride);
}

static struct mixture mix_up(const struct fuzz_rx_sock *rx)
{
	struct mixture mix = {};
	struct quic_keys keys;

	if (rx->sock.flows && fuzz_chance(85))
		mix.flow = rx->sock.flow[fuzz_below(rx->sock.flows)];
	mix.strangers = 100;
	if (mix.flow) {
		mix.strangers = fuzz_chance(60) ? 0 : fuzz_below(40);
		mix.spoiled = fuzz_chance(60) ? 0 : fuzz_below(30);
	}
	if (mix.flow && fuzz_chance(12)) {
		/* The next one, or one that has been replaced */
		keys = fuzz_rx_flow_keys(mix.flow, fuzz_chance(70) ? 1 : -2);
		mix.other = quic_oracle_new(&keys);
		mix.other_phase = keys.generation & 1;
	}
	return mix;
}

void fuzz_rx_seal(struct fuzz_rx_sock *rx, struct fuzz_rx_sealed *sealed,
		  unsigned int most, size_t mtu)
{
	struct mixture mix = mix_up(rx);
	size_t at = 0, len;

	shape(rx, &mix, sealed, most, mtu);
	do {
		len = sealed->len - at < sealed->stride ? sealed->len - at :
							  sealed->stride;
		datagram(rx, &mix, sealed->wire + at, len);
		at += len;
	} while (at < sealed->len);
	if (mix.other)
		quic_oracle_free(mix.other);
}
