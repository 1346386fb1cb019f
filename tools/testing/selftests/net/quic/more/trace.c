// SPDX-License-Identifier: GPL-2.0
/*
 * Tracepoints: what they print of a flow that comes, is used and goes, and that
 * they print no key.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_expect.h"
#include "quic_rx_expect.h"

#define TRACEFS		"/sys/kernel/tracing"
#define DCID_LEN	8
#define GENERATION	7

FIXTURE(trace) {
	struct quic_env env;
	struct quic_rx_env rx;
	char dir[64];			/* our own instance */
	char peer[64];			/* that packets are sent to */
	char from[64];			/* that they are received from */
	char dcid[2 * DCID_LEN + 1];
	struct quic_packet packet;
	struct quic_keys keys[2];
	struct quic_connection_info info[2];
};

FIXTURE_VARIANT(trace) {
	int family;
	const char *host;
};

FIXTURE_VARIANT_ADD(trace, ipv4) { AF_INET, "127.0.0.1" };
FIXTURE_VARIANT_ADD(trace, ipv6) { AF_INET6, "[::1]" };
FIXTURE_VARIANT_ADD(trace, mapped) { QUIC_MAPPED, "127.0.0.1" };

static unsigned int port_of(const struct quic_addr *addr)
{
	return ntohs(((const struct sockaddr_in *)&addr->ss)->sin_port);
}

static int control(const FIXTURE_DATA(trace) *self, const char *file,
		   const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", self->dir, file);
	return quic_env_write_file(path, value);
}

FIXTURE_SETUP(trace)
{
	char pid[16];
	int i;

	ASSERT_EQ(0, quic_env_open(&self->env, variant->family));
	ASSERT_EQ(0, quic_rx_env_open(&self->rx, variant->family));
	/* The events come with the module. */
	ASSERT_EQ(0, setsockopt(self->env.rx, SOL_UDP, UDP_ULP, "quic-crypto",
				strlen("quic-crypto")));
	if (access(TRACEFS "/events/udp_quic", F_OK))
		mount("tracefs", TRACEFS, "tracefs", 0, NULL);
	ASSERT_EQ(0, access(TRACEFS "/events/udp_quic", F_OK)) {
		TH_LOG("no events udp_quic: CONFIG_FTRACE, CONFIG_ENABLE_DEFAULT_TRACERS");
	}
	snprintf(pid, sizeof(pid), "%d", getpid());
	snprintf(self->dir, sizeof(self->dir), TRACEFS "/instances/quic-%s", pid);
	ASSERT_EQ(0, mkdir(self->dir, 0700));
	ASSERT_EQ(0, control(self, "set_event_pid", pid));
	ASSERT_EQ(0, control(self, "events/udp_quic/enable", "1"));

	self->packet = (struct quic_packet) {
		.pn = 1000,
		.pn_len = 2,
		.len = 300,
		.flags = QUIC_FIXED_BIT | QUIC_KEY_PHASE,
	};
	quic_dcid_init(&self->packet.dcid, DCID_LEN, 0);
	for (i = 0; i < DCID_LEN; i++)
		sprintf(self->dcid + 2 * i, "%02x", self->packet.dcid.id[i]);
	for (i = 0; i < 2; i++) {
		quic_keys_derive(&self->keys[i],
				 &quic_ciphers[QUIC_AES_GCM_128], 1,
				 GENERATION + i);
		quic_flow_info(&self->info[i], &self->keys[i],
			       &self->packet.dcid, NULL);
	}
	snprintf(self->peer, sizeof(self->peer), "%s:%u", variant->host,
		 port_of(&self->env.to));
	snprintf(self->from, sizeof(self->from), "%s:%u", variant->host,
		 port_of(&self->rx.from));
}

FIXTURE_TEARDOWN(trace)
{
	rmdir(self->dir);
	quic_rx_env_close(&self->rx);
	quic_env_close(&self->env);
}

/* The events since the last call, with a line for each */
static const char *traced(const FIXTURE_DATA(trace) *self)
{
	static char text[1 << 16];
	char line[512], path[128], *event;
	size_t len = 0;
	FILE *file;

	text[0] = 0;
	snprintf(path, sizeof(path), "%s/trace", self->dir);
	file = fopen(path, "r");
	if (!file)
		return strerror(errno);
	while (fgets(line, sizeof(line), file)) {
		event = strstr(line, "udp_quic_");
		if (line[0] != '#' && event)
			len += snprintf(text + len, sizeof(text) - len, "%s",
					event);
	}
	fclose(file);
	/* Opened in this way it is emptied. */
	file = fopen(path, "w");
	if (!file)
		return strerror(errno);
	fclose(file);
	return text;
}

#define EXPECT_TRACED(...)						\
	do {								\
		char want[1024];					\
									\
		snprintf(want, sizeof(want), __VA_ARGS__);		\
		EXPECT_STREQ(want, traced(self));			\
	} while (0)

/* A flow for any peer, and one for a peer alone */
TEST_F(trace, flows)
{
	struct quic_connection_info *info = self->info;
	int fd = self->env.tx;
	unsigned int i;

	ASSERT_EQ(0, quic_flow_add(fd, &info[0]));
	EXPECT_TRACED("udp_quic_flow_add: dir=tx peer=any dcid=%s gen=7\n",
		      self->dcid);
	ASSERT_EQ(0, quic_flow_add(fd, &info[1]));
	EXPECT_TRACED("udp_quic_flow_update: dir=tx peer=any dcid=%s gen=8\n",
		      self->dcid);
	ASSERT_EQ(-1, quic_flow_add(fd, &info[1]));
	EXPECT_TRACED("%s", "");
	ASSERT_EQ(0, quic_flow_del(fd, &info[0]));
	EXPECT_TRACED("udp_quic_flow_del: dir=tx peer=any dcid=%s gen=8\n",
		      self->dcid);

	for (i = 0; i < 2; i++)
		quic_flow_info(&info[i], &self->keys[i], &self->packet.dcid,
			       &self->env.to);
	ASSERT_EQ(0, quic_rx_flow_add(fd, &info[0], 0));
	EXPECT_TRACED("udp_quic_flow_add: dir=rx peer=%s dcid=%s gen=7\n",
		      self->peer, self->dcid);
	ASSERT_EQ(0, quic_rx_flow_add(fd, &info[1], 0));
	EXPECT_TRACED("udp_quic_flow_update: dir=rx peer=%s dcid=%s gen=8\n",
		      self->peer, self->dcid);
	/* The same once more changes nothing. */
	ASSERT_EQ(0, quic_rx_flow_add(fd, &info[1], 0));
	EXPECT_TRACED("%s", "");
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_QUIC_DEL_RX_CONNECTION, NULL,
				0));
	EXPECT_TRACED("udp_quic_flow_del: dir=rx peer=%s dcid=%s gen=8\n",
		      self->peer, self->dcid);
}

/* Connection IDs of every length, and a peer with an interface */
TEST_F(trace, names)
{
	struct quic_connection_info info;
	char hex[2 * QUIC_MAX_CONNECTION_ID_SIZE + 1];
	struct sockaddr_in6 sin6 = {
		.sin6_family = AF_INET6,
		.sin6_port = htons(443),
		.sin6_addr.s6_addr = { 0xfe, 0x80, [15] = 9 },
		.sin6_scope_id = 1,
	};
	struct quic_addr to = { .len = sizeof(sin6) };
	struct quic_dcid dcid;
	uint8_t len, i;

	for (len = 0; len <= QUIC_MAX_CONNECTION_ID_SIZE; len++) {
		quic_dcid_init(&dcid, len, 3);
		hex[0] = 0;
		for (i = 0; i < len; i++)
			sprintf(hex + 2 * i, "%02x", dcid.id[i]);
		quic_flow_info(&info, &self->keys[0], &dcid, NULL);
		ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
		EXPECT_TRACED("udp_quic_flow_add: dir=tx peer=any dcid=%s gen=7\n",
			      hex);
	}
	if (variant->family == AF_INET)
		return;
	memcpy(&to.ss, &sin6, sizeof(sin6));
	quic_flow_info(&info, &self->keys[0], &self->packet.dcid, &to);
	info.key.scope_id = 1;
	ASSERT_EQ(0, quic_flow_add(self->env.tx, &info));
	EXPECT_TRACED("udp_quic_flow_add: dir=tx peer=[fe80::9]:443%%1 dcid=%s gen=7\n",
		      self->dcid);
}

TEST_F(trace, sending)
{
	static struct quic_train train;
	struct quic_msg msg;
	int fd = self->env.tx;

	ASSERT_EQ(0, quic_flow_add(fd, &self->info[0]));
	traced(self);
	quic_train_build(&train, self->packet, 3, 50);
	msg = quic_msg(fd, &self->env.to, &train);
	ASSERT_EQ(train.len, quic_send(&msg));
	EXPECT_TRACED("udp_quic_train_sent: dir=tx peer=%s dcid=%s gen=7 packets=3 bytes=%zu first=1000\n",
		      self->peer, self->dcid, train.len + 3 * QUIC_TAG_SIZE);
	ASSERT_EQ(-1, quic_send(&msg));
	EXPECT_TRACED("udp_quic_send_refused: dir=tx peer=%s dcid=%s cause=pkt_num err=-%d\n",
		      self->peer, self->dcid, ERANGE);

	/* A train with packets of both generations */
	ASSERT_EQ(0, quic_flow_add(fd, &self->info[1]));
	traced(self);
	train = (struct quic_train) {};
	self->packet.pn = 2000;
	quic_train_add(&train, &self->packet);
	self->packet.pn = 2001;
	self->packet.flags ^= QUIC_KEY_PHASE;
	quic_train_add(&train, &self->packet);
	msg = quic_msg(fd, &self->env.to, &train);
	ASSERT_EQ(train.len, quic_send(&msg));
	EXPECT_TRACED("udp_quic_train_sent: dir=tx peer=%s dcid=%s gen=8 packets=2 bytes=%zu first=2000\n",
		      self->peer, self->dcid, train.len + 2 * QUIC_TAG_SIZE);

	/* Other causes; a message that says nothing of where it goes */
	msg.anc_len = 8;
	ASSERT_EQ(-1, quic_send(&msg));
	EXPECT_TRACED("udp_quic_send_refused: dir=tx peer=any dcid= cause=malformed err=-%d\n",
		      EINVAL);
	ASSERT_EQ(0, quic_flow_del(fd, &self->info[0]));
	traced(self);
	msg = quic_msg(fd, &self->env.to, &train);
	ASSERT_EQ(-1, quic_send(&msg));
	EXPECT_TRACED("udp_quic_send_refused: dir=tx peer=%s dcid=%s cause=no_flow err=-%d\n",
		      self->peer, self->dcid, ENOENT);
}

TEST_F(trace, receiving)
{
	struct quic_oracle *oracle = quic_oracle_new(&self->keys[0]);
	struct quic_oracle *next = quic_oracle_new(&self->keys[1]);
	static struct quic_sealed sealed;
	static struct quic_received received;
	char other[2 * DCID_LEN + 1];
	uint8_t foreign[60];
	int i;

	ASSERT_EQ(0, quic_rx_flow_add(self->rx.rx, &self->info[0], 0));
	traced(self);
	quic_sealed_build(&sealed, oracle, GENERATION, self->packet, 3, 0);
	quic_sealed_flip(&sealed, 1, 100);
	ASSERT_EQ(sealed.len, quic_sealed_send(self->rx.tx, &self->rx.to,
					       &sealed));
	/* What is only looked at is not told. */
	quic_received_get(&received, self->rx.rx, sizeof(received.buf),
			  sizeof(received.control), MSG_PEEK);
	EXPECT_TRACED("%s", "");
	quic_expect_received(_metadata, &self->rx, &sealed);
	EXPECT_TRACED("udp_quic_not_opened: dir=rx peer=%s dcid=%s status=bad_tag\n",
		      self->from, self->dcid);

	self->packet.flags ^= QUIC_KEY_PHASE;
	self->packet.pn += 10;
	quic_sealed_build(&sealed, next, GENERATION + 1, self->packet, 1, 0);
	quic_sealed_expect(&sealed, 0, QUIC_RX_NO_KEY);
	quic_expect_opened(_metadata, &self->rx, &sealed);
	EXPECT_TRACED("udp_quic_not_opened: dir=rx peer=%s dcid=%s status=no_key\n",
		      self->from, self->dcid);

	memset(foreign, 0x41, sizeof(foreign));
	quic_sealed_start(&sealed);
	quic_sealed_raw(&sealed, foreign, sizeof(foreign), true);
	for (i = 0; i < DCID_LEN; i++)
		sprintf(other + 2 * i, "41");
	quic_expect_opened(_metadata, &self->rx, &sealed);
	EXPECT_TRACED("udp_quic_not_opened: dir=rx peer=%s dcid=%s status=no_flow\n",
		      self->from, other);
	/* Long headers are not for the kernel. */
	foreign[0] |= QUIC_LONG_HEADER;
	quic_sealed_start(&sealed);
	quic_sealed_raw(&sealed, foreign, sizeof(foreign), false);
	quic_expect_opened(_metadata, &self->rx, &sealed);
	EXPECT_TRACED("%s", "");
	quic_oracle_free(oracle);
	quic_oracle_free(next);
}

/* The buffers as they are, bytes that no format shows included */
TEST_F(trace, no_keys)
{
	const struct quic_keys *keys = self->keys;
	static char raw[1 << 20];
	static struct quic_train train;
	struct quic_msg msg;
	char path[128];
	ssize_t len = 0, got;
	int fd, i;

	ASSERT_EQ(0, quic_flow_add(self->env.tx, &self->info[0]));
	quic_train_build(&train, self->packet, 3, 50);
	msg = quic_msg(self->env.tx, &self->env.to, &train);
	ASSERT_EQ(train.len, quic_send(&msg));
	ASSERT_EQ(0, quic_flow_del(self->env.tx, &self->info[0]));

	for (i = 0; i < sysconf(_SC_NPROCESSORS_CONF); i++) {
		snprintf(path, sizeof(path), "%s/per_cpu/cpu%d/trace_pipe_raw",
			 self->dir, i);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		ASSERT_LE(0, fd);
		while ((got = read(fd, raw + len, sizeof(raw) - len)) > 0)
			len += got;
		close(fd);
	}
	/* They have been there. */
	ASSERT_NE(NULL, memmem(raw, len, self->packet.dcid.id, DCID_LEN));
	EXPECT_EQ(NULL, memmem(raw, len, keys->key, keys->cipher->key_len));
	EXPECT_EQ(NULL, memmem(raw, len, keys->hp, keys->cipher->key_len));
	EXPECT_EQ(NULL, memmem(raw, len, keys->iv, QUIC_IV_SIZE));
	EXPECT_EQ(NULL, memmem(raw, len, QUIC_MARKER, QUIC_MARKER_SIZE));
}

TEST_HARNESS_MAIN
