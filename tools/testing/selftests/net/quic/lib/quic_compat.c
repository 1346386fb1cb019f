// SPDX-License-Identifier: GPL-2.0
/* Runs compat32, a program of 32 bits. */

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quic_compat.h"
#include "quic_lib.h"

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

/* getsockopt(SOL_UDP) of a program of 32 bits: returns the errno. */
static int get_option32(int fd, int option, void *value, socklen_t *len)
{
	int input = memfd_create("input", 0), output = memfd_create("output", 0);
	int err = EIO;
	char name[16];
	ssize_t n;

	snprintf(name, sizeof(name), "%d", option);
	if (pwrite(input, value, *len, 0) == (ssize_t)*len)
		err = quic_compat_finish(quic_compat_run(input, output, fd,
							 "getsockopt", name,
							 NULL));
	if (!err) {
		n = pread(output, value, *len, 0);
		*len = n < 0 ? 0 : n;
	}
	close(input);
	close(output);
	return err;
}

const char *quic_compat_option(int fd, int option, const void *value,
			       size_t size)
{
	const size_t lens[] = { 0, 1, size / 2, size / 2 + 4, size / 2 + 5,
				size - 1, size, size + 8 };
	static char text[100];
	unsigned int i;

	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		uint8_t ours[256] = {}, theirs[256] = {};
		socklen_t our_len = lens[i], their_len = lens[i];
		int our_err, their_err;

		memcpy(ours, value, lens[i] < size ? lens[i] : size);
		memcpy(theirs, ours, sizeof(theirs));
		our_err = getsockopt(fd, SOL_UDP, option, ours, &our_len) ?
			  errno : 0;
		their_err = get_option32(fd, option, theirs, &their_len);
		if (our_err == their_err && our_len == their_len &&
		    !memcmp(ours, theirs, sizeof(ours)))
			continue;
		snprintf(text, sizeof(text),
			 "of %zu bytes: %s, %u bytes, instead of %s, %u",
			 lens[i], strerrorname_np(their_err), their_len,
			 strerrorname_np(our_err), our_len);
		return text;
	}
	return NULL;
}
