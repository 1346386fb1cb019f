// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * An HTTP/3 client whose packets the kernel protects and opens: downloads paths,
 * or posts a file to them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h3_conn.h"
#include "h3_http.h"
#include "h3_loop.h"
#include "h3_util.h"

static struct h3_options options;
static const char *host, *port, *output, *cacert;
static const char *scheme = "https";
static char **paths;
static int n_paths;
static int connections = 1;
static bool one_socket;
static bool empty_cid;
static ngtcp2_duration rebind_after;
static struct addrinfo *remote;
static const char *upload;
static const uint8_t *upload_data;
static size_t upload_len;
static int failures;

/**
 * struct transfer - a request and its response
 * @path: of the URI
 * @out: where the body goes
 * @status: of the response
 * @complete: the body has arrived
 */
struct transfer {
	const char *path;
	FILE *out;
	char status[4];
	bool complete;
};

/**
 * struct client - a connection
 * @rebound: socket on another port, to migrate to
 * @number: counts connections
 * @next: of @transfers to start
 * @open: transfers that are not over
 * @transfers: one for each path
 */
struct client {
	struct h3_socket *rebound;
	int number;
	int next;
	int open;
	struct transfer transfers[];
};

/* FILE, DIR/name, or with several connections DIR/name.number */
static FILE *open_output(const struct client *client, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char file[4096];
	struct stat st;
	FILE *out;

	if (!*name)
		name = "index.html";
	if (!output)
		return upload ? stdout : NULL;
	if (stat(output, &st) || !S_ISDIR(st.st_mode))
		snprintf(file, sizeof(file), "%s", output);
	else if (!client->number)
		snprintf(file, sizeof(file), "%s/%s", output, name);
	else
		snprintf(file, sizeof(file), "%s/%s.%d", output, name,
			 client->number);
	out = fopen(file, "w");
	if (!out)
		perror(file);
	return out;
}

static nghttp3_ssize read_body(nghttp3_conn *http, int64_t stream_id,
			       nghttp3_vec *vec, size_t veccnt, uint32_t *flags,
			       void *user_data, void *stream_user_data)
{
	*flags |= NGHTTP3_DATA_FLAG_EOF;
	vec->base = (uint8_t *)upload_data;
	vec->len = upload_len;
	return upload_len ? 1 : 0;
}

static int start_transfer(struct h3_conn *c, struct transfer *t,
			  int64_t stream_id)
{
	nghttp3_data_reader reader = { .read_data = read_body };
	nghttp3_nv fields[] = {
		h3_field(":method", upload ? "POST" : "GET"),
		h3_field(":scheme", scheme),
		h3_field(":authority", host),
		h3_field(":path", t->path),
		h3_field("user-agent", "h3_client"),
	};

	t->out = open_output(c->user, t->path);
	if (output && !t->out)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return nghttp3_conn_submit_request(c->http, stream_id, fields, 5,
					   upload ? &reader : NULL, t) ?
	       NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

/* As many as the server allows streams */
static int start_transfers(struct h3_conn *c)
{
	struct client *client = c->user;
	int64_t stream_id;

	while (client->next < n_paths &&
	       !ngtcp2_conn_open_bidi_stream(c->quic, &stream_id, NULL))
		if (start_transfer(c, &client->transfers[client->next++],
				   stream_id))
			return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int ready(struct h3_conn *c)
{
	if (rebind_after)
		c->timer = h3_now() + rebind_after;
	return start_transfers(c);
}

/* Callbacks of nghttp3 */

static int recv_header(nghttp3_conn *http, int64_t stream_id, int32_t token,
		       nghttp3_rcbuf *name, nghttp3_rcbuf *value, uint8_t flags,
		       void *user_data, void *stream_user_data)
{
	struct transfer *t = stream_user_data;
	nghttp3_vec vec;

	if (token == NGHTTP3_QPACK_TOKEN__STATUS) {
		vec = nghttp3_rcbuf_get_buf(value);
		snprintf(t->status, sizeof(t->status), "%.*s", (int)vec.len,
			 vec.base);
	}
	return 0;
}

static int recv_data(nghttp3_conn *http, int64_t stream_id, const uint8_t *data,
		     size_t len, void *user_data, void *stream_user_data)
{
	struct transfer *t = stream_user_data;

	h3_http_consumed(user_data, stream_id, len);
	if (t->out && fwrite(data, 1, len, t->out) != len) {
		perror(output);
		return NGHTTP3_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int end_stream(nghttp3_conn *http, int64_t stream_id, void *user_data,
		      void *stream_user_data)
{
	struct transfer *t = stream_user_data;

	t->complete = true;
	return 0;
}

static void end_transfer(struct transfer *t)
{
	if (t->out == stdout ? fflush(stdout) : t->out && fclose(t->out)) {
		perror(output);
		t->complete = false;
	}
	t->out = NULL;
	if (!t->complete || strcmp(t->status, "200")) {
		fprintf(stderr, "%s: %s\n", t->path,
			*t->status ? t->status : "failed");
		failures++;
	}
}

static int stream_close(nghttp3_conn *http, int64_t stream_id,
			uint64_t app_error_code, void *user_data,
			void *stream_user_data)
{
	struct h3_conn *c = user_data;
	struct client *client = c->user;

	/* Also called for the control streams */
	if (!stream_user_data)
		return 0;
	end_transfer(stream_user_data);
	/* A callback must not close the connection. */
	if (!--client->open)
		c->timer = 0;
	return 0;
}

static void closed(struct h3_conn *c)
{
	struct client *client = c->user;

	if (client->open) {
		fprintf(stderr, "connection %d: %d transfers not complete\n",
			client->number, client->open);
		failures += client->open;
	}
	while (client->next--) {
		FILE *out = client->transfers[client->next].out;

		if (out && out != stdout)
			fclose(out);
	}
	free(client);
}

/* Go on from another port, as a phone does that leaves a WLAN. */
static void rebind(struct h3_conn *c, ngtcp2_tstamp now)
{
	struct client *client = c->user;
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
	struct client *client = c->user;

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
	.http = {
		.recv_header = recv_header,
		.recv_data = recv_data,
		.end_stream = end_stream,
		.stream_close = stream_close,
	},
	.ready = ready,
	.timer = timer,
	.more_streams = start_transfers,
	.closed = closed,
};

static int connect_client(struct h3_endpoint *endpoint, struct h3_socket *sock,
			  int number)
{
	ngtcp2_transport_params params;
	ngtcp2_callbacks callbacks;
	ngtcp2_settings settings;
	struct client *client;
	ngtcp2_cid dcid, scid;
	ngtcp2_path path;
	struct h3_conn *c;
	int i;

	client = calloc(1, sizeof(*client) + n_paths * sizeof(struct transfer));
	c = h3_conn_prepare(endpoint, sock, &callbacks, &settings, &params);
	if (!client || !c)
		return -1;
	client->number = number;
	client->open = n_paths;
	for (i = 0; i < n_paths; i++)
		client->transfers[i].path = paths[i];
	c->user = client;

	dcid.datalen = H3_CID_LEN;
	h3_random(dcid.data, dcid.datalen);
	scid.datalen = endpoint->cid_len;
	h3_random(scid.data, scid.datalen);
	h3_socket_path(sock, remote->ai_addr, remote->ai_addrlen, &path);
	if (ngtcp2_conn_client_new(&c->quic, &dcid, &scid, &path,
				   NGTCP2_PROTO_VER_V1, &callbacks, &settings,
				   &params, NULL, c) ||
	    h3_conn_start(c, host))
		return -1;
	h3_cid_add(&endpoint->cids, &scid, c);
	c->touched = true;
	return 0;
}

static bool done(struct h3_endpoint *endpoint)
{
	return !endpoint->conns;
}

static int map_upload(void)
{
	int fd = open(upload, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		goto err;
	upload_len = st.st_size;
	if (upload_len) {
		data = mmap(NULL, upload_len, PROT_READ, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED)
			goto err;
		upload_data = data;
	}
	close(fd);
	return 0;
err:
	perror(upload);
	if (fd >= 0)
		close(fd);
	return -1;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options;
		return 0;
	case 'o':
		output = arg;
		return 0;
	case 'u':
		upload = arg;
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
		scheme = arg;
		return 0;
	case 'c':
		cacert = arg;
		options.verify = true;
		return 0;
	case ARGP_KEY_ARGS:
		if (state->argc - state->next < 3)
			argp_usage(state);
		host = state->argv[state->next];
		port = state->argv[state->next + 1];
		paths = state->argv + state->next + 2;
		n_paths = state->argc - state->next - 2;
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
	struct h3_socket *sock = NULL;
	int i, err;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (empty_cid) {
		endpoint.cid_len = 0;
		connections = 1;
	}
	if (upload && map_upload())
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
	err = getaddrinfo(host, port, &hints, &remote);
	if (err) {
		fprintf(stderr, "%s: %s\n", host, gai_strerror(err));
		return 1;
	}
	for (i = 0; i < connections; i++) {
		if (!sock || !one_socket)
			sock = h3_socket_open(&endpoint.sockets, &options, NULL,
					      remote->ai_addr,
					      remote->ai_addrlen);
		if (!sock || connect_client(&endpoint, sock, i))
			return 1;
	}

	h3_run(&endpoint, done);
	h3_finish(&endpoint);
	freeaddrinfo(remote);
	if (upload_data)
		munmap((void *)upload_data, upload_len);
	return failures ? 1 : 0;
}
