// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * An HTTP/3 client whose packets the kernel protects and opens: downloads paths,
 * or posts a file to them.
 */
#define _GNU_SOURCE
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>

#include "h3_conn.h"
#include "h3_loop.h"
#include "h3_transfer.h"
#include "h3_util.h"

/* Handshakes at once: each has a time limit, however slow the machine is. */
#define HANDSHAKES	8
/* What has no transfer yet is kept alive. */
#define KEEP_ALIVE	(10 * NGTCP2_SECONDS)

static struct h3_options options;
static const char *port, *cacert;
static int connections = 1;
static int connected;		/* or tried to */
static int handshakes;		/* that are not complete */
static bool started;		/* transfers are, once all are connected */
static bool one_socket;
static bool empty_cid;
static ngtcp2_duration rebind_after;
static struct addrinfo *remote;

static int ready(struct h3_conn *c)
{
	struct h3_client *client = c->user;

	client->ready = true;
	handshakes--;
	return 0;
}

static void closed(struct h3_conn *c)
{
	struct h3_client *client = c->user;

	if (!client->ready)
		handshakes--;
	h3_transfers_end(client);
}

/* Go on from another port, as a phone does that leaves a WLAN. */
static void rebind(struct h3_conn *c, ngtcp2_tstamp now)
{
	struct h3_client *client = c->user;
	ngtcp2_path path;

	if (!client->rebound)
		client->rebound = h3_socket_open(&c->endpoint->sockets,
						 &options, NULL,
						 remote->ai_addr,
						 remote->ai_addrlen);
	if (!client->rebound)
		return;
	h3_socket_path(client->rebound, remote->ai_addr, remote->ai_addrlen,
		       &path);
	if (ngtcp2_conn_initiate_migration(c->quic, &path, now)) {
		/* Not confirmed yet, or no connection ID to spare */
		c->timer = now + rebind_after;
		return;
	}
	c->sock = client->rebound;
	c->touched = true;
}

static void timer(struct h3_conn *c, ngtcp2_tstamp now)
{
	struct h3_client *client = c->user;

	c->timer = UINT64_MAX;
	if (!client->open) {
		ngtcp2_connection_close_error_set_application_error(&c->error,
			NGHTTP3_H3_NO_ERROR, NULL, 0);
		h3_conn_close(c);
	} else {
		rebind(c, now);
	}
}

static const struct h3_side client_side = {
	.http = &h3_transfer_callbacks,
	.ready = ready,
	.timer = timer,
	.more_streams = h3_transfers_start,
	.closed = closed,
};

static int start_client(struct h3_endpoint *endpoint, struct h3_socket *sock)
{
	ngtcp2_transport_params params;
	ngtcp2_callbacks callbacks;
	ngtcp2_settings settings;
	ngtcp2_cid dcid, scid;
	ngtcp2_path path;
	struct h3_conn *c;

	c = h3_conn_prepare(endpoint, sock, &callbacks, &settings, &params);
	if (!c)
		return -1;
	c->user = h3_client_new(connected);
	if (!c->user)
		return -1;

	dcid.datalen = H3_CID_LEN;
	h3_random(dcid.data, dcid.datalen);
	scid.datalen = endpoint->cid_len;
	h3_random(scid.data, scid.datalen);
	h3_socket_path(sock, remote->ai_addr, remote->ai_addrlen, &path);
	if (ngtcp2_conn_client_new(&c->quic, &dcid, &scid, &path,
				   NGTCP2_PROTO_VER_V1, &callbacks, &settings,
				   &params, NULL, c) ||
	    h3_conn_start(c, h3_wanted.host))
		return -1;
	ngtcp2_conn_set_keep_alive_timeout(c->quic, KEEP_ALIVE);
	h3_cid_add(&endpoint->cids, &scid, c);
	c->touched = true;
	return 0;
}

static int connect_more(struct h3_endpoint *endpoint)
{
	struct h3_socket *sock;

	while (connected < connections && handshakes < HANDSHAKES) {
		sock = endpoint->sockets;
		if (!sock || !one_socket)
			sock = h3_socket_open(&endpoint->sockets, &options, NULL,
					      remote->ai_addr,
					      remote->ai_addrlen);
		if (!sock || start_client(endpoint, sock))
			return -1;
		connected++;
		handshakes++;
	}
	return 0;
}

static void start_transfers(struct h3_endpoint *endpoint)
{
	struct h3_client *client;
	struct h3_conn *c;

	for (c = endpoint->conns; c; c = c->next) {
		client = c->user;
		client->started = true;
		if (h3_transfers_start(c))
			h3_conn_close(c);
		if (rebind_after)
			c->timer = h3_now() + rebind_after;
		c->busy = true;
	}
	started = true;
}

static bool done(struct h3_endpoint *endpoint)
{
	if (connect_more(endpoint))
		exit(1);
	if (!started && !handshakes)
		start_transfers(endpoint);
	return !endpoint->conns;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options;
		return 0;
	case 'o':
		h3_wanted.output = arg;
		return 0;
	case 'u':
		h3_wanted.upload = arg;
		return 0;
	case 'n':
		connections = atoi(arg);
		return 0;
	case 's':
		one_socket = true;
		return 0;
	case 'e':
		empty_cid = true;
		return 0;
	case 'r':
		rebind_after = atoi(arg) * NGTCP2_MILLISECONDS;
		return 0;
	case 'S':
		h3_wanted.scheme = arg;
		return 0;
	case 'c':
		cacert = arg;
		options.verify = true;
		return 0;
	case ARGP_KEY_ARGS:
		if (state->argc - state->next < 3)
			argp_usage(state);
		h3_wanted.host = state->argv[state->next];
		port = state->argv[state->next + 1];
		h3_wanted.paths = state->argv + state->next + 2;
		h3_wanted.n_paths = state->argc - state->next - 2;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = (const struct argp_option[]) {
		{ "output", 'o', "FILE", 0,
		  "Save the response; into a directory by its name" },
		{ "upload", 'u', "FILE", 0, "POST the file to each PATH" },
		{ "connections", 'n', "N", 0, "Do all that N times at once" },
		{ "one-socket", 's', 0, 0,
		  "All connections on one socket, not one for each" },
		{ "empty-cid", 'e', 0, 0,
		  "One connection, which has no connection ID" },
		{ "rebind", 'r', "MS", 0,
		  "Change the local port after MS milliseconds" },
		{ "scheme", 'S', "NAME", 0, "Ask for NAME URIs, not https" },
		{ "cacert", 'c', "FILE", 0,
		  "Verify the server; without this it is not verified" },
		{ 0 }
	},
	.parser = parse_option,
	.args_doc = "HOST PORT PATH...",
	.doc = "An HTTP/3 client whose packets the kernel protects and opens.",
	.children = (const struct argp_child[]) { { &h3_argp }, { 0 } },
};

int main(int argc, char **argv)
{
	struct h3_endpoint endpoint = {
		.side = &client_side,
		.options = &options,
		.cid_len = H3_CID_LEN,
	};
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (empty_cid) {
		endpoint.cid_len = 0;
		connections = 1;
	}
	if (h3_wanted.upload && h3_upload_open())
		return 1;
	gnutls_certificate_allocate_credentials(&endpoint.cred);
	if (cacert) {
		err = gnutls_certificate_set_x509_trust_file(endpoint.cred,
							     cacert,
							     GNUTLS_X509_FMT_PEM);
		if (err <= 0) {
			fprintf(stderr, "%s: no certificate\n", cacert);
			return 1;
		}
	}
	err = getaddrinfo(h3_wanted.host, port, &hints, &remote);
	if (err) {
		fprintf(stderr, "%s: %s\n", h3_wanted.host, gai_strerror(err));
		return 1;
	}

	h3_run(&endpoint, done);
	h3_finish(&endpoint);
	freeaddrinfo(remote);
	h3_upload_close();
	return h3_failures ? 1 : 0;
}
