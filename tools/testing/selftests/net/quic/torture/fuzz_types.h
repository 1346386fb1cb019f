/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random system calls, and a model beside them that knows what each must do.
 *
 * The model is made from the documentation and shares nothing with the kernel.
 * For what is up to plain UDP it has a twin: every socket with the ULP has one
 * without, which gets the same calls, and in place of each protected message
 * the bytes that libcrypto makes of it.
 *
 * Each file knows those above its line, and none beside it or below:
 *
 *	fuzz_types
 *	fuzz_fail, fuzz_random
 *	fuzz_memory, fuzz_audit, fuzz_dump, fuzz_dest, fuzz_dcid, fuzz_cmsg,
 *	fuzz_match
 *	fuzz_model_flow, fuzz_wire, fuzz_info
 *	fuzz_model, fuzz_sock
 *	fuzz_env, fuzz_exec, fuzz_mutate, fuzz_gen_option
 *	fuzz_gen, fuzz_change
 *	fuzz_batch
 *	fuzz
 */
#ifndef FUZZ_TYPES_H
#define FUZZ_TYPES_H

#include <limits.h>
#include <sys/uio.h>

#include "quic_lib.h"

#define FUZZ_DEVICE		"lo"
#define FUZZ_MTU		4000
#define FUZZ_PORTS		2	/* with receivers, from the first on */
#define FUZZ_FIRST_PORT		4433

#define FUZZ_SOCKS		6	/* the last has its send buffer full */
#define FUZZ_MAX_FLOWS		40	/* of all sockets */
#define FUZZ_CONTROL_SIZE	512
#define FUZZ_OPTION_SIZE	4200
/*
 * UDP takes 17 pieces if they are not next to each other, which those of a socket
 * are not, because the ones of its twin are between them, but for the last.
 */
#define FUZZ_MAX_APPENDED	12
#define FUZZ_MESSAGE_SIZE	(1 << 17)

/* A packet that gets longer may need more memory in one piece than there is. */
#define FUZZ_MAX_PIECE		32768

#define ARRAY_LEN(a)		(sizeof(a) / sizeof(*(a)))

struct fuzz_dest {
	struct in6_addr addr;	/* an IPv4 address is mapped */
	in_port_t port;
	uint32_t scope_id;
};

struct fuzz_key {
	struct quic_oracle *oracle;	/* NULL: there is no key */
	uint64_t id;			/* of cipher, key and IV */
	uint8_t generation;
	uint64_t next;			/* smallest number not used */
	uint64_t packets;
	uint64_t failed;		/* receiving: could not be opened */
};

struct fuzz_flow {
	bool any;
	struct fuzz_dest dest;
	struct quic_dcid dcid;
	struct quic_keys keys;		/* of the newest generation */
	struct fuzz_key key[2];		/* by phase */
	/* of all generations, with tags */
	uint64_t next_pkt_num, packets, bytes;
	/* receiving */
	struct quic_keys older;		/* the generation before, if it is there */
	uint64_t sealed;		/* the largest number sent, plus one */
};

struct fuzz_sock {
	int fd;
	int twin;
	int family;
	in_port_t port;
	in_port_t twin_port;
	bool ulp;
	bool full;		/* no room in the send buffer */
	bool odd;		/* ask the twin, whatever is sent */
	bool no_check;		/* UDP without checksums */
	bool corked;
	bool pending;
	unsigned int appended;	/* pieces of what is pending */
	bool connected;
	struct fuzz_dest peer;
	uint32_t device;	/* that it is bound to */
	int gso;
	unsigned int flows;
	struct fuzz_flow *flow[FUZZ_MAX_FLOWS];
};

enum fuzz_kind {
	FUZZ_SEND, FUZZ_SETSOCKOPT, FUZZ_GETSOCKOPT, FUZZ_GET_ULP, FUZZ_CONNECT
};

struct fuzz_call {
	enum fuzz_kind kind;
	struct fuzz_sock *sock;
	/* where memory ends: of a message, or of an option */
	size_t readable;
	/* sendmsg(); connect() takes the name */
	int flags;
	struct sockaddr_storage name;
	int name_len;		/* 0: none */
	uint64_t control[FUZZ_CONTROL_SIZE / 8];
	size_t control_len;
	uint8_t *message;	/* FUZZ_MESSAGE_SIZE bytes */
	size_t len;
	struct iovec iov[IOV_MAX + 1];
	size_t iov_count;
	/* setsockopt(), getsockopt() */
	int optname;
	int opt_len;
	uint8_t opt[FUZZ_OPTION_SIZE];
};

/* What a message asks for, and how it is cut */
struct fuzz_message {
	bool encrypt;		/* has the control message */
	bool bypass;
	bool foreign;		/* has control messages of others */
	bool simple;		/* UDP has no objection */
	size_t at;		/* UDP_QUIC_ENCRYPT in the control messages */
	unsigned int gso;
	uint64_t next_pkt_num;
	unsigned int dcid_len;
	struct fuzz_dest dest;
	struct fuzz_flow *flow;
	unsigned int count;
	size_t stride;
	size_t wire_len;
	uint64_t pn[QUIC_MAX_SEGMENTS];
	uint8_t phase[QUIC_MAX_SEGMENTS];
	uint64_t first[2];	/* numbers by phase, if there are packets */
	uint64_t last[2];
	unsigned int packets[2];
};

#endif /* FUZZ_TYPES_H */
