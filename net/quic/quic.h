/* SPDX-License-Identifier: GPL-2.0-only */
/* QUIC packet protection in the UDP socket, private header. */

/**
 * DOC: locking
 *
 * A flow belongs to one socket.  The socket lock serialises whatever changes
 * the flow table or the keys of a flow.
 *
 * A sender takes no lock: it looks the flow up under RCU and leaves with a
 * reference on each of the flow's keys, which it holds while it copies and
 * encrypts, since both may sleep.  A flow that is deleted, or a key that is
 * retired meanwhile, protects the train in progress and nothing after it.
 */
#ifndef _NET_QUIC_H
#define _NET_QUIC_H

#include <crypto/aead.h>
#include <crypto/aes.h>
#include <crypto/chacha.h>
#include <linux/refcount.h>
#include <linux/rhashtable.h>
#include <linux/uio.h>
#include <net/netns/generic.h>
#include <net/snmp.h>
#include <net/sock.h>
#include <uapi/linux/quic.h>

/* Every cipher has a tag of this size. */
#define QUIC_TAG_SIZE		16

/* RFC 9000 section 17.3.1, first byte of a short header */
#define QUIC_HDR_FORM		0x80
#define QUIC_HDR_KEY_PHASE	0x04
#define QUIC_HDR_PN_LEN		0x03
/* What header protection hides of it (RFC 9001 section 5.4.1) */
#define QUIC_HDR_PROTECTED	0x1f

#define QUIC_MAX_PN_LEN		4
#define QUIC_MAX_PKT_NUM	((1ULL << 62) - 1)

/* guard.c */

/**
 * struct quic_guard - keeps a key from protecting two packets with one number
 * @next: smallest packet number that the key may still use
 * @packets: packets protected so far
 */
struct quic_guard {
	atomic64_t	next;
	atomic64_t	packets;
};

/**
 * struct quic_use - the packet numbers that a train uses of one key
 * @first: smallest number
 * @next: largest number, plus one
 * @packets: how many
 * @prev: the guard's @next before they were taken
 * @taken: the guard knows of the numbers
 * @charged: the guard has counted the packets
 */
struct quic_use {
	u64		first;
	u64		next;
	u64		prev;
	unsigned int	packets;
	bool		taken;
	bool		charged;
};

int quic_guard_take(struct quic_guard *guard, struct quic_use *use);
int quic_guard_charge(struct quic_guard *guard, struct quic_use *use, u64 limit);
void quic_guard_give_back(struct quic_guard *guard, const struct quic_use *use);

/* cipher.c */

/**
 * struct quic_cipher - one AEAD and its header protection
 * @aead: name in the crypto API, unless @chacha
 * @type: TLS_CIPHER_*
 * @key_size: bytes in the AEAD's and in the header protection key
 * @ccm: the crypto API wants the nonce in CCM's counter block format
 * @chacha: ChaCha20-Poly1305 of the crypto library, header protection by
 *	ChaCha20; else header protection by AES
 * @limit: packets that one key may protect (RFC 9001 section 6.6)
 */
struct quic_cipher {
	const char	*aead;
	u16		type;
	u8		key_size;
	bool		ccm;
	bool		chacha;
	u64		limit;
};

/* AEAD and header protection keys, prepared for use */
union quic_cipher_keys {
	struct {
		struct crypto_aead	*aead;
		struct aes_enckey	header;
	} aes;
	struct {
		u32			payload[CHACHA_KEY_WORDS];
		u32			header[CHACHA_KEY_WORDS];
	} chacha;
};

const struct quic_cipher *quic_cipher_find(u16 type);
u64 quic_cipher_limit(const struct quic_cipher *cipher);
int quic_cipher_set_keys(const struct quic_cipher *cipher,
			 union quic_cipher_keys *keys, const u8 *payload_key,
			 const u8 *header_key);
void quic_cipher_free_keys(const struct quic_cipher *cipher,
			   union quic_cipher_keys *keys);
bool quic_cipher_same_header_key(const struct quic_cipher *cipher,
				 const union quic_cipher_keys *a,
				 const union quic_cipher_keys *b);

/* chacha20_poly1305.c */

void quic_chacha20_poly1305(const u32 key[CHACHA_KEY_WORDS],
			    const u8 iv[CHACHA_IV_SIZE], u8 *packet,
			    unsigned int hdr_len, unsigned int len);

/* key.c */

/**
 * struct quic_key - one key generation of a flow
 * @cipher: what the keys are for
 * @keys: for packet and header protection
 * @guard: packet numbers used
 * @iv: XORed with the packet number to give the nonce
 * @generation: modulo 256; the low bit is the key phase
 * @reqsize: what the AEAD needs behind its request
 * @refcnt: the flow holds one reference, each sender one
 * @rcu: senders find the key under RCU
 */
struct quic_key {
	const struct quic_cipher	*cipher;
	union quic_cipher_keys		keys;
	struct quic_guard		guard;
	u8				iv[QUIC_PAYLOAD_IV_SIZE];
	u8				generation;
	u16				reqsize;
	refcount_t			refcnt;
	struct rcu_head			rcu;
};

int quic_key_init(void);
void quic_key_exit(void);
struct quic_key *quic_key_create(const struct quic_cipher *cipher,
				 const struct quic_connection_info *info);
void quic_key_put(struct quic_key *key);
void quic_key_prefetch(const struct quic_key *key);
int quic_key_protect(const struct quic_key *key, struct aead_request *req,
		     u8 *packet, unsigned int len, unsigned int dcid_len,
		     u64 pn);

/* match.c */

/**
 * struct quic_dest - where a message goes
 * @addr: IPv6 address, or IPv4 address in its IPv4-mapped form
 * @port: UDP port
 * @scope_id: interface of a link-local address, else 0
 */
struct quic_dest {
	struct in6_addr	addr;
	__be16		port;
	u32		scope_id;
};

/* How narrowly a flow matches, narrowest first */
enum quic_match {
	QUIC_MATCH_SCOPED,	/* address, port and interface */
	QUIC_MATCH_DEST,	/* address and port */
	QUIC_MATCH_ANY,
	QUIC_MATCH_NUM,
};

int quic_match_normalize(const struct sock *sk,
			 struct quic_connection_info_key *key);
enum quic_match quic_match_kind(const struct quic_connection_info_key *key);
void quic_match_set(struct quic_connection_info_key *key,
		    const struct quic_dest *dest, enum quic_match kind);
int quic_match_dest(const struct sock *sk, const struct msghdr *msg,
		    struct quic_dest *dest);

/* flow.c */

/**
 * struct quic_sock - what a socket with the ULP has, udp_sk(sk)->ulp_data
 * @flows: the socket's flows, by normalised struct quic_connection_info_key
 * @list: the same, to delete them all
 * @nr: number of flows of each kind, so that senders skip pointless lookups
 */
struct quic_sock {
	struct rhashtable	flows;
	struct list_head	list;
	unsigned int		nr[QUIC_MATCH_NUM];
};

int quic_flow_init(void);
void quic_flow_exit(void);
struct quic_sock *quic_sock_alloc(void);
void quic_sock_free(struct quic_sock *qs, struct net *net);
int quic_flow_add(struct quic_sock *qs, struct net *net,
		  const struct quic_connection_info *info);
int quic_flow_del(struct quic_sock *qs, struct net *net,
		  const struct quic_connection_info_key *key);
void quic_flow_del_all(struct quic_sock *qs, struct net *net);
int quic_flow_get_keys(struct quic_sock *qs, const struct quic_dest *dest,
		       const u8 *dcid, unsigned int dcid_len,
		       struct quic_key *keys[2]);

/* packet.c */

int quic_packet_check(const u8 *packet, unsigned int len, const u8 *dcid,
		      unsigned int dcid_len);
u64 quic_packet_number(const u8 *packet, unsigned int dcid_len, u64 expected);

static inline unsigned int quic_packet_pn_len(u8 first_byte)
{
	return (first_byte & QUIC_HDR_PN_LEN) + 1;
}

static inline unsigned int quic_packet_phase(u8 first_byte)
{
	return !!(first_byte & QUIC_HDR_KEY_PHASE);
}

/* train.c */

/**
 * struct quic_train - a message, and how it is cut into packets
 * @keys: of the flow, by phase, with references
 * @dcid: destination connection ID of each packet
 * @dcid_len: bytes in @dcid
 * @stride: bytes from packet to packet, without tags
 * @len: bytes in all packets, without tags
 * @wire_len: bytes in all packets, with tags
 * @next_pkt_num: number of the first packet
 */
struct quic_train {
	struct quic_key	*keys[2];
	u8		dcid[QUIC_MAX_CONNECTION_ID_SIZE];
	unsigned int	dcid_len;
	unsigned int	stride;
	unsigned int	len;
	unsigned int	wire_len;
	u64		next_pkt_num;
};

/**
 * struct quic_tx - a train on its way
 * @msg: what UDP is called with; its iterator is at the packet after the ones
 *	that have been protected
 * @name: its destination, which a BPF program may rewrite: the caller may
 *	come back with the original
 * @train: the train
 * @left: bytes of packets not yet protected
 * @asked: bytes of protected packets that UDP has got
 * @next: smallest number that the next packet can have
 * @spare: where a packet is protected that UDP wants in pieces
 * @spare_at: what UDP wants next of it
 * @spare_len: how much is left of it
 * @failed: UDP does not want it any more, packets are only checked
 * @err: what stopped it
 * @use: packet numbers used of each key
 * @req_size: bytes in @req and the AEAD's context behind it
 * @req: for one packet after the other
 */
struct quic_tx {
	struct msghdr		msg;
	struct sockaddr_in6	name;
	const struct quic_train	*train;
	unsigned int		left;
	unsigned int		asked;
	u64			next;
	u8			*spare;
	u8			*spare_at;
	unsigned int		spare_len;
	bool			failed;
	int			err;
	struct quic_use		use[2];
	size_t			req_size;
	struct aead_request	req;
};

struct quic_tx *quic_tx_start(const struct quic_train *train,
			      const struct msghdr *msg);
int quic_tx_getfrag(void *from, char *to, int offset, int len, int odd,
		    struct sk_buff *skb);
int quic_tx_finish(struct quic_tx *tx, int ret);

/* sendmsg.c */

int quic_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);

/* proc.c */

enum {
	QUIC_MIB_CURR_TX_SW,
	QUIC_MIB_TX_SW,
	QUIC_MIB_TX_SW_ERROR,
	QUIC_MIB_TX_SW_PACKETS,
	QUIC_MIB_NUM,
};

struct quic_mib {
	unsigned long	mibs[QUIC_MIB_NUM];
};

struct quic_net {
	DEFINE_SNMP_STAT(struct quic_mib, mib);
};

extern unsigned int quic_net_id;

static inline struct quic_net *quic_pernet(const struct net *net)
{
	return net_generic(net, quic_net_id);
}

#define QUIC_INC_STATS(net, field)	\
	SNMP_INC_STATS(quic_pernet(net)->mib, QUIC_MIB_##field)
#define QUIC_DEC_STATS(net, field)	\
	SNMP_DEC_STATS(quic_pernet(net)->mib, QUIC_MIB_##field)
#define QUIC_ADD_STATS(net, field, n)	\
	SNMP_ADD_STATS(quic_pernet(net)->mib, QUIC_MIB_##field, n)

#ifdef CONFIG_PROC_FS
int quic_proc_init(struct net *net);
void quic_proc_exit(struct net *net);
#else
static inline int quic_proc_init(struct net *net)
{
	return 0;
}

static inline void quic_proc_exit(struct net *net)
{
}
#endif

#endif /* _NET_QUIC_H */
