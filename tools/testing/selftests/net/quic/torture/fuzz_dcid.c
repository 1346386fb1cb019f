// SPDX-License-Identifier: GPL-2.0
/* The DCIDs of an epoch */

#include <string.h>

#include "fuzz_dcid.h"
#include "fuzz_random.h"

#define NUM_DCIDS	10

static struct quic_dcid dcids[NUM_DCIDS];

/* DCIDs of all lengths, some of which differ in little */
void fuzz_dcid_epoch(void)
{
	static const uint8_t lens[] = { 8, 8, 8, 8, 0, 20, 1, 5 };
	unsigned int i;

	for (i = 0; i < NUM_DCIDS; i++) {
		struct quic_dcid *dcid = &dcids[i];

		memset(dcid, 0, sizeof(*dcid));
		dcid->len = fuzz_chance(80) ? fuzz_pick(lens) : fuzz_below(21);
		fuzz_fill(dcid->id, dcid->len);
		if (i && fuzz_chance(30)) {
			*dcid = dcids[i - 1];
			if (fuzz_chance(50) && dcid->len)
				dcid->id[dcid->len - 1] ^= 1;
			else if (dcid->len)
				dcid->id[--dcid->len] = 0;
		}
	}
}

struct quic_dcid fuzz_dcid_random(void)
{
	return fuzz_pick(dcids);
}
