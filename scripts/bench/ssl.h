/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Packet protection by libcrypto, as a good QUIC library does it.  Libraries of
 * several versions can be used in one process: they are loaded at run time.
 */
#ifndef SSL_H
#define SSL_H

struct cipher;
struct ssl;
struct ssl_key;

/* Load the libcrypto at @path; NULL, with a message, if that fails. */
struct ssl *ssl_open(const char *path);
const char *ssl_version(const struct ssl *ssl);

struct ssl_key *ssl_key_new(const struct ssl *ssl, const struct cipher *cipher);
void ssl_key_free(struct ssl_key *key);

/*
 * Protect @count packets numbered from @pn on, which stand @wire - 16 bytes
 * apart in @from, into @to, where they stand @wire bytes apart.
 */
void ssl_protect(struct ssl_key *key, unsigned char *to,
		 const unsigned char *from, unsigned int count,
		 unsigned int wire, unsigned long long pn);

#endif /* SSL_H */
