/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM udp_quic

#if !defined(_TRACE_UDP_QUIC_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_UDP_QUIC_H

#include <linux/tracepoint.h>
#include <uapi/linux/quic.h>

/* An IPv6 address with an interface, and a port */
#define UDP_QUIC_PEER_SIZE	64

/* Every event names its flow in the same way: direction, peer and connection
 * ID.
 */
#define UDP_QUIC_FLOW_FIELDS						\
	__field(u8, direction)						\
	__array(char, peer, UDP_QUIC_PEER_SIZE)				\
	__field(u8, dcid_len)						\
	__array(u8, dcid, QUIC_MAX_CONNECTION_ID_SIZE)

#define UDP_QUIC_FLOW_ASSIGN(dir, conn)					\
	do {								\
		__entry->direction = (dir);				\
		udp_quic_trace_peer(__entry->peer, conn);		\
		__entry->dcid_len = (conn)->conn_id_length;		\
		memset(__entry->dcid, 0, sizeof(__entry->dcid));	\
		memcpy(__entry->dcid, (conn)->conn_id +			\
		       QUIC_MAX_CONNECTION_ID_SIZE - __entry->dcid_len,	\
		       __entry->dcid_len);				\
	} while (0)

#define UDP_QUIC_FLOW_FORMAT	"dir=%s peer=%s dcid=%s"
#define UDP_QUIC_FLOW_ARGS						\
	__print_symbolic(__entry->direction, { QUIC_CAP_TX, "tx" },	\
					     { QUIC_CAP_RX, "rx" }),	\
	__entry->peer,							\
	__print_hex_str(__entry->dcid, __entry->dcid_len)

DECLARE_EVENT_CLASS(udp_quic_flow,

	TP_PROTO(u8 direction, const struct quic_connection_info_key *conn,
		 u8 key_gen),

	TP_ARGS(direction, conn, key_gen),

	TP_STRUCT__entry(
		UDP_QUIC_FLOW_FIELDS
		__field(u8, key_gen)
	),

	TP_fast_assign(
		UDP_QUIC_FLOW_ASSIGN(direction, conn);
		__entry->key_gen = key_gen;
	),

	TP_printk(UDP_QUIC_FLOW_FORMAT " gen=%u", UDP_QUIC_FLOW_ARGS,
		  __entry->key_gen)
);

DEFINE_EVENT(udp_quic_flow, udp_quic_flow_add,
	TP_PROTO(u8 direction, const struct quic_connection_info_key *conn,
		 u8 key_gen),
	TP_ARGS(direction, conn, key_gen)
);

DEFINE_EVENT(udp_quic_flow, udp_quic_flow_update,
	TP_PROTO(u8 direction, const struct quic_connection_info_key *conn,
		 u8 key_gen),
	TP_ARGS(direction, conn, key_gen)
);

DEFINE_EVENT(udp_quic_flow, udp_quic_flow_del,
	TP_PROTO(u8 direction, const struct quic_connection_info_key *conn,
		 u8 key_gen),
	TP_ARGS(direction, conn, key_gen)
);

/* A train was sent: the generation is that of its last packet. */
TRACE_EVENT(udp_quic_train_sent,

	TP_PROTO(const struct quic_connection_info_key *conn, u8 key_gen,
		 unsigned int packets, unsigned int bytes, u64 first_pkt_num),

	TP_ARGS(conn, key_gen, packets, bytes, first_pkt_num),

	TP_STRUCT__entry(
		UDP_QUIC_FLOW_FIELDS
		__field(u8, key_gen)
		__field(unsigned int, packets)
		__field(unsigned int, bytes)
		__field(u64, first_pkt_num)
	),

	TP_fast_assign(
		UDP_QUIC_FLOW_ASSIGN(QUIC_CAP_TX, conn);
		__entry->key_gen = key_gen;
		__entry->packets = packets;
		__entry->bytes = bytes;
		__entry->first_pkt_num = first_pkt_num;
	),

	TP_printk(UDP_QUIC_FLOW_FORMAT " gen=%u packets=%u bytes=%u first=%llu",
		  UDP_QUIC_FLOW_ARGS, __entry->key_gen, __entry->packets,
		  __entry->bytes, __entry->first_pkt_num)
);

/* sendmsg() failed.  If that was before its destination was known, or its
 * connection ID, these are empty.
 */
TRACE_EVENT(udp_quic_send_refused,

	TP_PROTO(const struct quic_connection_info_key *conn, const char *cause,
		 int err),

	TP_ARGS(conn, cause, err),

	TP_STRUCT__entry(
		UDP_QUIC_FLOW_FIELDS
		__string(cause, cause)
		__field(int, err)
	),

	TP_fast_assign(
		UDP_QUIC_FLOW_ASSIGN(QUIC_CAP_TX, conn);
		__assign_str(cause);
		__entry->err = err;
	),

	TP_printk(UDP_QUIC_FLOW_FORMAT " cause=%s err=%d", UDP_QUIC_FLOW_ARGS,
		  __get_str(cause), __entry->err)
);

/* A packet with a short header was not opened, or only its header.  With no_flow
 * the connection ID is shown as if it were of the longest in use.
 */
TRACE_EVENT(udp_quic_not_opened,

	TP_PROTO(const struct quic_connection_info_key *conn, u8 status),

	TP_ARGS(conn, status),

	TP_STRUCT__entry(
		UDP_QUIC_FLOW_FIELDS
		__field(u8, status)
	),

	TP_fast_assign(
		UDP_QUIC_FLOW_ASSIGN(QUIC_CAP_RX, conn);
		__entry->status = status;
	),

	TP_printk(UDP_QUIC_FLOW_FORMAT " status=%s", UDP_QUIC_FLOW_ARGS,
		  __print_symbolic(__entry->status,
				   { QUIC_RX_NOT_OFFLOADED, "no_flow" },
				   { QUIC_RX_NO_KEY, "no_key" },
				   { QUIC_RX_BAD_TAG, "bad_tag" },
				   { QUIC_RX_LIMIT, "limit" }))
);

#endif /* _TRACE_UDP_QUIC_H */

/* This part must be outside protection */
#include <trace/define_trace.h>
