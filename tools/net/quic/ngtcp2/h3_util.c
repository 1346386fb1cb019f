// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clock and random numbers */
#include <stdlib.h>
#include <time.h>

#include <gnutls/crypto.h>

#include "h3_util.h"

ngtcp2_tstamp h3_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NGTCP2_SECONDS + ts.tv_nsec;
}

void h3_random(void *dest, size_t len)
{
	if (gnutls_rnd(GNUTLS_RND_RANDOM, dest, len))
		abort();
}
