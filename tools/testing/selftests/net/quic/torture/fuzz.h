/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random system calls, and a model beside them that knows what each must do.
 *
 * The model is made from the documentation and shares nothing with the kernel.
 * For what is up to plain UDP it has a twin: every socket with the ULP has one
 * without, which gets the same calls, and in place of each protected message
 * the bytes that libcrypto makes of it.
 */
#ifndef FUZZ_H
#define FUZZ_H

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

#define FUZZ_MAX_EXPECTED	1024	/* datagrams, of which one batch consists */

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
};

struct fuzz_flow {
	bool any;
	struct fuzz_dest dest;
	struct quic_dcid dcid;
	struct quic_keys keys;		/* of the newest generation */
	struct fuzz_key key[2];		/* by phase */
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

enum fuzz_kind { FUZZ_SEND, FUZZ_SETSOCKOPT, FUZZ_GET_ULP, FUZZ_CONNECT };

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
	/* setsockopt() */
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

/* fuzz.c: ends the program, with everything about the current call. */
extern struct fuzz_call *fuzz_current;

void fuzz_fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* Says what failed and ends the program, unless all is well. */
void fuzz_must(bool ok, const char *what);

/* fuzz_random.c */
void fuzz_seed(uint64_t seed);
uint64_t fuzz_random(void);
unsigned int fuzz_below(unsigned int limit);
bool fuzz_chance(unsigned int percent);
void fuzz_fill(void *buf, size_t len);
#define fuzz_pick(array) ((array)[fuzz_below(ARRAY_LEN(array))])

/* fuzz_env.c: sockets, addresses, the rest of the world */
extern uint32_t fuzz_lo;		/* index of the device */
extern long fuzz_max_flows;
extern struct fuzz_sock fuzz_sock[FUZZ_SOCKS];

void fuzz_env_open(void);
void fuzz_env_close(void);
void fuzz_env_limit_packets(uint64_t limit);
void fuzz_sock_open(struct fuzz_sock *sock);
/* Without anything special about it */
void fuzz_sock_open_plain(struct fuzz_sock *sock);
void fuzz_sock_close(struct fuzz_sock *sock);
void fuzz_sock_refresh(struct fuzz_sock *sock);
struct fuzz_dest fuzz_dest_random(const struct fuzz_sock *sock);
int fuzz_dest_name(const struct fuzz_sock *sock, const struct fuzz_dest *dest,
		   struct sockaddr_storage *name);
/* There is a receiver, and the way there is plain. */
bool fuzz_dest_known(const struct fuzz_dest *dest);

/* fuzz_gen.c, fuzz_gen_option.c, fuzz_mutate.c */
void fuzz_gen_epoch(void);
struct quic_dcid fuzz_gen_dcid(void);
/* The call has memory for its message. */
void fuzz_gen_call(struct fuzz_call *call);
void fuzz_gen_send(struct fuzz_call *call);
void fuzz_gen_option(struct fuzz_call *call);
void fuzz_gen_uncork(struct fuzz_call *call);
void fuzz_mutate(struct fuzz_call *call);
void fuzz_put_cmsg(struct fuzz_call *call, int level, int type,
		   const void *data, size_t len);

/* fuzz_memory.c: put a message into memory, as iovecs. */
void fuzz_memory_open(void);
uint8_t *fuzz_memory_shared(void);
void fuzz_memory_message(struct fuzz_call *call);
const void *fuzz_memory_option(const struct fuzz_call *call);

/* fuzz_model.c: what the documentation says that a message must do. */
extern uint64_t fuzz_max_packets;

int fuzz_model_message(const struct fuzz_call *call, struct fuzz_message *m);
int fuzz_model_train(const struct fuzz_call *call, struct fuzz_message *m);
/* There may be no memory for one of its packets. */
bool fuzz_model_huge(const struct fuzz_message *m);
/* Its numbers are used. */
void fuzz_model_sent(struct fuzz_message *m);

/* fuzz_model_flow.c */
extern struct fuzz_counters {
	long flows, added, errors, packets;
} fuzz_counters;

int fuzz_model_ulp(const struct fuzz_call *call);
int fuzz_model_add(const struct fuzz_call *call);
int fuzz_model_del(const struct fuzz_call *call);
struct fuzz_flow *fuzz_model_find(const struct fuzz_sock *sock,
				  const struct fuzz_dest *dest,
				  const struct quic_dcid *dcid);
void fuzz_model_close(struct fuzz_sock *sock);

/* fuzz_wire.c: what arrives */
void fuzz_wire_open(void);
size_t fuzz_wire_protect(const struct fuzz_call *call,
			 const struct fuzz_message *m, uint8_t *wire);
/* The message, which stays, has been sent, as @wire; all of these have arrived. */
void fuzz_wire_expect(struct fuzz_call *call, const struct fuzz_message *m,
		      const uint8_t *wire);
void fuzz_wire_check(void);
/* How many datagrams more can be expected */
unsigned int fuzz_wire_room(void);
/*
 * What arrives of the socket is what arrives of the twin, and, if there is a
 * message @m that was protected, it is @wire or nothing.
 */
void fuzz_wire_like_twin(const struct fuzz_call *call,
			 const struct fuzz_message *m, const uint8_t *wire);
/* One packet without GRO; returns its length. */
ssize_t fuzz_wire_packet(uint8_t *buf, size_t size);

/* fuzz_audit.c: no plain text on any device, no nonce used twice */
void fuzz_audit_open(void);
/* At all that was sent since the last look */
void fuzz_audit_look(void);
/* The same number for the same cipher, key and IV */
uint64_t fuzz_audit_key(const struct quic_keys *keys);
/* It has arrived, and has this number under the key with this id. */
void fuzz_audit_packet(uint64_t key, uint64_t pn, const uint8_t *packet,
		       size_t len);
/* There are new keys from now on. */
void fuzz_audit_forget(void);
void fuzz_audit_verdict(void);

/* fuzz_exec.c: one call */
void fuzz_exec(struct fuzz_call *call);
void fuzz_expect(long got, long want);

/* fuzz_batch.c: many messages with one system call */
void fuzz_batch_open(void);
unsigned int fuzz_batch(void);		/* returns the number of calls */

/* fuzz_change.c: memory that changes while it is sent */
void fuzz_change_open(void);
void fuzz_change_close(void);
unsigned int fuzz_change(void);		/* returns the number of calls */

/* fuzz_dump.c */
void fuzz_dump(const struct fuzz_call *call);

#endif /* FUZZ_H */
