// SPDX-License-Identifier: GPL-2.0
/* Runs compat32, a program of 32 bits. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quic_compat.h"

/* It is beside the program that runs. */
static int find_program(char *path)
{
	ssize_t len = readlink("/proc/self/exe", path, PATH_MAX - 16);
	char *name;

	if (len < 0)
		return -1;
	path[len] = 0;
	name = strrchr(path, '/');
	if (!name)
		return -1;
	strcpy(name, "/compat32");
	return access(path, X_OK);
}

pid_t quic_compat_run(int input, int output, int fd, const char *what,
		      const char *first, const char *second)
{
	char number[16], program[PATH_MAX];
	pid_t pid;

	if (find_program(program))
		return -1;
	snprintf(number, sizeof(number), "%d", fd);
	pid = fork();
	if (!pid) {
		dup2(input, 0);
		dup2(output, 1);
		execl(program, program, number, what, first, second, NULL);
		_exit(errno == ENOEXEC ? QUIC_CANNOT_EXEC : ENOSYS);
	}
	return pid;
}

int quic_compat_finish(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return QUIC_CANNOT_EXEC - 1;
	return WEXITSTATUS(status);
}

const char *quic_compat_missing(void)
{
	int status, fd = socket(AF_INET, SOCK_DGRAM, 0);
	char path[PATH_MAX];

	if (find_program(path))
		return "compat32 was not built: no libc for -m32";
	status = quic_compat_finish(quic_compat_run(0, 1, fd, "probe", NULL,
						    NULL));
	close(fd);
	return status == QUIC_CANNOT_EXEC ?
	       "the kernel runs no programs of 32 bits" : NULL;
}
