/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Requests of a client and their responses */
#ifndef H3_TRANSFER_H
#define H3_TRANSFER_H

#include <stdio.h>

#include "h3_endpoint.h"

/**
 * struct h3_wanted - what the command line asks for
 * @host: of the URIs
 * @scheme: likewise
 * @paths: likewise
 * @n_paths: how many
 * @output: where responses go, or NULL
 * @upload: file to post, or NULL
 * @upload_data: what is in it
 * @upload_len: its length
 */
struct h3_wanted {
	const char *host;
	const char *scheme;
	char **paths;
	int n_paths;
	const char *output;
	const char *upload;
	const uint8_t *upload_data;
	size_t upload_len;
};
extern struct h3_wanted h3_wanted;

/* Transfers that did not end well, for the exit status */
extern int h3_failures;

/**
 * struct h3_transfer - a request and its response
 * @path: of the URI
 * @out: where the body goes
 * @status: of the response
 * @complete: the body has arrived
 */
struct h3_transfer {
	const char *path;
	FILE *out;
	char status[4];
	bool complete;
};

/**
 * struct h3_client - what a client knows of a connection
 * @rebound: socket on another port, to migrate to
 * @number: counts connections
 * @ready: the handshake is complete
 * @started: transfers may begin
 * @next: of @transfers to start
 * @open: transfers that are not over
 * @transfers: one for each path
 */
struct h3_client {
	struct h3_socket *rebound;
	int number;
	bool ready;
	bool started;
	int next;
	int open;
	struct h3_transfer transfers[];
};

struct h3_client *h3_client_new(int number);
/* As many as the server allows streams, once they may */
int h3_transfers_start(struct h3_conn *c);
/* Frees @client. */
void h3_transfers_end(struct h3_client *client);
extern const nghttp3_callbacks h3_transfer_callbacks;

/* The file to post */
int h3_upload_open(void);
void h3_upload_close(void);

#endif /* H3_TRANSFER_H */
