// SPDX-License-Identifier: GPL-2.0
/* A pair of netdevsim between two network namespaces. */

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

#include "quic_env.h"
#include "quic_nsim.h"

#define BUS		"/sys/bus/netdevsim/"
#define KNOBS		"/sys/kernel/debug/netdevsim/netdevsim%u/ports/0/quic/"
/* Numbers that say whose the devices are, above those of other programs */
#define FIRST_ID	(1U << 30)
#define IDS		8	/* of a process */
#define MAX_FEATURES	256

static unsigned int next_id;	/* of ours */

static int bus_write(const char *file, const char *text)
{
	char path[100];

	snprintf(path, sizeof(path), BUS "%s", file);
	return quic_env_write_file(path, text);
}

static int remove_id(unsigned int id)
{
	char text[20];

	snprintf(text, sizeof(text), "%u", id);
	return bus_write("del_device", text);
}

/* Of processes that are not there any more, or were called as we are */
static void remove_leftovers(void)
{
	struct dirent *entry;
	unsigned int id;
	pid_t owner;
	DIR *dir;

	dir = opendir(BUS "devices");
	while (dir && (entry = readdir(dir))) {
		if (sscanf(entry->d_name, "netdevsim%u", &id) != 1 ||
		    id < FIRST_ID)
			continue;
		owner = (id - FIRST_ID) / IDS;
		if (owner == getpid() || (kill(owner, 0) && errno == ESRCH))
			remove_id(id);
	}
	if (dir)
		closedir(dir);
}

static int rename_device(const char *from, const char *to)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), ret;
	struct ifreq ifr = {};

	strncpy(ifr.ifr_name, from, IFNAMSIZ - 1);
	strncpy(ifr.ifr_newname, to, IFNAMSIZ - 1);
	ret = ioctl(fd, SIOCSIFNAME, &ifr);
	close(fd);
	return ret;
}

/* It comes as eth0. Returns its index. */
static unsigned int device_new(const struct quic_path *path, bool there,
			       unsigned int id, const char *name)
{
	unsigned int index = 0;
	char text[100];

	snprintf(text, sizeof(text), "%u 1 1", id);
	if (quic_path_enter(path, there))
		return 0;
	if (!bus_write("new_device", text) && !rename_device("eth0", name))
		index = if_nametoindex(name);
	return quic_path_enter(path, false) ? 0 : index;
}

int quic_nsim_again(const struct quic_nsim *nsim, const struct quic_path *path,
		    const char *here, const char *there)
{
	unsigned int index[2];
	char text[100];
	int i;

	for (i = 0; i < 2; i++) {
		index[i] = device_new(path, i, nsim->id[i], i ? there : here);
		if (!index[i])
			return -1;
	}
	snprintf(text, sizeof(text), "%d:%u %d:%u", path->here, index[0],
		 path->there, index[1]);
	return bus_write("link_device", text);
}

int quic_nsim_add(struct quic_nsim *nsim, const struct quic_path *path,
		  const char *here, const char *there)
{
	unsigned int first = FIRST_ID + getpid() * IDS;

	if (!next_id)
		remove_leftovers();
	if (next_id + 2 > IDS) {
		errno = ENOSPC;
		return -1;
	}
	nsim->id[0] = first + next_id++;
	nsim->id[1] = first + next_id++;
	return quic_nsim_again(nsim, path, here, there);
}

int quic_nsim_remove_end(const struct quic_nsim *nsim, bool there)
{
	return remove_id(nsim->id[there]);
}

void quic_nsim_remove(const struct quic_nsim *nsim)
{
	quic_nsim_remove_end(nsim, false);
	quic_nsim_remove_end(nsim, true);
}

int quic_nsim_open(struct quic_nsim *nsim, struct quic_path *path)
{
	return quic_path_namespaces(path) ||
	       quic_nsim_add(nsim, path, "quic0", "quic1") ? -1 : 0;
}

void quic_nsim_close(const struct quic_nsim *nsim, struct quic_path *path)
{
	quic_nsim_remove(nsim);
	quic_path_close(path);
}

static void knob_path(char *path, size_t size, const struct quic_nsim *nsim,
		      const char *knob)
{
	int len = snprintf(path, size, KNOBS, nsim->id[0]);

	snprintf(path + len, size - len, "%s", knob);
}

long quic_nsim_read(const struct quic_nsim *nsim, const char *knob)
{
	char path[200];

	knob_path(path, sizeof(path), nsim, knob);
	return access(path, R_OK) ? -1 : (long)quic_env_read_number(path, NULL);
}

int quic_nsim_write(const struct quic_nsim *nsim, const char *knob,
		    unsigned int value)
{
	char path[200], text[20];

	knob_path(path, sizeof(path), nsim, knob);
	snprintf(text, sizeof(text), "%u", value);
	return quic_env_write_file(path, text);
}

long quic_nsim_becomes(const struct quic_nsim *nsim, const char *knob,
		       long expected)
{
	long value;
	int i;

	for (i = 0; i < 3000; i++) {
		value = quic_nsim_read(nsim, knob);
		if (value == expected)
			break;
		usleep(10000);
	}
	return value;
}

/* Which of its bits a feature has; -1 if there is none */
static int feature_bit(int fd, struct ifreq *ifr, const char *name)
{
	static struct {
		struct ethtool_gstrings head;
		char names[MAX_FEATURES][ETH_GSTRING_LEN];
	} strings;
	struct {
		struct ethtool_sset_info head;
		uint32_t count;
	} sets = {
		.head = { .cmd = ETHTOOL_GSSET_INFO,
			  .sset_mask = 1ULL << ETH_SS_FEATURES },
	};
	uint32_t i;

	ifr->ifr_data = (void *)&sets;
	if (ioctl(fd, SIOCETHTOOL, ifr) || sets.count > MAX_FEATURES)
		return -1;
	strings.head.cmd = ETHTOOL_GSTRINGS;
	strings.head.string_set = ETH_SS_FEATURES;
	strings.head.len = sets.count;
	ifr->ifr_data = (void *)&strings;
	if (ioctl(fd, SIOCETHTOOL, ifr))
		return -1;
	for (i = 0; i < sets.count; i++)
		if (!strncmp(strings.names[i], name, ETH_GSTRING_LEN))
			return i;
	errno = EOPNOTSUPP;
	return -1;
}

int quic_nsim_segments(const char *device, bool on)
{
	struct {
		struct ethtool_sfeatures head;
		struct ethtool_set_features_block block[MAX_FEATURES / 32];
	} set = { .head = { .cmd = ETHTOOL_SFEATURES } };
	struct {
		struct ethtool_gfeatures head;
		struct ethtool_get_features_block block[MAX_FEATURES / 32];
	} get = {
		.head = { .cmd = ETHTOOL_GFEATURES, .size = MAX_FEATURES / 32 },
	};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bit, is = -1;
	struct ifreq ifr = {};

	strncpy(ifr.ifr_name, device, IFNAMSIZ - 1);
	bit = feature_bit(fd, &ifr, "tx-udp-segmentation");
	if (bit < 0)
		goto out;

	/* The kernel wants blocks for all bits that it has, no more. */
	ifr.ifr_data = (void *)&get;
	if (ioctl(fd, SIOCETHTOOL, &ifr))
		goto out;
	set.head.size = get.head.size;
	set.block[bit / 32].valid = 1U << bit % 32;
	set.block[bit / 32].requested = on ? 1U << bit % 32 : 0;
	ifr.ifr_data = (void *)&set;
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0)
		goto out;
	get.head.size = MAX_FEATURES / 32;
	ifr.ifr_data = (void *)&get;
	if (!ioctl(fd, SIOCETHTOOL, &ifr))
		is = !!(get.block[bit / 32].active & 1U << bit % 32);
out:
	close(fd);
	return is;
}
