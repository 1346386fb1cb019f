/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Small things that all of h3_server and h3_client use */
#ifndef H3_UTIL_H
#define H3_UTIL_H

#include <nghttp3/nghttp3.h>
#include <ngtcp2/ngtcp2.h>

ngtcp2_tstamp h3_now(void);
void h3_random(void *dest, size_t len);

/* A header field of literals or strings, which nghttp3 copies */
static inline nghttp3_nv h3_field(const char *name, const char *value)
{
	return (nghttp3_nv) {
		.name = (uint8_t *)name,
		.namelen = __builtin_strlen(name),
		.value = (uint8_t *)value,
		.valuelen = __builtin_strlen(value),
	};
}

#endif /* H3_UTIL_H */
