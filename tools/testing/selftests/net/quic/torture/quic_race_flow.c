// SPDX-License-Identifier: GPL-2.0
/* Races: what is there before and after, and the flows that parties send on. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/inet_diag.h>

#include "quic_diag.h"
#include "quic_race.h"

#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define MODULE_USERS	"/sys/module/quic/refcnt"
#define FEW		8		/* flows */
#define ENOUGH		200000		/* for every race */
#define PACKETS_MAX	8
#define ULP_NAME	"quic-crypto"

static int read_number(const char *path)
{
	FILE *f = fopen(path, "r");
	int number = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%d", &number) != 1)
		number = -1;
	fclose(f);
	return number;
}

int quic_race_limit(unsigned int max_flows)
{
	char value[16];

	snprintf(value, sizeof(value), "%u", max_flows);
	return quic_env_write_file(MAX_FLOWS, value);
}

/* How many of FEW flows can be had? */
static int flows_free(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct quic_race_flow flow;
	unsigned int n;

	if (fd < 0 || quic_race_limit(FEW))
		return -1;
	for (n = 0; n <= FEW; n++) {
		quic_race_flow_init(&flow, n);
		if (quic_race_flow_add(fd, &flow, 0))
			break;
	}
	close(fd);
	return n;
}

int quic_race_open(struct quic_race *race, int family, unsigned int num_flows)
{
	unsigned int i;

	race->audit = NULL;
	race->capture = NULL;
	race->brief = false;
	if (quic_env_open(&race->env, family))
		return -1;
	race->audit = quic_audit_new();
	race->capture = quic_capture_open(race->audit);
	race->flows = quic_race_alloc(num_flows * sizeof(*race->flows));
	race->num_flows = num_flows;
	for (i = 0; i < num_flows; i++)
		quic_race_flow_init(&race->flows[i], i);
	race->max_flows = read_number(MAX_FLOWS);
	race->flows_free = flows_free();
	race->module_users = read_number(MODULE_USERS);
	return race->capture && race->flows_free > 0 ? quic_race_limit(ENOUGH) :
						       -1;
}

/* What was closed last may still be on its way, on a slow machine for long. */
static bool comes_back(const char *what, int (*now)(void), int before)
{
	int i, value;

	for (i = 0; i < 3000; i++) {
		value = now();
		if (value == before)
			return true;
		usleep(10000);
	}
	printf("# race: %s: %d, was %d\n", what, value, before);
	return false;
}

static int flows_now(void)
{
	return quic_stat("QuicCurrTxSw") + quic_stat("QuicCurrRxSw");
}

static int module_users_now(void)
{
	return read_number(MODULE_USERS);
}

bool quic_race_close(struct quic_race *race)
{
	bool good;

	quic_capture_close(race->capture);
	quic_audit_free(race->audit);
	quic_env_close(&race->env);
	close(QUIC_RACE_SLOT);
	good = comes_back("flows of the namespace", flows_now, 0);
	good = comes_back("flows left", flows_free, race->flows_free) && good;
	good = !quic_race_limit(race->max_flows) && good;
	return comes_back("module users", module_users_now,
			  race->module_users) && good;
}

/* Flows */

void quic_race_flow_init(struct quic_race_flow *flow, unsigned int which)
{
	memset(flow, 0, sizeof(*flow));
	flow->dcid.len = QUIC_AUDIT_DCID_LEN;
	/* The first byte chooses the cipher. */
	flow->dcid.id[0] = which;
	memcpy(flow->dcid.id + 1, &which, sizeof(which));
	flow->next = 1;
}

static struct quic_connection_info flow_info(const struct quic_race_flow *flow,
					     uint8_t generation)
{
	struct quic_connection_info info;
	struct quic_keys keys;

	quic_audit_keys(&keys, flow->dcid.id, generation);
	quic_flow_info(&info, &keys, &flow->dcid, NULL);
	return info;
}

int quic_race_flow_add(int fd, const struct quic_race_flow *flow,
		       uint8_t generation)
{
	struct quic_connection_info info = flow_info(flow, generation);

	return quic_flow_add(fd, &info) ? errno : 0;
}

int quic_race_flow_del(int fd, const struct quic_race_flow *flow)
{
	struct quic_connection_info info = flow_info(flow, 0);

	return quic_flow_del(fd, &info) ? errno : 0;
}

int quic_race_flow_look(int fd, const struct quic_race_flow *flow,
			uint8_t direction)
{
	struct quic_connection_info info = flow_info(flow, 0);
	struct quic_flow_info told = { info.key, direction };

	return quic_flow_ask(fd, &told) ? errno : 0;
}

int quic_race_diag(struct quic_race *race, unsigned int *seed)
{
	unsigned int ext = QUIC_DIAG_EXT(INFO) | rand_r(seed) % 256;
	int nl = quic_diag_open(), err;
	struct quic_diag answer;

	err = quic_diag_ask(nl, race->env.family == AF_INET ? AF_INET : AF_INET6,
			    &race->env.to, false, ext, &answer);
	close(nl);
	return err;
}

int quic_race_attach(int fd)
{
	return setsockopt(fd, SOL_UDP, UDP_ULP, ULP_NAME, strlen(ULP_NAME)) ?
	       errno : 0;
}

int quic_race_add_flows(const struct quic_race *race, int fd)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < race->num_flows && !err; i++)
		err = quic_race_flow_add(fd, &race->flows[i], 0);
	return err;
}

struct quic_race_flow *quic_race_any_flow(const struct quic_race *race,
					  unsigned int *seed)
{
	return &race->flows[rand_r(seed) % race->num_flows];
}

int quic_race_update(struct quic_race *race, unsigned int *seed)
{
	struct quic_race_flow *flow = quic_race_any_flow(race, seed);
	uint8_t next;
	int err;

	next = __atomic_load_n(&flow->generation, __ATOMIC_RELAXED) + 1;
	err = quic_race_flow_add(race->env.tx, flow, next);
	if (!err)
		__atomic_store_n(&flow->generation, next, __ATOMIC_RELAXED);
	return err;
}

int quic_race_delete(struct quic_race *race, unsigned int *seed)
{
	return quic_race_flow_del(race->env.tx, quic_race_any_flow(race, seed));
}

int quic_race_put_in_slot(int fd)
{
	int err = 0;

	if (dup2(fd, QUIC_RACE_SLOT) < 0)
		err = errno;
	close(fd);
	return err;
}

uint64_t quic_race_numbers(struct quic_race_flow *flow)
{
	return __atomic_fetch_add(&flow->next, PACKETS_MAX, __ATOMIC_RELAXED);
}

void quic_race_train(struct quic_train *train,
		     const struct quic_race_flow *flow, uint64_t pn,
		     unsigned int *seed)
{
	uint8_t generation = __atomic_load_n(&flow->generation,
					     __ATOMIC_RELAXED);
	struct quic_packet packet = {
		.pn = pn,
		.pn_len = 4,
		.len = 40 + rand_r(seed) % 1200,
		.flags = QUIC_FIXED_BIT | (generation & 1 ? QUIC_KEY_PHASE : 0),
		.dcid = flow->dcid,
	};
	unsigned int i, count = 1 + rand_r(seed) % PACKETS_MAX;

	quic_train_build(train, packet, count, 0);
	for (i = 0; i < count; i++) {
		int unlike[2] = { rand_r(seed), rand_r(seed) };

		memcpy(train->buf + train->at[i] +
		       quic_packet_header(&packet) + QUIC_MARKER_SIZE,
		       unlike, sizeof(unlike));
	}
}

int quic_race_send(int fd, const struct quic_addr *to,
		   struct quic_race_flow *flow, unsigned int *seed)
{
	static __thread struct quic_train train;
	struct quic_msg msg;

	quic_race_train(&train, flow, quic_race_numbers(flow), seed);
	msg = quic_msg(fd, to, &train);
	return quic_send(&msg) < 0 ? errno : 0;
}
