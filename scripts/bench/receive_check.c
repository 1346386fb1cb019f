// SPDX-License-Identifier: GPL-2.0
#include <err.h>
#include <string.h>

#include "receiver.h"

#define CHECK_TRAIN	3
#define CHECK_WIRE	1452

/* What has been received is what was sealed.  The bytes of the tag are not
 * compared: a library leaves them, the kernel clears them.
 */
static void check_bytes(enum rx_way way)
{
	unsigned char plain[CHECK_WIRE];
	unsigned int i;

	for (i = 0; i < CHECK_TRAIN; i++) {
		sealed_plain(plain, CHECK_WIRE, i, FIRST_USUAL);
		if (memcmp(receiver_bytes() + i * CHECK_WIRE, plain,
			   CHECK_WIRE - BENCH_TAG_LEN))
			errx(1, "%s: packet %u is not what was sealed",
			     rx_way_names[way], i);
	}
}

/* In the kernel the bytes are not seen, but all that comes is looked at. */
void receive_check(void)
{
	static const struct target loopback = { .name = "lo", .ipv4 = "127.0.0.1" };
	static const enum rx_way ways[] = { RX_SSL30, RX_SSL35, RX_OFFLOAD };
	struct setting setting = { .target = &loopback, .wire = CHECK_WIRE };
	unsigned int i;

	if (!ssl30 && !ssl35) {
		warnx("without libcrypto nothing is received");
		return;
	}
	for (setting.cipher = ciphers; setting.cipher->name; setting.cipher++) {
		sealed_fill_as(setting.cipher, CHECK_WIRE, CHECK_TRAIN,
			       FIRST_USUAL, bench_key);
		for (i = 0; i < ARRAY_SIZE(ways); i++) {
			struct receiver *r = receiver_new(ways[i], &setting,
							  CHECK_TRAIN);

			if (!r)
				continue;
			receiver_fill(r, 1);
			if (receiver_drain(r) != 1)
				errx(1, "%s: not one message",
				     rx_way_names[ways[i]]);
			check_bytes(ways[i]);
			receiver_free(r);
		}
	}
}
