// SPDX-License-Identifier: GPL-2.0
/*
 * The upper layer protocol on a UDP socket: attaching, what it does not go
 * with, sockets that do not have it, and closing.
 */

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "kselftest_harness.h"
#include "quic_env.h"

#define ULP_NAME	"quic-crypto"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"

FIXTURE(ulp) {
	struct quic_env env;
	struct quic_packet packet;
	struct quic_train train;
	struct quic_connection_info info;	/* any destination */
	char max_flows[32];			/* to be restored */
};

FIXTURE_VARIANT(ulp) {
	int family;
};

FIXTURE_VARIANT_ADD(ulp, ipv4) { AF_INET };
FIXTURE_VARIANT_ADD(ulp, ipv6) { AF_INET6 };
FIXTURE_VARIANT_ADD(ulp, mapped) { QUIC_MAPPED };

static int attach(int fd)
{
	return setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, sizeof(ULP_NAME));
}

static void expect_ulp(struct __test_metadata *_metadata, int fd,
		       const char *name)
{
	char found[16] = {};
	socklen_t len = sizeof(found);

	ASSERT_EQ(0, getsockopt(fd, SOL_UDP, UDP_ULP, found, &len));
	if (!name) {
		ASSERT_EQ(0, len);
		return;
	}
	ASSERT_STREQ(name, found);
}

FIXTURE_SETUP(ulp)
{
	struct quic_keys keys;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	self->packet = (struct quic_packet) {
		.pn = 1,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT,
	};
	quic_dcid_init(&self->packet.dcid, 8, 0);
	quic_train_build(&self->train, self->packet, 1, 0);
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	quic_flow_info(&self->info, &keys, &self->packet.dcid, NULL);

	/* No test passes because there is no UDP_ULP. */
	expect_ulp(_metadata, self->env.tx, NULL);
}

FIXTURE_TEARDOWN(ulp)
{
	seteuid(0);
	if (self->max_flows[0])
		quic_env_write_file(MAX_FLOWS, self->max_flows);
	quic_env_close(&self->env);
}

/* Sends the fixture's packet; it must arrive encrypted. */
static void expect_encrypts(struct __test_metadata *_metadata,
			    FIXTURE_DATA(ulp) *self, int fd)
{
	struct quic_msg msg = quic_msg(fd, &self->env.to, &self->train);
	uint8_t expected[2000], seen[2000];
	struct quic_oracle *oracle;
	struct quic_keys keys;
	size_t len;

	ASSERT_EQ(self->train.len, quic_send(&msg)) {
		TH_LOG("%s", strerror(errno));
	}
	quic_keys_derive(&keys, &quic_ciphers[QUIC_AES_GCM_128], 1, 0);
	oracle = quic_oracle_new(&keys);
	len = quic_oracle_protect(oracle, self->packet.pn, self->packet.dcid.len,
				  self->train.buf, self->train.len, expected);
	quic_oracle_free(oracle);
	ASSERT_EQ(len, recv(self->env.rx, seen, sizeof(seen), 0));
	ASSERT_EQ(0, memcmp(expected, seen, len));
}

/* Attaching */

TEST_F(ulp, attach)
{
	int fd = self->env.tx;

	expect_ulp(_metadata, fd, NULL);
	ASSERT_EQ(0, attach(fd));
	expect_ulp(_metadata, fd, ULP_NAME);
	EXPECT_EQ(-1, attach(fd));
	EXPECT_EQ(EEXIST, errno);
	expect_ulp(_metadata, fd, ULP_NAME);
	ASSERT_EQ(0, quic_flow_add(fd, &self->info));
	expect_encrypts(_metadata, self, fd);
}

TEST_F(ulp, name_without_terminating_zero)
{
	int fd = self->env.tx;

	EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME,
				 strlen(ULP_NAME) - 1));
	EXPECT_EQ(ENOENT, errno);
	expect_ulp(_metadata, fd, NULL);
	EXPECT_EQ(0, setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME,
				strlen(ULP_NAME)));
	expect_ulp(_metadata, fd, ULP_NAME);
}

TEST_F(ulp, unknown_name)
{
	static const char * const names[] = {
		"none", "q", "tls", "quic-crypto2", "a-name-longer-than-any-ulp-has",
	};
	int fd = self->env.tx;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_ULP, names[i],
					 strlen(names[i]) + 1));
		EXPECT_EQ(ENOENT, errno);
	}
	EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, 0));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_ULP, (void *)16, 12));
	EXPECT_EQ(EFAULT, errno);
	expect_ulp(_metadata, fd, NULL);
}

TEST_F(ulp, get_into_less_room)
{
	char found[16] = "................";
	socklen_t len = 4;

	ASSERT_EQ(0, attach(self->env.tx));
	ASSERT_EQ(0, getsockopt(self->env.tx, SOL_UDP, UDP_ULP, found, &len));
	EXPECT_EQ(4, len);
	EXPECT_EQ(0, memcmp(found, "quic............", sizeof(found)));
}

TEST_F(ulp, attached_by_add)
{
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	expect_ulp(_metadata, self->env.tx, ULP_NAME);
	expect_encrypts(_metadata, self, self->env.tx);
}

TEST_F(ulp, not_attached_by_refused_add)
{
	struct quic_connection_info info = self->info;

	info.key.__reserved1 = 1;
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &info));
	EXPECT_EQ(EINVAL, errno);
	expect_ulp(_metadata, self->env.tx, NULL);

	info = self->info;
	info.cipher_type = 0;
	EXPECT_EQ(-1, quic_flow_add(self->env.tx, &info));
	EXPECT_EQ(EOPNOTSUPP, errno);
	expect_ulp(_metadata, self->env.tx, NULL);

	EXPECT_EQ(-1, setsockopt(self->env.tx, SOL_UDP,
				 UDP_QUIC_ADD_TX_CONNECTION, &info,
				 sizeof(info) - 1));
	EXPECT_EQ(EINVAL, errno);
	expect_ulp(_metadata, self->env.tx, NULL);
}

/* UDP itself knows ADD only. */
TEST_F(ulp, not_attached_by_del)
{
	EXPECT_EQ(-1, quic_flow_del(self->env.tx, &self->info));
	EXPECT_EQ(ENOPROTOOPT, errno);
	expect_ulp(_metadata, self->env.tx, NULL);
}

/* Sockets without the ULP */

static void expect_not_sent(struct __test_metadata *_metadata,
			    const FIXTURE_DATA(ulp) *self,
			    const struct quic_msg *msg)
{
	struct quic_wire wire;

	EXPECT_EQ(-1, quic_send(msg));
	EXPECT_EQ(EINVAL, errno);
	wire = quic_env_wire(&self->env);
	EXPECT_EQ(0, wire.frames);
}

static void expect_plain(struct __test_metadata *_metadata, int rx,
			 const char *text)
{
	char seen[1000];

	ASSERT_EQ(strlen(text), recv(rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, memcmp(seen, text, strlen(text)));
	EXPECT_EQ(-1, recv(rx, seen, sizeof(seen), MSG_DONTWAIT));
	EXPECT_EQ(EAGAIN, errno);
}

TEST_F(ulp, plain_socket_refuses_to_encrypt)
{
	struct quic_msg msg = quic_msg(self->env.tx, &self->env.to, &self->train);

	quic_env_wire(&self->env);
	expect_not_sent(_metadata, self, &msg);
	msg.flags = MSG_MORE;
	expect_not_sent(_metadata, self, &msg);
	msg.flags = 0;

	/* Bypassing is for sockets that have it, too. */
	msg.anc.flags = QUIC_BYPASS_ENCRYPTION;
	expect_not_sent(_metadata, self, &msg);
	msg.anc.flags = 0;

	/* While the socket is connected, with nothing but the cmsg to refuse. */
	ASSERT_EQ(0, connect(self->env.tx, (void *)&self->env.to.ss,
			     self->env.to.len));
	msg.to = NULL;
	expect_not_sent(_metadata, self, &msg);
}

/* Appending to pending data must not pass the control message by. */
TEST_F(ulp, plain_socket_with_pending_data)
{
	struct quic_msg msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	const struct quic_addr *to = &self->env.to;
	int fd = self->env.tx;

	quic_env_wire(&self->env);
	ASSERT_EQ(5, sendto(fd, "first", 5, MSG_MORE, (void *)&to->ss, to->len));
	expect_not_sent(_metadata, self, &msg);
	msg.flags = MSG_MORE;
	expect_not_sent(_metadata, self, &msg);
	msg.to = NULL;
	expect_not_sent(_metadata, self, &msg);
	msg.cut = 8;
	expect_not_sent(_metadata, self, &msg);
	ASSERT_EQ(7, sendto(fd, ",second", 7, 0, (void *)&to->ss, to->len));
	expect_plain(_metadata, self->env.rx, "first,second");
	EXPECT_EQ(false, quic_env_wire(&self->env).marker);
}

/* It is looked for, and no further than the list can be followed. */
TEST_F(ulp, plain_socket_with_pending_data_and_malformed_cmsg)
{
	struct quic_msg msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	const struct quic_addr *to = &self->env.to;
	int fd = self->env.tx, zero = 0;
	struct quic_msghdr hdr;
	struct cmsghdr *cmsg;

	ASSERT_EQ(5, sendto(fd, "first", 5, MSG_MORE, (void *)&to->ss, to->len));
	msg.encrypts = 0;
	msg.gso = -1;
	msg.buf = ",second";
	msg.len = 7;
	quic_msghdr_init(&hdr, &msg);
	cmsg = quic_cmsg_put(&hdr.mh, SOL_SOCKET, 0, &zero, sizeof(zero));
	quic_cmsg_put(&hdr.mh, SOL_UDP, UDP_QUIC_ENCRYPT, &msg.anc,
		      sizeof(msg.anc));
	EXPECT_EQ(-1, sendmsg(fd, &hdr.mh, 0));
	EXPECT_EQ(EINVAL, errno);

	cmsg->cmsg_len = sizeof(*cmsg) - 1;
	EXPECT_EQ(7, sendmsg(fd, &hdr.mh, 0));
	expect_plain(_metadata, self->env.rx, "first,second");
	EXPECT_EQ(-1, sendmsg(fd, &hdr.mh, 0));
	EXPECT_EQ(EINVAL, errno);
}

TEST_F(ulp, plain_socket_with_cork)
{
	struct quic_msg msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	const struct quic_addr *to = &self->env.to;
	int fd = self->env.tx, on = 1, off = 0;

	quic_env_wire(&self->env);
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_CORK, &on, sizeof(on)));
	expect_not_sent(_metadata, self, &msg);
	ASSERT_EQ(7, sendto(fd, "pending", 7, 0, (void *)&to->ss, to->len));
	expect_not_sent(_metadata, self, &msg);
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_CORK, &off, sizeof(off)));
	expect_plain(_metadata, self->env.rx, "pending");
	EXPECT_EQ(false, quic_env_wire(&self->env).marker);
}

/* Data that was pending when the ULP came is sent as it is. */
TEST_F(ulp, attach_with_pending_data)
{
	struct quic_msg msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	const struct quic_addr *to = &self->env.to;
	int fd = self->env.tx;

	ASSERT_EQ(5, sendto(fd, "first", 5, MSG_MORE, (void *)&to->ss, to->len));
	ASSERT_EQ(0, quic_flow_add(fd, &self->info));
	EXPECT_EQ(-1, quic_send(&msg));
	EXPECT_EQ(EOPNOTSUPP, errno);
	ASSERT_EQ(7, sendto(fd, ",second", 7, 0, (void *)&to->ss, to->len));
	expect_plain(_metadata, self->env.rx, "first,second");
	expect_encrypts(_metadata, self, fd);
	EXPECT_EQ(false, quic_env_wire(&self->env).marker);
}

/* What it does not go with */

TEST_F(ulp, encapsulation)
{
	int type = UDP_ENCAP_L2TPINUDP, fd = self->env.tx;
	int other = quic_env_socket(&self->env);

	ASSERT_LE(0, other);
	ASSERT_EQ(0, setsockopt(other, SOL_UDP, UDP_ENCAP, &type, sizeof(type)));
	EXPECT_EQ(-1, attach(other));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, quic_flow_add(other, &self->info));
	EXPECT_EQ(EBUSY, errno);
	expect_ulp(_metadata, other, NULL);
	close(other);

	ASSERT_EQ(0, attach(fd));
	EXPECT_EQ(-1, setsockopt(fd, SOL_UDP, UDP_ENCAP, &type, sizeof(type)));
	EXPECT_EQ(EBUSY, errno);
}

/* UDP_GRO is no encapsulation. */
TEST_F(ulp, gro)
{
	int one = 1;

	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_GRO, &one, sizeof(one)));
	ASSERT_EQ(0, attach(self->env.tx));
	ASSERT_EQ(0, setsockopt(self->env.tx, SOL_UDP, UDP_GRO, &one, sizeof(one)));
}

static int sockmap_create(enum bpf_map_type type)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = sizeof(int),
		.value_size = sizeof(int),
		.max_entries = 1,
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int sockmap_put(int map, int fd)
{
	union bpf_attr attr = { .map_fd = map };
	int key = 0;

	attr.key = (uintptr_t)&key;
	attr.value = (uintptr_t)&fd;
	return syscall(SYS_bpf, BPF_MAP_UPDATE_ELEM, &attr, sizeof(attr));
}

TEST_F(ulp, sockmap)
{
	int map = sockmap_create(BPF_MAP_TYPE_SOCKMAP);
	int fd = self->env.tx, other;
	struct quic_addr addr;

	if (map < 0 && (errno == ENOSYS || errno == EINVAL))
		SKIP(return, "kernel without sockmap");
	ASSERT_LE(0, map);
	other = quic_env_receiver(&self->env, &addr);
	ASSERT_LE(0, other);
	ASSERT_EQ(0, sockmap_put(map, other)) {
		TH_LOG("%s", strerror(errno));
	}
	EXPECT_EQ(-1, attach(other));
	EXPECT_EQ(EBUSY, errno);
	EXPECT_EQ(-1, quic_flow_add(other, &self->info));
	EXPECT_EQ(EBUSY, errno);

	/* A socket must be bound, or connected, to go into a map at all. */
	ASSERT_EQ(0, connect(fd, (void *)&self->env.to.ss, self->env.to.len));
	ASSERT_EQ(0, quic_flow_add(fd, &self->info));
	EXPECT_EQ(-1, sockmap_put(map, fd));
	EXPECT_EQ(EBUSY, errno);
	expect_encrypts(_metadata, self, fd);
	close(other);
	close(map);
}

/* The map of a reuseport group steers incoming packets: servers need both. */
TEST_F(ulp, reuseport_array)
{
	int map = sockmap_create(BPF_MAP_TYPE_REUSEPORT_SOCKARRAY);
	struct sockaddr_storage any = { .ss_family = self->env.to.ss.ss_family };
	int i, one = 1;

	ASSERT_LE(0, map);
	for (i = 0; i < 2; i++) {
		int fd = quic_env_socket(&self->env);

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one,
					sizeof(one)));
		ASSERT_EQ(0, bind(fd, (void *)&any, self->env.to.len));
		if (i)
			ASSERT_EQ(0, attach(fd));
		EXPECT_EQ(0, sockmap_put(map, fd));
		ASSERT_EQ(0, quic_flow_add(fd, &self->info));
		expect_encrypts(_metadata, self, fd);
		close(fd);
	}
	close(map);
}

/* An IPv6 socket with an IPv4 peer may become an IPv4 socket, but for this. */
TEST(ipv6_addrform)
{
	int family = AF_INET, plain;
	struct quic_env env;

	ASSERT_EQ(0, quic_env_open(&env, QUIC_MAPPED));
	plain = quic_env_socket(&env);
	ASSERT_LE(0, plain);
	ASSERT_EQ(0, connect(plain, (void *)&env.to.ss, env.to.len));
	ASSERT_EQ(0, setsockopt(plain, SOL_IPV6, IPV6_ADDRFORM, &family,
				sizeof(family)));
	close(plain);

	ASSERT_EQ(0, connect(env.tx, (void *)&env.to.ss, env.to.len));
	ASSERT_EQ(0, attach(env.tx));
	EXPECT_EQ(-1, setsockopt(env.tx, SOL_IPV6, IPV6_ADDRFORM, &family,
				 sizeof(family)));
	EXPECT_EQ(EBUSY, errno);
	expect_ulp(_metadata, env.tx, ULP_NAME);
	quic_env_close(&env);
}

/* Only UDP has the options. */
TEST_F(ulp, other_protocols)
{
	int family = variant->family == AF_INET ? AF_INET : AF_INET6;
	int fd = socket(family, SOCK_STREAM, 0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, attach(fd));
	EXPECT_EQ(ENOPROTOOPT, errno);
	close(fd);
}

/* Closing */

TEST_F(ulp, close_frees_the_flows)
{
	struct quic_dcid dcid = self->packet.dcid;
	int fd = quic_env_socket(&self->env), i;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, attach(self->env.tx));
	for (i = 0; i < 100; i++) {
		self->info.key.conn_id[19] = i;
		ASSERT_EQ(0, quic_flow_add(fd, &self->info));
	}
	EXPECT_EQ(100, quic_stat("QuicCurrTxSw"));
	memcpy(self->info.key.conn_id + 12, dcid.id, dcid.len);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	close(fd);
	EXPECT_EQ(1, quic_flows_become(1));
	EXPECT_EQ(101, quic_stat("QuicTxSw"));
	expect_encrypts(_metadata, self, self->env.tx);
	close(self->env.tx);
	EXPECT_EQ(0, quic_flows_become(0));
}

/* Flows belong to the socket, not to the process that added them. */
TEST_F(ulp, survives_the_process_that_opened_it)
{
	int fd = quic_env_socket(&self->env), pipefd[2], status;
	pid_t child;
	char byte;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, quic_flow_add(fd, &self->info));
	ASSERT_EQ(0, pipe(pipefd));
	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		close(pipefd[1]);
		if (read(pipefd[0], &byte, 1) != 1)
			_exit(1);
		expect_encrypts(_metadata, self, fd);
		_exit(_metadata->exit_code);
	}
	close(fd);
	EXPECT_EQ(1, quic_stat("QuicCurrTxSw"));
	ASSERT_EQ(1, write(pipefd[1], "", 1));
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(0, quic_flows_become(0));
}

/* What is under way when the socket is closed still arrives. */
TEST_F(ulp, close_after_send)
{
	struct quic_msg msg;
	uint8_t seen[2000];
	int i;

	quic_train_build(&self->train, self->packet, 44, 0);
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info));
	msg = quic_msg(self->env.tx, &self->env.to, &self->train);
	ASSERT_EQ(self->train.len, quic_send(&msg));
	close(self->env.tx);
	for (i = 0; i < 44; i++)
		ASSERT_EQ(self->packet.len + QUIC_TAG_SIZE,
			  recv(self->env.rx, seen, sizeof(seen), 0));
	EXPECT_EQ(0, quic_flows_become(0));
}

/* The limit of flows */

static unsigned int add_until_refused(FIXTURE_DATA(ulp) *self, int fd)
{
	unsigned int n;

	for (n = 0; n < 100; n++) {
		self->info.key.conn_id[19]++;
		if (quic_flow_add(fd, &self->info))
			break;
	}
	return n;
}

TEST_F(ulp, flow_limit)
{
	int fd = quic_env_socket(&self->env), i;
	unsigned int n;
	FILE *f;

	/* Flows are charged to the user: nobody else is this one. */
	f = fopen(MAX_FLOWS, "r");
	ASSERT_NE(NULL, f);
	ASSERT_NE(NULL, fgets(self->max_flows, sizeof(self->max_flows), f));
	fclose(f);
	ASSERT_EQ(0, attach(self->env.tx));
	ASSERT_EQ(0, attach(fd));
	ASSERT_EQ(0, quic_env_write_file(MAX_FLOWS, "8"));
	ASSERT_EQ(0, seteuid(54321));

	EXPECT_EQ(8, add_until_refused(self, fd));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(8, quic_stat("QuicCurrTxSw"));
	EXPECT_EQ(0, add_until_refused(self, self->env.tx));
	EXPECT_EQ(ENOBUFS, errno);

	/* A flow that is deleted makes room at once. */
	self->info.key.conn_id[19] -= 2;
	ASSERT_EQ(0, quic_flow_del(fd, &self->info));
	EXPECT_EQ(1, add_until_refused(self, self->env.tx));
	EXPECT_EQ(ENOBUFS, errno);

	/* So does a socket that is closed. */
	close(fd);
	for (i = 0, n = 0; i < 1000 && n < 7; i++) {
		n += add_until_refused(self, self->env.tx);
		usleep(10000);
	}
	EXPECT_EQ(7, n);
	EXPECT_EQ(8, quic_stat("QuicCurrTxSw"));
}

TEST_HARNESS_MAIN
