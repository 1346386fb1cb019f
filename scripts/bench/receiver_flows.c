// SPDX-License-Identifier: GPL-2.0
/* What a socket that receives has of the offload: flows and their keys, and what
 * it is told.
 */
#include <err.h>
#include <linux/quic.h>
#include <linux/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "receiver.h"

static bool way_offloads(enum rx_way way)
{
	return way == RX_OFFLOAD || way == RX_KERNEL_OFFLOAD;
}

/* Flows for any peer, as servers have them, with the same keys */
static struct quic_rx_connection_info flow_info(const struct receiver *r)
{
	struct quic_rx_connection_info info = {
		.conn.cipher_type = r->setting->cipher->type,
		.conn.key.conn_id_length = BENCH_DCID_LEN,
	};

	memcpy(info.conn.payload_key, bench_key, sizeof(bench_key));
	memcpy(info.conn.header_key, bench_header_key, sizeof(bench_header_key));
	memcpy(info.conn.payload_iv, bench_iv, sizeof(bench_iv));
	return info;
}

double receiver_add_flows(struct receiver *r, unsigned int flows)
{
	struct kbench_setsockopt option = {
		.fd = r->fd,
		.name = UDP_QUIC_ADD_RX_CONNECTION,
		.flows = flows,
		.flow_at = offsetof(struct quic_rx_connection_info,
				    conn.key.conn_id) +
			   QUIC_MAX_CONNECTION_ID_SIZE - BENCH_DCID_LEN,
		.len = sizeof(struct quic_rx_connection_info),
	};
	const struct quic_rx_connection_info info = flow_info(r);

	memcpy(option.value, &info, sizeof(info));
	if (kernel_setsockopt(&option))
		err(1, "adding %u flows", flows);
	return (double)option.ns / flows;
}

void receiver_add_key(struct receiver *r, unsigned int generation,
		      const unsigned char *key)
{
	struct quic_rx_connection_info info = flow_info(r);

	info.conn.conn_payload_key_gen = generation;
	memcpy(info.conn.payload_key, key, sizeof(info.conn.payload_key));
	if (setsockopt(r->fd, SOL_UDP, UDP_QUIC_ADD_RX_CONNECTION, &info,
		       sizeof(info)))
		err(1, "UDP_QUIC_ADD_RX_CONNECTION");
}

/* The numbers of the source begin again, and it is an effort to go on from one
 * packet to the next: the flow must not know them all already.
 */
void receiver_renew(struct receiver *r)
{
	struct quic_rx_connection_info info = flow_info(r);

	setsockopt(r->fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, &info, sizeof(info));
	receiver_add_key(r, 0, bench_key);
	r->packet = 0;
}

void receiver_use_flows(struct receiver *r, unsigned int flows,
			unsigned int tags_at)
{
	r->flows = flows;
	r->tags_at = tags_at;
	r->ring = r->train;		/* there are tags for these */
	r->packet = 0;
	r->renews = false;
}

void receiver_expect(struct receiver *r, unsigned char status)
{
	r->status = status;
	r->renews = false;
}

/* The offload must have told what has become of each packet. */
void receiver_check_entries(const struct receiver *r, const void *first,
			    unsigned int count)
{
	const struct cmsghdr *cmsg = first;
	const struct quic_rx_ancillary_data *entry = (void *)CMSG_DATA(cmsg);
	unsigned int i;

	if (cmsg->cmsg_level != SOL_UDP || cmsg->cmsg_type != UDP_QUIC_DECRYPT ||
	    cmsg->cmsg_len != CMSG_LEN(r->train * sizeof(*entry)))
		errx(1, "%s: no control message", rx_way_names[r->way]);
	for (i = 0; i < count; i++)
		if (entry[i].status != r->status)
			errx(1, "%s: packet %u of %u has status %u, not %u",
			     rx_way_names[r->way], i, r->train,
			     entry[i].status, r->status);
}

void receiver_set_up(struct receiver *r)
{
	static const char ulp[] = "quic-crypto";

	if (r->way == RX_KERNEL_ULP &&
	    setsockopt(r->fd, SOL_UDP, UDP_ULP, ulp, sizeof(ulp) - 1))
		err(1, "UDP_ULP");
	if (way_offloads(r->way)) {
		receiver_add_key(r, 0, bench_key);
		r->renews = true;
		r->control_len += CMSG_SPACE(r->train *
					     sizeof(struct quic_rx_ancillary_data));
	}
}
