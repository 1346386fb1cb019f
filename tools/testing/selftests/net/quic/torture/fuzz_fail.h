/* SPDX-License-Identifier: GPL-2.0 */
/* A failure ends the program, with everything about the current call. */
#ifndef FUZZ_FAIL_H
#define FUZZ_FAIL_H

#include "fuzz_types.h"

/* What is talked about, or NULL */
extern struct fuzz_call *fuzz_current;

/* @end is told what has failed, or NULL if that has been said, and does not return. */
void fuzz_on_failure(void (*end)(const char *text) __attribute__((noreturn)));

void fuzz_fail(const char *fmt, ...)
	__attribute__((format(printf, 1, 2), noreturn));
/* The result of a call, or negative errno, is what it must be. */
void fuzz_expect(long got, long want);
/* Says what failed and ends the program, unless all is well. */
void fuzz_must(bool ok, const char *what);

#endif /* FUZZ_FAIL_H */
