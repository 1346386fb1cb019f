// SPDX-License-Identifier: GPL-2.0
/*
 * Run a command and audit what goes over the devices of this network namespace
 * meanwhile; what is sent to the ports named may be plain text:
 *
 *	quic_watch [-p port]... command [argument]...
 *
 * The exit status is that of the command, or 1 for what the auditor has found.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quic_capture.h"

static int run(char **argv)
{
	int status;
	pid_t pid;

	pid = fork();
	if (!pid) {
		execvp(argv[0], argv);
		perror(argv[0]);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char **argv)
{
	struct quic_audit *audit = quic_audit_new();
	struct quic_capture *capture;
	int opt, status;

	while ((opt = getopt(argc, argv, "+p:")) == 'p')
		quic_audit_port(audit, htons(atoi(optarg)), QUIC_AUDIT_PLAIN);
	if (opt != -1 || optind == argc) {
		fprintf(stderr, "usage: quic_watch [-p port]... command...\n");
		return 2;
	}

	capture = quic_capture_open(audit);
	if (!capture || quic_capture_watch(capture)) {
		perror("quic_watch");
		return 2;
	}
	status = run(argv + optind);
	if (quic_capture_stop(capture)) {
		fprintf(stderr, "quic_watch: the auditor has died\n");
		return 2;
	}
	if (!quic_audit_verdict(quic_audit_count(audit)) && !status)
		status = 1;
	quic_capture_close(capture);
	quic_audit_free(audit);
	return status;
}
