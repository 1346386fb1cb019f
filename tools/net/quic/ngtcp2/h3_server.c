// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * An HTTP/3 server whose packets the kernel protects and opens.
 *
 * GET sends a file.  POST and PUT are answered with the SHA-256 of what they
 * brought.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gnutls/crypto.h>
#include <linux/openat2.h>

#include "h3_conn.h"
#include "h3_http.h"
#include "h3_loop.h"
#include "h3_util.h"

static struct h3_options options;
static const char *args[4];		/* ADDRESS PORT KEY CERT */
static const char *htdocs = ".";
static uint64_t exit_after;
static int htdocs_fd;

/**
 * struct request - a request and its response
 * @next: of the connection
 * @method: as received
 * @path: the file that is meant, NULL if it cannot be one
 * @hash: of the body
 * @body: of the response
 * @len: bytes of @body
 * @mapped: @body is a file
 * @hex: @hash as text
 */
struct request {
	struct request *next;
	char method[8];
	char *path;
	gnutls_hash_hd_t hash;
	const uint8_t *body;
	size_t len;
	bool mapped;
	char hex[66];
};

static const char *content_type(const char *path)
{
	const char *dot = strrchr(path, '.');

	if (dot && !strcmp(dot, ".html"))
		return "text/html";
	if (dot && !strcmp(dot, ".txt"))
		return "text/plain";
	return "application/octet-stream";
}

static nghttp3_ssize read_body(nghttp3_conn *http, int64_t stream_id,
			       nghttp3_vec *vec, size_t veccnt, uint32_t *flags,
			       void *user_data, void *stream_user_data)
{
	struct request *r = stream_user_data;

	*flags |= NGHTTP3_DATA_FLAG_EOF;
	vec->base = (uint8_t *)r->body;
	vec->len = r->len;
	return r->len ? 1 : 0;
}

static int respond(nghttp3_conn *http, int64_t stream_id, struct request *r,
		   const char *status, const char *type)
{
	nghttp3_data_reader reader = { .read_data = read_body };
	nghttp3_nv fields[3];
	char len[24];

	snprintf(len, sizeof(len), "%zu", r->len);
	fields[0] = h3_field(":status", status);
	fields[1] = h3_field("content-type", type);
	fields[2] = h3_field("content-length", len);
	return nghttp3_conn_submit_response(http, stream_id, fields, 3,
			strcmp(r->method, "HEAD") ? &reader : NULL);
}

static int respond_text(nghttp3_conn *http, int64_t stream_id,
			struct request *r, const char *status, const char *text)
{
	r->body = (uint8_t *)text;
	r->len = strlen(text);
	return respond(http, stream_id, r, status, "text/plain");
}

/* Nothing above the directory, not by ".." nor by links. */
static int open_file(const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
		.resolve = RESOLVE_BENEATH,
	};

	return syscall(SYS_openat2, htdocs_fd, path, &how, sizeof(how));
}

static int respond_file(nghttp3_conn *http, int64_t stream_id,
			struct request *r)
{
	int fd = open_file(r->path);
	void *body = NULL;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		goto err;
	if (st.st_size) {
		body = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
		if (body == MAP_FAILED)
			goto err;
		r->mapped = true;
	}
	close(fd);
	r->body = body;
	r->len = st.st_size;
	return respond(http, stream_id, r, "200", content_type(r->path));
err:
	if (fd >= 0)
		close(fd);
	return respond_text(http, stream_id, r, "404", "not found\n");
}

static int respond_hash(nghttp3_conn *http, int64_t stream_id,
			struct request *r)
{
	uint8_t hash[32];
	int i;

	gnutls_hash_output(r->hash, hash);
	for (i = 0; i < 32; i++)
		sprintf(r->hex + 2 * i, "%02x", hash[i]);
	r->hex[64] = '\n';
	return respond_text(http, stream_id, r, "200", r->hex);
}

/* Callbacks of nghttp3 */

static int begin_headers(nghttp3_conn *http, int64_t stream_id, void *user_data,
			 void *stream_user_data)
{
	struct request *r = calloc(1, sizeof(*r));
	struct h3_conn *c = user_data;

	if (!r)
		return NGHTTP3_ERR_CALLBACK_FAILURE;
	r->next = c->user;
	c->user = r;
	return nghttp3_conn_set_stream_user_data(http, stream_id, r);
}

/* The path begins with a slash. */
static char *file_of_path(nghttp3_vec path)
{
	const char *query = memchr(path.base, '?', path.len);
	int len = (query ?: (char *)path.base + path.len) -
		  (char *)path.base - 1;
	const char *file = (char *)path.base + 1;
	bool directory = !len || file[len - 1] == '/';
	char *result;

	if (asprintf(&result, "%.*s%s", len, file,
		     directory ? "index.html" : "") < 0)
		return NULL;
	return result;
}

static int recv_header(nghttp3_conn *http, int64_t stream_id, int32_t token,
		       nghttp3_rcbuf *name, nghttp3_rcbuf *value, uint8_t flags,
		       void *user_data, void *stream_user_data)
{
	nghttp3_vec vec = nghttp3_rcbuf_get_buf(value);
	struct request *r = stream_user_data;

	if (token == NGHTTP3_QPACK_TOKEN__METHOD) {
		snprintf(r->method, sizeof(r->method), "%.*s", (int)vec.len,
			 vec.base);
	} else if (token == NGHTTP3_QPACK_TOKEN__PATH) {
		/* nghttp3 minds it later, and only for http and https. */
		if (!vec.len || vec.base[0] != '/')
			return 0;
		r->path = file_of_path(vec);
		if (!r->path)
			return NGHTTP3_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int end_headers(nghttp3_conn *http, int64_t stream_id, int fin,
		       void *user_data, void *stream_user_data)
{
	struct request *r = stream_user_data;

	if (strcmp(r->method, "POST") && strcmp(r->method, "PUT"))
		return 0;
	return gnutls_hash_init(&r->hash, GNUTLS_DIG_SHA256) ?
	       NGHTTP3_ERR_CALLBACK_FAILURE : 0;
}

static int recv_data(nghttp3_conn *http, int64_t stream_id, const uint8_t *data,
		     size_t len, void *user_data, void *stream_user_data)
{
	struct request *r = stream_user_data;

	if (r->hash)
		gnutls_hash(r->hash, data, len);
	h3_http_consumed(user_data, stream_id, len);
	return 0;
}

static int end_stream(nghttp3_conn *http, int64_t stream_id, void *user_data,
		      void *stream_user_data)
{
	struct request *r = stream_user_data;

	if (!r->path)
		return respond_text(http, stream_id, r, "400", "bad path\n");
	if (r->hash)
		return respond_hash(http, stream_id, r);
	if (!strcmp(r->method, "GET") || !strcmp(r->method, "HEAD"))
		return respond_file(http, stream_id, r);
	return respond_text(http, stream_id, r, "501", "not implemented\n");
}

static void free_request(struct request *r)
{
	if (r->hash)
		gnutls_hash_deinit(r->hash, NULL);
	if (r->mapped)
		munmap((void *)r->body, r->len);
	free(r->path);
	free(r);
}

static int stream_close(nghttp3_conn *http, int64_t stream_id,
			uint64_t app_error_code, void *user_data,
			void *stream_user_data)
{
	struct h3_conn *c = user_data;
	struct request **pos;

	for (pos = (struct request **)&c->user; *pos; pos = &(*pos)->next) {
		struct request *r = *pos;

		if (r == stream_user_data) {
			*pos = r->next;
			free_request(r);
			break;
		}
	}
	return 0;
}

static void closed(struct h3_conn *c)
{
	struct request *r;

	while ((r = c->user)) {
		c->user = r->next;
		free_request(r);
	}
}

static struct h3_conn *accept_conn(struct h3_endpoint *endpoint,
				   struct h3_socket *sock,
				   const ngtcp2_path *path,
				   const ngtcp2_pkt_hd *hd)
{
	ngtcp2_transport_params params;
	ngtcp2_callbacks callbacks;
	ngtcp2_settings settings;
	struct h3_conn *c;
	ngtcp2_cid scid;

	c = h3_conn_prepare(endpoint, sock, &callbacks, &settings, &params);
	if (!c)
		return NULL;
	params.original_dcid = hd->dcid;
	scid.datalen = H3_CID_LEN;
	h3_random(scid.data, scid.datalen);
	if (ngtcp2_conn_server_new(&c->quic, &hd->scid, &scid, path,
				   hd->version, &callbacks, &settings, &params,
				   NULL, c) ||
	    h3_conn_start(c, NULL)) {
		h3_conn_free(c);
		return NULL;
	}
	h3_cid_add(&endpoint->cids, &hd->dcid, c);
	h3_cid_add(&endpoint->cids, &scid, c);
	return c;
}

static const nghttp3_callbacks http_callbacks = {
	.begin_headers = begin_headers,
	.recv_header = recv_header,
	.end_headers = end_headers,
	.recv_data = recv_data,
	.end_stream = end_stream,
	.stream_close = stream_close,
};

static const struct h3_side server = {
	.http = &http_callbacks,
	.accept = accept_conn,
	.closed = closed,
};

static bool done(struct h3_endpoint *endpoint)
{
	return exit_after && endpoint->closed >= exit_after;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &options;
		return 0;
	case 'd':
		htdocs = arg;
		return 0;
	case 'E':
		exit_after = strtoull(arg, NULL, 0);
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num >= 4)
			argp_usage(state);
		args[state->arg_num] = arg;
		return 0;
	case ARGP_KEY_END:
		if (state->arg_num < 4)
			argp_usage(state);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp argp = {
	.options = (const struct argp_option[]) {
		{ "htdocs", 'd', "DIR", 0, "What to serve, default: ." },
		{ "exit-after", 'E', "N", 0, "End when N connections closed" },
		{ 0 }
	},
	.parser = parse_option,
	.args_doc = "ADDRESS PORT KEY CERT",
	.doc = "An HTTP/3 server whose packets the kernel protects and opens.\v"
	       "KEY and CERT are PEM files.",
	.children = (const struct argp_child[]) { { &h3_argp }, { 0 } },
};

int main(int argc, char **argv)
{
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM,
	};
	struct h3_endpoint endpoint = {
		.side = &server,
		.options = &options,
		.cid_len = H3_CID_LEN,
	};
	struct addrinfo *addr;
	int err;

	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	htdocs_fd = open(htdocs, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (htdocs_fd < 0) {
		perror(htdocs);
		return 1;
	}
	gnutls_certificate_allocate_credentials(&endpoint.cred);
	err = gnutls_certificate_set_x509_key_file(endpoint.cred, args[3],
						   args[2],
						   GNUTLS_X509_FMT_PEM);
	if (err < 0) {
		fprintf(stderr, "%s: %s\n", args[3], gnutls_strerror(err));
		return 1;
	}
	err = getaddrinfo(args[0], args[1], &hints, &addr);
	if (err) {
		fprintf(stderr, "%s: %s\n", args[0], gai_strerror(err));
		return 1;
	}
	if (!h3_socket_open(&endpoint.sockets, &options, addr->ai_addr, NULL,
			    addr->ai_addrlen))
		return 1;
	freeaddrinfo(addr);

	h3_run(&endpoint, done);
	h3_finish(&endpoint);
	close(htdocs_fd);
	return 0;
}
