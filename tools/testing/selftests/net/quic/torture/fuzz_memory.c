// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for a message: in one piece or in many, over page edges, up to where
 * memory ends, or beyond.
 */

#include <string.h>
#include <sys/mman.h>

#include "fuzz_fail.h"
#include "fuzz_memory.h"
#include "fuzz_random.h"

#define ROOM		(2 * FUZZ_MESSAGE_SIZE)
#define NOTHING		(32 << 20)	/* bytes after memory has ended */

static uint8_t *end;		/* of memory with room before it */
static uint8_t *pieces;
static uint8_t *shared;

static uint8_t *map(size_t size, int prot, int flags)
{
	uint8_t *p = mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);

	fuzz_must(p != MAP_FAILED, "mmap");
	return p;
}

void fuzz_memory_open(void)
{
	uint8_t *edge = map(ROOM + NOTHING, PROT_NONE, MAP_PRIVATE);

	fuzz_must(!mprotect(edge, ROOM, PROT_READ | PROT_WRITE), "mprotect");
	end = edge + ROOM;
	pieces = map(ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	shared = map(FUZZ_MESSAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED);
}

/* Other processes see it, too. */
uint8_t *fuzz_memory_shared(void)
{
	return shared;
}

void *fuzz_memory_at_end(const void *bytes, size_t len)
{
	return memcpy(end - len, bytes, len);
}

static void add(struct fuzz_call *call, void *base, size_t len)
{
	call->iov[call->iov_count++] = (struct iovec) { base, len };
}

static void cut(struct fuzz_call *call, size_t there)
{
	size_t most = fuzz_chance(30) ? there / 900 + 2 : there / 2 + 2;
	size_t room = ROOM - there, at, n, gap;
	uint8_t *p = pieces;

	for (at = 0; at < there && call->iov_count < IOV_MAX - 3; at += n) {
		n = 1 + fuzz_below(most);
		if (n > there - at)
			n = there - at;
		gap = fuzz_below(room / 64);
		room -= gap;
		p += gap;
		memcpy(p, call->message + at, n);
		add(call, p, n);
		p += n;
		/* An empty piece may be anywhere. */
		if (call->iov_count < IOV_MAX - 3 && fuzz_chance(5))
			add(call, (void *)(uintptr_t)fuzz_below(1 << 30), 0);
	}
	if (at < there)
		add(call, call->message + at, there - at);
	if (there < call->len)
		add(call, end, call->len - there);
}

void fuzz_memory_message(struct fuzz_call *call)
{
	size_t there = call->readable < call->len ? call->readable : call->len;

	call->iov_count = 0;
	if (fuzz_chance(8)) {
		cut(call, there);
	} else if (there < call->len || fuzz_chance(8)) {
		add(call, fuzz_memory_at_end(call->message, there), call->len);
	} else {
		add(call, call->message, call->len);
	}
}

const void *fuzz_memory_option(const struct fuzz_call *call)
{
	if (call->opt_len <= 0 || call->readable >= (size_t)call->opt_len)
		return call->opt;
	return fuzz_memory_at_end(call->opt, call->readable);
}
