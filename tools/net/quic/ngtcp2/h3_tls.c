// SPDX-License-Identifier: GPL-2.0 OR MIT
/* TLS of a connection, by GnuTLS */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include "h3_tls.h"

#define CIPHERS	"AES-128-GCM:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-CCM"

/*
 * What ngtcp2_crypto_gnutls_configure_*_session() set does the same, but the
 * keys have to go through quic_ngtcp2.
 */
static int secret(gnutls_session_t session,
		  gnutls_record_encryption_level_t level,
		  const void *rx_secret, const void *tx_secret, size_t len)
{
	ngtcp2_crypto_conn_ref *ref = gnutls_session_get_ptr(session);
	struct h3_tls *tls = ref->user_data;
	ngtcp2_crypto_level quic_level;

	quic_level = ngtcp2_crypto_gnutls_from_gnutls_record_encryption_level(
			level);
	if (rx_secret &&
	    quic_ngtcp2_install_rx_key(tls->packets, quic_level, rx_secret, len))
		return -1;
	if (tx_secret &&
	    quic_ngtcp2_install_tx_key(tls->packets, quic_level, tx_secret, len))
		return -1;
	return 0;
}

static ngtcp2_conn *get_conn(ngtcp2_crypto_conn_ref *ref)
{
	struct h3_tls *tls = ref->user_data;

	return tls->quic;
}

/* No name has a colon, and an address may have a scope. */
static bool is_address(const char *name)
{
	struct in_addr addr;

	return inet_pton(AF_INET, name, &addr) == 1 || strchr(name, ':');
}

static int configure_client(struct h3_tls *tls,
			    const struct h3_options *options, const char *name)
{
	if (ngtcp2_crypto_gnutls_configure_client_session(tls->session))
		return -1;
	if (!is_address(name) &&
	    gnutls_server_name_set(tls->session, GNUTLS_NAME_DNS, name,
				   strlen(name)))
		return -1;
	if (options->verify)
		gnutls_session_set_verify_cert(tls->session, name, 0);
	return 0;
}

int h3_tls_start(struct h3_tls *tls, const struct h3_options *options,
		 gnutls_certificate_credentials_t cred,
		 const char *server_name)
{
	const char *cipher = options->cipher ?: CIPHERS;
	gnutls_datum_t alpn = { .data = (uint8_t *)"h3", .size = 2 };
	char priority[256];
	int err;

	tls->ref.get_conn = get_conn;
	tls->ref.user_data = tls;
	snprintf(priority, sizeof(priority),
		 "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+%s:%%DISABLE_TLS13_COMPAT_MODE",
		 cipher);

	err = gnutls_init(&tls->session,
			  (server_name ? GNUTLS_CLIENT : GNUTLS_SERVER) |
			  GNUTLS_NO_TICKETS);
	if (err)
		goto out;
	err = gnutls_priority_set_direct(tls->session, priority, NULL);
	if (err)
		goto out;
	err = gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE,
				     cred);
	if (err)
		goto out;
	err = gnutls_alpn_set_protocols(tls->session, &alpn, 1,
					GNUTLS_ALPN_MANDATORY);
	if (err)
		goto out;
	err = server_name ?
	      configure_client(tls, options, server_name) :
	      ngtcp2_crypto_gnutls_configure_server_session(tls->session);
	if (err)
		goto out;
	gnutls_handshake_set_secret_function(tls->session, secret);
	gnutls_session_set_ptr(tls->session, &tls->ref);
	ngtcp2_conn_set_tls_native_handle(tls->quic, tls->session);
	return 0;
out:
	fprintf(stderr, "TLS: %s\n", gnutls_strerror(err));
	return -1;
}

void h3_tls_end(struct h3_tls *tls)
{
	if (tls->session)
		gnutls_deinit(tls->session);
}
