// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * When the packets of a connection can be deferred: not before one that ngtcp2
 * itself has protected was seen to leave by a function that the library stands
 * in for, on a socket where the kernel protects packets.  It is recognised by
 * its tag.
 */
#include <string.h>

#include "quic_preload.h"
#include "quic_preload_conn.h"
#include "quic_preload_keys.h"

/* As many packets later another tag is looked for: that one may be lost. */
#define TAG_LIFE	64

static uint64_t tag_value(const uint8_t *tag)
{
	uint64_t value;

	memcpy(&value, tag, sizeof(value));
	return value;
}

void preload_protected(const ngtcp2_crypto_aead_ctx *aead_ctx,
		       const uint8_t *tag)
{
	struct preload_generation *gen;
	struct preload_conn *conn;

	preload_lock();
	gen = preload_find_generation(aead_ctx);
	conn = gen ? gen->conn : NULL;
	if (conn && !conn->seen && !conn->stopped &&
	    (!conn->tag.object || ++conn->tag_age >= TAG_LIFE)) {
		preload_drop_name(&conn->tag);
		preload_add_name(&conn->tag, PRELOAD_TAG, tag_value(tag), conn);
		conn->tag_age = 0;
	}
	preload_unlock();
}

void preload_note(int fd, const uint8_t *datagram, size_t len)
{
	struct quic_offload_socket *sock;
	struct preload_conn *conn;

	if (len <= QUIC_OFFLOAD_TAG_SIZE)
		return;
	conn = preload_find(PRELOAD_TAG,
			    tag_value(datagram + len - QUIC_OFFLOAD_TAG_SIZE));
	if (!conn)
		return;
	preload_drop_name(&conn->tag);
	sock = preload_socket(fd);
	conn->seen = sock && quic_offload_socket_enable(sock, true);
}
