// SPDX-License-Identifier: GPL-2.0
/*
 * What demo.sh shows.
 *
 *	quic_demo vector
 *		the packet of RFC 9001 appendix A.5, through the kernel
 *	quic_demo send FILE CIPHER ADDRESS NETNS
 *		FILE to ADDRESS in NETNS: the kernel protects the packets, a
 *		second process there removes the protection with libcrypto
 *
 * Exit status 0 if what arrived is what had to.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "quic_env.h"

#define PORT		4433
#define PACKET_SIZE	1452	/* with tag: what fits an MTU of 1500 in IPv6 */
#define TRAIN		44	/* packets; more do not fit in 64 KiB */
#define DIGEST_SIZE	32

/*
 * Packets that may be under way, and how many arrive between two reports: the
 * receiver's buffer never overflows, so nothing is lost and sent again.
 */
#define WINDOW		(16 * TRAIN)
#define REPORT		(4 * TRAIN)
#define RCVBUF		(32 << 20)
#define PATIENCE	10	/* seconds without a packet */

static const struct quic_packet first_packet = {
	.pn_len = 4,
	.len = PACKET_SIZE - QUIC_TAG_SIZE,
	.flags = QUIC_FIXED_BIT,
};

/* What the receiver tells the sender through a pipe */
struct report {
	uint64_t packets;
	bool done;
	uint8_t digest[DIGEST_SIZE];
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "quic_demo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void print_hex(const char *what, const uint8_t *bytes, size_t len)
{
	printf("   %-10s", what);
	while (len--)
		printf("%02x", *bytes++);
	putchar('\n');
}

static int vector(void)
{
	const struct quic_vector *v = &quic_rfc9001_a5;
	const struct quic_dcid no_dcid = {};
	struct quic_connection_info info;
	struct quic_train train = {
		.count = 1,
		.len = sizeof(v->plain),
		.pn[0] = v->pn,
	};
	struct quic_env env;
	struct quic_msg msg;
	uint8_t seen[64];
	ssize_t len;
	bool equal;

	if (quic_env_open(&env, AF_INET))
		die("network namespace");
	quic_flow_info(&info, &v->keys, &no_dcid, &env.to);
	if (quic_flow_add(env.tx, &info))
		die("UDP_QUIC_ADD_TX_CONNECTION");
	memcpy(train.buf, v->plain, sizeof(v->plain));
	msg = quic_msg(env.tx, &env.to, &train);
	if (quic_send(&msg) < 0)
		die("sendmsg");
	len = recv(env.rx, seen, sizeof(seen), 0);
	if (len < 0)
		die("recv");
	equal = len == sizeof(v->protected) && !memcmp(seen, v->protected, len);

	print_hex("plaintext", v->plain, sizeof(v->plain));
	print_hex("expected", v->protected, sizeof(v->protected));
	print_hex("captured", seen, len);
	printf("   %s\n", equal ? "equal" : "DIFFERENT");
	return !equal;
}

static struct quic_addr address(const char *text)
{
	struct quic_addr addr = {};
	struct sockaddr_in6 *sin6 = (void *)&addr.ss;
	struct sockaddr_in *sin = (void *)&addr.ss;

	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = htons(PORT);
		addr.len = sizeof(*sin);
	} else if (inet_pton(AF_INET6, text, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(PORT);
		addr.len = sizeof(*sin6);
	} else {
		errno = EINVAL;
		die(text);
	}
	return addr;
}

static void put_report(int fd, const struct report *report)
{
	if (write(fd, report, sizeof(*report)) != sizeof(*report))
		die("report");
}

static struct report get_report(int fd)
{
	struct report report;

	if (read(fd, &report, sizeof(report)) != sizeof(report)) {
		fprintf(stderr, "quic_demo: the receiver has gone\n");
		exit(1);
	}
	return report;
}

/* A train as UDP GRO leaves it: @size receives the length of its packets. */
static ssize_t receive_train(int fd, uint8_t *buf, size_t len, size_t *size)
{
	struct iovec iov = { buf, len };
	uint64_t control[8];
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *cmsg;
	ssize_t got = recvmsg(fd, &mh, 0);
	int gro;

	if (got < 0)
		return -1;
	*size = got;
	for (cmsg = CMSG_FIRSTHDR(&mh); cmsg; cmsg = CMSG_NXTHDR(&mh, cmsg)) {
		if (cmsg->cmsg_level == SOL_UDP && cmsg->cmsg_type == UDP_GRO) {
			memcpy(&gro, CMSG_DATA(cmsg), sizeof(gro));
			*size = gro;
		}
	}
	return got;
}

static void receive(const struct quic_addr *at, struct quic_oracle *oracle,
		    size_t dcid_len, uint64_t packets, int reports)
{
	struct timeval patience = { .tv_sec = PATIENCE };
	static uint8_t train[1 << 16], packet[1 << 16];
	size_t header = 1 + dcid_len + first_packet.pn_len;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	struct report report = {};
	int size = RCVBUF, one = 1, fd;
	uint64_t reported = 0;

	fd = socket(at->ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof(one)) ||
	    bind(fd, (void *)&at->ss, at->len))
		die("receiver");
	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	put_report(reports, &report);	/* ready */

	while (report.packets < packets) {
		size_t stride, start, len;
		ssize_t got;

		got = receive_train(fd, train, sizeof(train), &stride);
		if (got < 0)
			break;
		for (start = 0; start < got; start += stride) {
			uint64_t pn = report.packets;

			len = stride < got - start ? stride : got - start;
			len = quic_oracle_open(oracle, &pn, dcid_len,
					       train + start, len, packet);
			if (len < header || pn != report.packets)
				goto done;
			EVP_DigestUpdate(md, packet + header, len - header);
			report.packets++;
		}
		if (report.packets - reported >= REPORT) {
			reported = report.packets;
			put_report(reports, &report);
		}
	}
done:
	EVP_DigestFinal_ex(md, report.digest, NULL);
	report.done = true;
	put_report(reports, &report);
	exit(0);
}

/* Puts up to a train of packets with the contents of a file into @train. */
static size_t fill_train(struct quic_train *train, struct quic_packet *packet,
			 const uint8_t *data, size_t len)
{
	size_t header = quic_packet_header(packet), done = 0, n;

	train->count = 0;
	while (done < len && train->count < TRAIN) {
		n = first_packet.len - header;
		if (n > len - done)
			n = len - done;
		packet->len = header + n;
		quic_train_add(train, packet);
		memcpy(train->buf + train->at[train->count - 1] + header,
		       data + done, n);
		packet->pn++;
		done += n;
	}
	return done;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void enter_netns(const char *name)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		die(path);
	close(fd);
}

static const struct quic_cipher *find_cipher(const char *name)
{
	unsigned int i;

	for (i = 0; i < QUIC_NUM_CIPHERS; i++)
		if (!strcmp(quic_ciphers[i].name, name))
			return &quic_ciphers[i];
	errno = EINVAL;
	die(name);
}

static int send_file(const char *path, const char *cipher, const char *to_text,
		     const char *netns)
{
	struct quic_addr to = address(to_text);
	struct quic_packet packet = first_packet;
	static struct quic_train train;
	struct quic_connection_info info;
	uint8_t digest[DIGEST_SIZE];
	struct report report = {};
	size_t sent, header, per_packet;
	uint64_t packets;
	struct quic_keys keys;
	double seconds = 0;
	const uint8_t *data;
	int fd, reports[2];
	struct stat st;
	bool equal;

	fd = open(path, O_RDONLY);
	if (fd < 0 || fstat(fd, &st))
		die(path);
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		die(path);
	EVP_Digest(data, st.st_size, digest, NULL, EVP_sha256(), NULL);

	quic_dcid_init(&packet.dcid, 8, 0);
	header = quic_packet_header(&packet);
	per_packet = packet.len - header;
	packets = (st.st_size + per_packet - 1) / per_packet;
	quic_keys_derive(&keys, find_cipher(cipher), 1, 0);

	if (pipe(reports))
		die("pipe");
	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(reports[0]);
		enter_netns(netns);
		receive(&to, quic_oracle_new(&keys), packet.dcid.len, packets,
			reports[1]);
	}
	close(reports[1]);
	get_report(reports[0]);

	fd = socket(to.ss.ss_family, SOCK_DGRAM, 0);
	if (fd < 0)
		die("socket");
	quic_flow_info(&info, &keys, &packet.dcid, &to);
	if (quic_flow_add(fd, &info))
		die("UDP_QUIC_ADD_TX_CONNECTION");

	for (sent = 0; sent < st.st_size && !report.done; ) {
		struct quic_msg msg;
		double start;

		sent += fill_train(&train, &packet, data + sent,
				   st.st_size - sent);
		msg = quic_msg(fd, &to, &train);
		start = now();
		if (quic_send(&msg) != train.len)
			die("sendmsg");
		seconds += now() - start;
		while (packet.pn > report.packets + WINDOW && !report.done)
			report = get_report(reports[0]);
	}
	while (!report.done)
		report = get_report(reports[0]);
	wait(NULL);
	equal = report.packets == packets &&
		!memcmp(report.digest, digest, sizeof(digest));

	printf("   %-18s %-5s %8llu %9.0f   %s\n", cipher,
	       to.ss.ss_family == AF_INET ? "IPv4" : "IPv6",
	       (unsigned long long)report.packets, st.st_size / 1e6 / seconds,
	       equal ? "equal" : "DIFFERENT");
	return !equal;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "vector"))
		return vector();
	if (argc == 6 && !strcmp(argv[1], "send"))
		return send_file(argv[2], argv[3], argv[4], argv[5]);
	fprintf(stderr, "usage: quic_demo vector\n"
		"       quic_demo send FILE CIPHER ADDRESS NETNS\n");
	return 2;
}
