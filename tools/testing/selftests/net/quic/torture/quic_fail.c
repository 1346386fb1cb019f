// SPDX-License-Identifier: GPL-2.0
/* Fault injection, and what a call that fails must not change. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "quic_fail.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO	55
#endif

/* All kinds of allocations fail, and none of that fills the log. */
static const char * const knobs[][2] = {
	{ "/sys/kernel/debug/failslab/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/failslab/verbose", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/ignore-gfp-wait", "N" },
	{ "/sys/kernel/debug/fail_page_alloc/min-order", "0" },
	{ "/sys/kernel/debug/fail_page_alloc/verbose", "0" },
	{ "/sys/kernel/debug/fail_usercopy/verbose", "0" },
};

const char *quic_fail_open(struct quic_fail *fail)
{
	unsigned int i;
	cpu_set_t cpus;

	memset(fail, 0, sizeof(*fail));
	fail->fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail->fd < 0)
		return "needs CONFIG_FAULT_INJECTION";
	for (i = 0; i < sizeof(knobs) / sizeof(*knobs); i++)
		if (quic_env_write_file(knobs[i][0], knobs[i][1]))
			return "needs debugfs, CONFIG_FAILSLAB, "
			       "CONFIG_FAIL_PAGE_ALLOC and CONFIG_FAULT_INJECTION_USERCOPY";

	CPU_ZERO(&cpus);
	CPU_SET(sched_getcpu(), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return "can't stay on one processor";
	return NULL;
}

void quic_fail_close(struct quic_fail *fail)
{
	if (fail->fd >= 0)
		close(fail->fd);
}

static void arm(const struct quic_fail *fail, unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	/* The write itself may be what fails, if it is to end failing. */
	while (write(fail->fd, text, len) < 0 && errno == EFAULT)
		;
}

/* How many sites there are up to the one that fails; 0 if it has. */
static unsigned int disarm(const struct quic_fail *fail)
{
	unsigned int left = 1;
	char text[16] = {};

	/* If the read itself is what fails there was one left. */
	if (pread(fail->fd, text, sizeof(text) - 1, 0) > 0)
		left = strtoul(text, NULL, 10);
	arm(fail, 0);
	return left;
}

void quic_fail_first(struct quic_fail *fail)
{
	fail->site = 0;
	fail->told = 0;
	fail->survived = 0;
}

void quic_fail_at(struct quic_fail *fail, unsigned int site)
{
	fail->site = site;
	arm(fail, site);
}

void quic_fail_next(struct quic_fail *fail)
{
	quic_fail_at(fail, fail->site + 1);
}

void quic_fail_end(struct quic_fail *fail, long ret)
{
	fail->err = ret < 0 ? errno : 0;
	fail->hit = !disarm(fail);
	if (!fail->hit)
		return;
	if (fail->err)
		fail->told++;
	else
		fail->survived++;
}

void quic_fail_count(struct quic_fail *fail)
{
	arm(fail, INT_MAX);
}

unsigned int quic_fail_counted(struct quic_fail *fail)
{
	return INT_MAX - disarm(fail);
}

#define ULP_NAME	"quic-crypto"
#define MAX_FLOWS	"/proc/sys/user/max_quic_flows"
#define USER		54321		/* has no flows but ours */

int quic_probe_open(struct quic_probe *probe)
{
	int fd;

	memset(probe, 0, sizeof(*probe));
	if (unshare(CLONE_NEWNET))
		return -1;
	probe->fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (probe->fd < 0 || setsockopt(probe->fd, SOL_UDP, UDP_ULP, ULP_NAME,
					strlen(ULP_NAME)))
		return -1;

	fd = open(MAX_FLOWS, O_RDONLY);
	if (fd < 0 || read(fd, probe->max_flows,
			   sizeof(probe->max_flows) - 1) <= 0)
		return -1;
	close(fd);
	return 0;
}

void quic_probe_close(struct quic_probe *probe)
{
	if (!probe->max_flows[0])
		return;
	if (!seteuid(0))
		quic_env_write_file(MAX_FLOWS, probe->max_flows);
	close(probe->fd);
}

int quic_probe_limit(struct quic_probe *probe, const char *max)
{
	if (seteuid(0) || quic_env_write_file(MAX_FLOWS, max))
		return -1;
	return seteuid(USER);
}

static long module_references(void)
{
	char text[16] = {};
	int fd;

	fd = open("/sys/module/quic/refcnt", O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		strcpy(text, "-1");
	if (fd >= 0)
		close(fd);
	return atol(text);
}

static long flows_free(int fd)
{
	struct quic_connection_info info;
	struct quic_keys keys;
	struct quic_dcid dcid;
	long n, i;
	int err;

	quic_keys_derive(&keys, &quic_ciphers[QUIC_CHACHA20_POLY1305], 0, 0);
	for (n = 0; ; n++) {
		quic_dcid_init(&dcid, 1, n);
		quic_flow_info(&info, &keys, &dcid, NULL);
		if (quic_flow_add(fd, &info))
			break;
	}
	err = errno;
	for (i = 0; i < n; i++) {
		quic_dcid_init(&dcid, 1, i);
		quic_flow_info(&info, &keys, &dcid, NULL);
		if (quic_flow_del(fd, &info))
			return -1;
	}
	return err == ENOBUFS ? n : -1;
}

int quic_use_get(struct quic_use *use, int fd, const struct quic_probe *probe)
{
	unsigned int memory[SK_MEMINFO_VARS] = {};
	socklen_t len = sizeof(memory);

	use->flows = quic_stat("QuicCurrTxSw") + quic_stat("QuicCurrRxSw");
	use->added = quic_stat("QuicTxSw") + quic_stat("QuicRxSw");
	use->errors = quic_stat("QuicTxSwError");
	use->packets = quic_stat("QuicTxSwPackets");
	use->module = module_references();
	use->free = flows_free(probe->fd);
	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &len))
		return -1;
	use->memory = memory[SK_MEMINFO_WMEM_ALLOC] +
		      memory[SK_MEMINFO_WMEM_QUEUED] +
		      memory[SK_MEMINFO_OPTMEM];
	return use->flows < 0 || use->free < 0 ? -1 : 0;
}

const char *quic_use_differs(const struct quic_use *was,
			     const struct quic_use *is)
{
	const struct {
		const char *name;
		long was, is;
	} values[] = {
		{ "flows", was->flows, is->flows },
		{ "flows ever added", was->added, is->added },
		{ "errors", was->errors, is->errors },
		{ "packets", was->packets, is->packets },
		{ "references on the module", was->module, is->module },
		{ "flows that may be added", was->free, is->free },
		{ "memory of the socket", was->memory, is->memory },
	};
	static char text[100];
	unsigned int i;

	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		if (values[i].was == values[i].is)
			continue;
		snprintf(text, sizeof(text), "%s: was %ld, is %ld",
			 values[i].name, values[i].was, values[i].is);
		return text;
	}
	return NULL;
}

int quic_search_open(struct quic_search *search, struct quic_env *env)
{
	/* Nobody reads it, and it would fill up. */
	close(env->wire);
	env->wire = -1;

	search->audit = quic_audit_new();
	quic_audit_all_ports(search->audit, QUIC_AUDIT_BYTES);
	search->capture = quic_capture_open(search->audit);
	return search->capture ? 0 : -1;
}

void quic_search_close(struct quic_search *search)
{
	quic_capture_close(search->capture);
	quic_audit_free(search->audit);
}

int quic_search(struct quic_search *search)
{
	struct quic_audit_count *count = quic_audit_count(search->audit);
	uint64_t before = count->searched;

	quic_capture_read(search->capture);
	return count->leaked ? -1 : count->searched - before;
}
