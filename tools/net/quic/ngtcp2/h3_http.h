/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What ngtcp2 and nghttp3 tell each other of a connection */
#ifndef H3_HTTP_H
#define H3_HTTP_H

#include "h3_endpoint.h"

void h3_http_set_callbacks(ngtcp2_callbacks *callbacks);
/* What nghttp3 complains about is an error of the application protocol: returns
 * the error for ngtcp2.
 */
int h3_http_error(struct h3_conn *c, int err);
/* In nghttp3_callbacks.recv_data: the data has been dealt with. */
void h3_http_consumed(struct h3_conn *c, int64_t stream_id, size_t len);

#endif /* H3_HTTP_H */
