// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Requests of a client and their responses */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "h3_http.h"
#include "h3_transfer.h"
#include "h3_util.h"

struct h3_wanted h3_wanted = { .scheme = "https" };
int h3_failures;

struct h3_client *h3_client_new(int number)
{
	struct h3_client *client;
	int i;

	client = calloc(1, sizeof(*client) +
			   h3_wanted.n_paths * sizeof(struct h3_transfer));
	if (!client)
		return NULL;
	client->number = number;
	client->open = h3_wanted.n_paths;
	for (i = 0; i < h3_wanted.n_paths; i++)
		client->transfers[i].path = h3_wanted.paths[i];
	return client;
}

/* FILE, DIR/name, or with several connections DIR/name.number */
static FILE *open_output(const struct h3_client *client, const char *path)
{
	const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char file[4096];
	struct stat st;
	FILE *out;

	if (!*name)
		name = "index.html";
	if (!h3_wanted.output)
		return h3_wanted.upload ? stdout : NULL;
	if (stat(h3_wanted.output, &st) || !S_ISDIR(st.st_mode))
		snprintf(file, sizeof(file), "%s", h3_wanted.output);
	else if (!client->number)
		snprintf(file, sizeof(file), "%s/%s", h3_wanted.output, name);
	else
		snprintf(file, sizeof(file), "%s/%s.%d", h3_wanted.output, name,
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
	vec->base = (uint8_t *)h3_wanted.upload_data;
	vec->len = h3_wanted.upload_len;
	return h3_wanted.upload_len ? 1 : 0;
}

static int start_transfer(struct h3_conn *c, struct h3_transfer *t,
			  int64_t stream_id)
{
	nghttp3_data_reader reader = { .read_data = read_body };
	nghttp3_nv fields[] = {
		h3_field(":method", h3_wanted.upload ? "POST" : "GET"),
		h3_field(":scheme", h3_wanted.scheme),
		h3_field(":authority", h3_wanted.host),
		h3_field(":path", t->path),
		h3_field("user-agent", "h3_client"),
	};

	t->out = open_output(c->user, t->path);
	if (h3_wanted.output && !t->out)
		return NGTCP2_ERR_CALLBACK_FAILURE;
	return nghttp3_conn_submit_request(c->http, stream_id, fields, 5,
					   h3_wanted.upload ? &reader : NULL, t) ?
	       NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

int h3_transfers_start(struct h3_conn *c)
{
	struct h3_client *client = c->user;
	int64_t stream_id;

	while (client->started && client->next < h3_wanted.n_paths &&
	       !ngtcp2_conn_open_bidi_stream(c->quic, &stream_id, NULL))
		if (start_transfer(c, &client->transfers[client->next++],
				   stream_id))
			return NGTCP2_ERR_CALLBACK_FAILURE;
	return 0;
}

/* Callbacks of nghttp3 */

static int recv_header(nghttp3_conn *http, int64_t stream_id, int32_t token,
		       nghttp3_rcbuf *name, nghttp3_rcbuf *value, uint8_t flags,
		       void *user_data, void *stream_user_data)
{
	struct h3_transfer *t = stream_user_data;
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
	struct h3_transfer *t = stream_user_data;

	h3_http_consumed(user_data, stream_id, len);
	if (t->out && fwrite(data, 1, len, t->out) != len) {
		perror(h3_wanted.output);
		return NGHTTP3_ERR_CALLBACK_FAILURE;
	}
	return 0;
}

static int end_stream(nghttp3_conn *http, int64_t stream_id, void *user_data,
		      void *stream_user_data)
{
	struct h3_transfer *t = stream_user_data;

	t->complete = true;
	return 0;
}

static void end_transfer(struct h3_transfer *t)
{
	if (t->out == stdout ? fflush(stdout) : t->out && fclose(t->out)) {
		perror(h3_wanted.output);
		t->complete = false;
	}
	t->out = NULL;
	if (!t->complete || strcmp(t->status, "200")) {
		fprintf(stderr, "%s: %s\n", t->path,
			*t->status ? t->status : "failed");
		h3_failures++;
	}
}

static int stream_close(nghttp3_conn *http, int64_t stream_id,
			uint64_t app_error_code, void *user_data,
			void *stream_user_data)
{
	struct h3_conn *c = user_data;
	struct h3_client *client = c->user;

	/* Also called for the control streams */
	if (!stream_user_data)
		return 0;
	end_transfer(stream_user_data);
	/* A callback must not close the connection. */
	if (!--client->open)
		c->timer = 0;
	return 0;
}

const nghttp3_callbacks h3_transfer_callbacks = {
	.recv_header = recv_header,
	.recv_data = recv_data,
	.end_stream = end_stream,
	.stream_close = stream_close,
};

void h3_transfers_end(struct h3_client *client)
{
	if (client->open) {
		fprintf(stderr, "connection %d: %d transfers not complete\n",
			client->number, client->open);
		h3_failures += client->open;
	}
	while (client->next--) {
		FILE *out = client->transfers[client->next].out;

		if (out && out != stdout)
			fclose(out);
	}
	free(client);
}

int h3_upload_open(void)
{
	int fd = open(h3_wanted.upload, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	if (fd < 0 || fstat(fd, &st))
		goto err;
	h3_wanted.upload_len = st.st_size;
	if (h3_wanted.upload_len) {
		data = mmap(NULL, h3_wanted.upload_len, PROT_READ, MAP_SHARED, fd, 0);
		if (data == MAP_FAILED)
			goto err;
		h3_wanted.upload_data = data;
	}
	close(fd);
	return 0;
err:
	perror(h3_wanted.upload);
	if (fd >= 0)
		close(fd);
	return -1;
}

void h3_upload_close(void)
{
	if (h3_wanted.upload_data)
		munmap((void *)h3_wanted.upload_data, h3_wanted.upload_len);
}
