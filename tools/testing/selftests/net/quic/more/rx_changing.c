// SPDX-License-Identifier: GPL-2.0
/*
 * A sender changes the pages of a datagram while it is read: what is delivered
 * as authentic is what was sealed, to the last byte.
 */

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "quic_rx_path.h"
#include "quic_source.h"

#define DCID_LEN	8
#define DATAGRAM	4000
#define COUNT		4
#define ENOUGH		3000		/* datagrams of either outcome */
#define MAX_MESSAGES	500000

FIXTURE(changing) {
	struct quic_rx_path path;
	struct quic_rx_env *env;
	struct quic_oracle *oracle;
	struct quic_sealed sealed;
	struct quic_source source;
	bool *stop;
	pid_t attacker;
};

FIXTURE_VARIANT(changing) {
	bool veth;
	enum quic_source_kind kind;
	int cipher;
};

FIXTURE_VARIANT_ADD(changing, lo_memfd) {
	false, QUIC_SOURCE_MEMFD, QUIC_AES_GCM_128 };
FIXTURE_VARIANT_ADD(changing, lo_vmsplice) {
	false, QUIC_SOURCE_VMSPLICE_SHARED, QUIC_CHACHA20_POLY1305 };
FIXTURE_VARIANT_ADD(changing, veth_memfd) {
	true, QUIC_SOURCE_MEMFD, QUIC_AES_CCM_128 };
FIXTURE_VARIANT_ADD(changing, veth_vmsplice) {
	true, QUIC_SOURCE_VMSPLICE_SHARED, QUIC_AES_GCM_128 };

static void open_path(struct __test_metadata *_metadata,
		      FIXTURE_DATA(changing) *self, bool veth)
{
	int gso = DATAGRAM, fd;

	self->env = &self->path.env;
	if (veth) {
		ASSERT_EQ(0, quic_rx_path_open(&self->path, AF_INET));
		ASSERT_EQ(0, quic_rx_path_mtu(&self->path, DATAGRAM + 100));
		quic_rx_path_untap(&self->path);
	} else {
		ASSERT_EQ(0, quic_rx_env_open(self->env, AF_INET));
		close(self->env->wire);
		self->env->wire = -1;
	}
	fd = self->env->tx;
	ASSERT_EQ(0, connect(fd, (void *)&self->env->to.ss, self->env->to.len));
	ASSERT_EQ(0, setsockopt(fd, SOL_UDP, UDP_SEGMENT, &gso, sizeof(gso)));
}

FIXTURE_SETUP(changing)
{
	struct quic_packet packet = {
		.pn = 7,
		.pn_len = 2,
		.flags = QUIC_FIXED_BIT,
		.len = DATAGRAM - QUIC_TAG_SIZE,
	};
	struct quic_connection_info info;
	struct quic_keys keys;

	open_path(_metadata, self, variant->veth);
	quic_dcid_init(&packet.dcid, DCID_LEN, 0);
	quic_keys_derive(&keys, &quic_ciphers[variant->cipher], 0, 0);
	quic_flow_info(&info, &keys, &packet.dcid, NULL);
	ASSERT_EQ(0, quic_rx_flow_add(self->env->rx, &info, 0));

	self->oracle = quic_oracle_new(&keys);
	quic_sealed_build(&self->sealed, self->oracle, 0, packet, COUNT, 0);
	ASSERT_EQ(0, quic_source_open(&self->source, variant->kind)) {
		TH_LOG("%s", strerror(errno));
	}
	memcpy(self->source.mem, self->sealed.wire, self->sealed.len);
	self->stop = mmap(NULL, sizeof(*self->stop), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->stop);
}

FIXTURE_TEARDOWN(changing)
{
	quic_source_close(&self->source);
	quic_oracle_free(self->oracle);
	if (variant->veth)
		quic_rx_path_close(&self->path);
	else
		quic_rx_env_close(self->env);
}

static void linger(unsigned int n)
{
	while (n--)
		asm volatile("");
}

/* One bit is wrong about half of the time, each time another. */
static void attack(uint8_t *mem, size_t len, const bool *stop)
{
	uint32_t random = 1;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		uint8_t *byte, bit;

		random = random * 1664525 + 1013904223;
		byte = mem + (random >> 8) % len;
		bit = 1 << (random >> 29);
		__atomic_fetch_xor(byte, bit, __ATOMIC_RELAXED);
		linger(random >> 8 & 0x7ff);
		__atomic_fetch_xor(byte, bit, __ATOMIC_RELAXED);
		linger(random >> 18 & 0x7ff);
	}
}

/* At the same time as the other, where there is more than one processor */
static void use_processor(unsigned int which)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(which % sysconf(_SC_NPROCESSORS_ONLN), &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void start(struct __test_metadata *_metadata,
		  FIXTURE_DATA(changing) *self)
{
	self->attacker = fork();
	ASSERT_LE(0, self->attacker);
	use_processor(!self->attacker);
	if (self->attacker)
		return;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	attack(self->source.mem, self->sealed.len, self->stop);
	_exit(0);
}

/* What was not opened may be anything; what was is compared. */
static unsigned int expect_sealed(struct __test_metadata *_metadata,
				  const struct quic_sealed *sealed,
				  const struct quic_received *received)
{
	unsigned int i, opened = 0;

	ASSERT_EQ(sealed->len, received->ret);
	for (i = 0; i < received->count; i++) {
		if (received->entry[i].status != QUIC_RX_DECRYPTED)
			continue;
		ASSERT_EQ(0, memcmp(&received->entry[i], &sealed->entry[i],
				    sizeof(*sealed->entry)));
		ASSERT_EQ(0, memcmp(received->buf + sealed->at[i],
				    sealed->want + sealed->at[i], DATAGRAM)) {
			TH_LOG("a forged datagram after %u", opened);
		}
		opened++;
	}
	return opened;
}

TEST_F_TIMEOUT(changing, read_once, 120)
{
	static struct quic_received received;
	unsigned long opened = 0, failed = 0;
	unsigned int n, ok;
	int status;

	start(_metadata, self);
	for (n = 0; n < MAX_MESSAGES; n++) {
		if (opened >= ENOUGH && failed >= ENOUGH)
			break;
		ASSERT_EQ(self->sealed.len,
			  quic_source_send(&self->source, self->env->tx, 0,
					   self->sealed.len, false));
		quic_received_get(&received, self->env->rx,
				  sizeof(received.buf),
				  sizeof(received.control), 0);
		ok = expect_sealed(_metadata, &self->sealed, &received);
		opened += ok;
		failed += COUNT - ok;
	}
	EXPECT_LE(ENOUGH, opened);
	EXPECT_LE(ENOUGH, failed);
	TH_LOG("%u messages, %lu datagrams opened, %lu not", n, opened, failed);

	__atomic_store_n(self->stop, true, __ATOMIC_RELAXED);
	ASSERT_EQ(self->attacker, waitpid(self->attacker, &status, 0));
	EXPECT_EQ(0, status);
	/* It has left everything as it was; and so has the kernel. */
	EXPECT_TRUE(quic_source_is(&self->source, 0, self->sealed.wire,
				   self->sealed.len));
}

TEST_HARNESS_MAIN
