/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet protection by libcrypto, as a good QUIC library does it.  Libraries of
 * several versions can be used in one process: they are loaded at run time.
 */
#ifndef SSL_H
#define SSL_H

#include <stdbool.h>

struct cipher;
struct ssl;
struct ssl_key;

/* Debian's of 12 and 13, NULL where there is none */
extern struct ssl *ssl30, *ssl35;

/* Load the libraries at these paths. */
void ssl_libraries(const char *path30, const char *path35);

struct ssl_key *ssl_key_new(const struct ssl *ssl, const struct cipher *cipher,
			    const unsigned char *payload_key);
void ssl_key_free(struct ssl_key *key);

/*
 * Protect @count packets numbered from @pn on, which stand @wire - 16 bytes
 * apart in @from, into @to, where they stand @wire bytes apart.
 */
void ssl_protect(struct ssl_key *key, unsigned char *to,
		 const unsigned char *from, unsigned int count,
		 unsigned int wire, unsigned long long pn);

/*
 * Open @count packets of @wire bytes each in place, whose numbers are what
 * stands in their headers; false if one is not authentic.
 */
bool ssl_open(struct ssl_key *key, unsigned char *packets, unsigned int count,
	      unsigned int wire);

#endif /* SSL_H */
