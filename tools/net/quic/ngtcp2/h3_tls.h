/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* TLS of a connection, by GnuTLS */
#ifndef H3_TLS_H
#define H3_TLS_H

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "h3_options.h"
#include "quic_ngtcp2.h"

/**
 * struct h3_tls - a session
 * @session: from GnuTLS
 * @ref: how its callbacks find this
 * @quic: connection that the keys are for
 * @packets: what protects and opens its packets
 */
struct h3_tls {
	gnutls_session_t session;
	ngtcp2_crypto_conn_ref ref;
	ngtcp2_conn *quic;
	struct quic_ngtcp2 *packets;
};

/* With @quic and @packets set.  A server has no @server_name. */
int h3_tls_start(struct h3_tls *tls, const struct h3_options *options,
		 gnutls_certificate_credentials_t cred,
		 const char *server_name);
void h3_tls_end(struct h3_tls *tls);

#endif /* H3_TLS_H */
