// SPDX-License-Identifier: GPL-2.0
/* A failure ends the program, with everything about the current call. */

#include <stdarg.h>
#include <string.h>

#include "fuzz_fail.h"
#include "kselftest.h"

struct fuzz_call *fuzz_current;

static void (*at_end)(const char *text) __attribute__((noreturn));

void fuzz_on_failure(void (*end)(const char *text) __attribute__((noreturn)))
{
	at_end = end;
}

void fuzz_fail(const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	at_end(text);
}

void fuzz_expect(long got, long want)
{
	const char *name = got < 0 ? strerrorname_np(-got) : "success";

	if (got == want)
		return;
	if (want < 0)
		fuzz_fail("%ld (%s), expected %s", got, name,
			  strerrorname_np(-want));
	fuzz_fail("%ld (%s), expected %ld", got, name, want);
}

void fuzz_must(bool ok, const char *what)
{
	if (ok)
		return;
	ksft_perror(what);
	at_end(NULL);
}
