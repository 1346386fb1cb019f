// SPDX-License-Identifier: GPL-2.0
/* What packets are made of, for who sends them and who receives them. */

#include <string.h>

#include "load.h"

/* The first byte says which cipher. */
void load_dcid(uint8_t *dcid, unsigned int n, uint32_t epoch)
{
	int i;

	dcid[0] = n;
	for (i = 1; i < 4; i++)
		dcid[i] = epoch >> (24 - 8 * i);
	for (i = 4; i < 8; i++)
		dcid[i] = n >> (56 - 8 * i);
}

bool load_dcid_parse(const uint8_t *dcid, unsigned int flows, unsigned int *n,
		     uint32_t *epoch)
{
	int i;

	for (i = 1, *epoch = 0; i < 4; i++)
		*epoch = *epoch << 8 | dcid[i];
	for (i = 4, *n = 0; i < 8; i++)
		*n = *n << 8 | dcid[i];
	return *n < flows && dcid[0] == (uint8_t)*n;
}

/* The flows of a socket have one family. */
unsigned int load_socket_of(unsigned int n)
{
	return n / LOAD_SENDERS % LOAD_SOCKETS;
}

unsigned int load_way_of(unsigned int n)
{
	unsigned int which = load_socket_of(n);

	return which == LOAD_SOCKETS - 1 ? LOAD_DIRTY : which & 1;
}

uint8_t load_fill(size_t i)
{
	return i * 167 >> 3;
}

bool load_is_packet(const uint8_t *packet, size_t len, uint64_t pn)
{
	size_t pn_len = (packet[0] & 3) + 1, head, i;

	head = 1 + LOAD_DCID_LEN + pn_len;
	if (len < head + QUIC_MARKER_SIZE)
		return false;
	for (i = 0; i < pn_len; i++)
		if (packet[head - 1 - i] != (uint8_t)(pn >> 8 * i))
			return false;
	if (memcmp(packet + head, QUIC_MARKER, QUIC_MARKER_SIZE))
		return false;
	for (i = head + QUIC_MARKER_SIZE; i < len; i++)
		if (packet[i] != load_fill(i))
			return false;
	return true;
}

int load_find_generation(const uint8_t *packet, size_t len, uint8_t first,
			 unsigned int count, uint64_t *next)
{
	uint8_t plain[LOAD_BUFFER], generation;
	struct quic_oracle *oracle;
	struct quic_keys keys;
	size_t opened;
	uint64_t pn;

	if (len < 1 + LOAD_DCID_LEN + 4 + QUIC_TAG_SIZE || len > sizeof(plain))
		return LOAD_NOT_AUTHENTIC;
	for (generation = first; count--; generation++) {
		quic_audit_keys(&keys, packet + 1, generation);
		oracle = quic_oracle_new(&keys);
		pn = *next;
		opened = quic_oracle_open(oracle, &pn, LOAD_DCID_LEN, packet,
					  len, plain);
		quic_oracle_free(oracle);
		if (!opened ||
		    !!(plain[0] & QUIC_KEY_PHASE) != (generation & 1) ||
		    !load_is_packet(plain, opened, pn))
			continue;
		*next = pn + 1;
		return generation;
	}
	return LOAD_NOT_AUTHENTIC;
}
