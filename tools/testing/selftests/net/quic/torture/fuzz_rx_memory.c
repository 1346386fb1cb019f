// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that messages are read into: in one piece or in several, to where it
 * ends, or beyond.
 */

#include <string.h>
#include <sys/mman.h>

#include "fuzz_fail.h"
#include "fuzz_random.h"
#include "fuzz_rx_memory.h"

#define GAP		24	/* behind each piece, where nobody may write */
#define SIZE		(FUZZ_RX_ROOM + (FUZZ_RX_PIECES + 1) * GAP)

static uint8_t *arena;
static uint8_t *end;		/* of memory with room before it */
static uint8_t control[FUZZ_RX_VLEN][FUZZ_RX_CONTROL + GAP];
static uint8_t unwritten[FUZZ_RX_ROOM + GAP];

static uint8_t *map(size_t size, int prot)
{
	uint8_t *p = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fuzz_must(p != MAP_FAILED, "mmap");
	return p;
}

void fuzz_rx_memory_open(void)
{
	arena = map(FUZZ_RX_VLEN * SIZE, PROT_READ | PROT_WRITE);
	end = map(2 * FUZZ_RX_ROOM, PROT_NONE) + FUZZ_RX_ROOM;
	fuzz_must(!mprotect(end - FUZZ_RX_ROOM, FUZZ_RX_ROOM,
			    PROT_READ | PROT_WRITE), "mprotect");
	memset(unwritten, FUZZ_RX_UNWRITTEN, sizeof(unwritten));
}

static void add(struct fuzz_rx_memory *memory, uint8_t *base, size_t len)
{
	memory->iov[memory->pieces++] = (struct iovec) { base, len };
}

static void cut(struct fuzz_rx_memory *memory, uint8_t *p, size_t room)
{
	size_t n, most = fuzz_chance(50) ? 64 : room;

	memset(p, FUZZ_RX_UNWRITTEN, room + FUZZ_RX_PIECES * GAP);
	for (; memory->pieces < FUZZ_RX_PIECES - 1 && room; room -= n) {
		n = fuzz_below(most + 1);
		if (n > room)
			n = room;
		add(memory, p, n);
		p += n + GAP;
	}
	add(memory, p, room);
}

/* The last bytes of @room are where nothing can be written. */
static void place_at_end(struct fuzz_rx_memory *memory,
			 const struct fuzz_rx_read *read)
{
	size_t before = 0;

	if (read->call != FUZZ_RX_RECV && fuzz_chance(50))
		before = fuzz_below(read->writable + 1);
	if (before) {
		memset(arena, FUZZ_RX_UNWRITTEN, before + GAP);
		add(memory, arena, before);
	}
	memset(end - (read->writable - before), FUZZ_RX_UNWRITTEN,
	       read->writable - before);
	add(memory, end - (read->writable - before), read->room - before);
}

void fuzz_rx_memory_place(unsigned int i, const struct fuzz_rx_read *read,
			  struct fuzz_rx_memory *memory)
{
	uint8_t *p = arena + i * SIZE;

	memory->pieces = 0;
	if (read->writable < read->room) {
		place_at_end(memory, read);
	} else if (read->call <= FUZZ_RX_RECVMMSG && fuzz_chance(15)) {
		cut(memory, p, read->room);
	} else {
		memset(p, FUZZ_RX_UNWRITTEN, read->room + GAP);
		add(memory, p, read->room);
	}

	memory->control = control[i];
	memset(memory->control, FUZZ_RX_UNWRITTEN, read->control_len + GAP);
	if (read->nowhere == FUZZ_RX_NULL)
		memory->control = NULL;
	else if (read->nowhere == FUZZ_RX_UNMAPPED)
		memory->control = end;
	memset(&memory->name, FUZZ_RX_UNWRITTEN, sizeof(memory->name));
}

static bool is_unwritten(const uint8_t *p, size_t len)
{
	return !memcmp(p, unwritten, len);
}

static void check_bytes(const struct fuzz_rx_memory *memory,
			const struct fuzz_rx_want *want)
{
	size_t at = 0, i, n, j;

	for (i = 0; i < memory->pieces; i++, at += n) {
		const uint8_t *p = memory->iov[i].iov_base;
		size_t len = memory->iov[i].iov_len;

		n = want->len - at < len ? want->len - at : len;
		for (j = 0; memcmp(p, want->bytes + at, n); j++)
			if (p[j] != want->bytes[at + j])
				fuzz_fail("byte %zu is %#x, expected %#x",
					  at + j, p[j], want->bytes[at + j]);
		len += GAP;
		if (p >= end - FUZZ_RX_ROOM && p <= end)
			len = end - p;
		if (!is_unwritten(p + n, len - n))
			fuzz_fail("written behind the %zu bytes", want->len);
	}
}

static void check_control(const struct fuzz_rx_read *read,
			  const struct fuzz_rx_memory *memory,
			  const struct fuzz_rx_want *want)
{
	uint8_t *got = memory->control;
	size_t at, n;

	if (read->nowhere)
		return;
	/* What nobody knows */
	for (at = want->time_at, n = want->time_len; n; n--, at++)
		if (at < read->control_len)
			got[at] = want->control[at];
	for (at = 0; at < read->control_len; at++)
		if (got[at] != want->control[at])
			fuzz_fail("byte %zu of control messages is %#x, expected %#x",
				  at, got[at], want->control[at]);
	if (!is_unwritten(got + read->control_len, GAP))
		fuzz_fail("written behind the control buffer");
}

static void check_name(const struct fuzz_rx_read *read,
		       const struct fuzz_rx_memory *memory,
		       const struct fuzz_rx_want *want)
{
	size_t n = read->name_len < want->name_len ? read->name_len :
						     want->name_len;
	const uint8_t *got = (const void *)&memory->name;

	if (memcmp(got, &want->name, n))
		fuzz_fail("address of the sender");
	if (!is_unwritten(got + n, sizeof(memory->name) - n))
		fuzz_fail("written behind the address of the sender");
}

void fuzz_rx_memory_check(const struct fuzz_rx_read *read,
			  const struct fuzz_rx_memory *memory,
			  const struct fuzz_rx_want *want)
{
	check_bytes(memory, want);
	check_control(read, memory, want);
	check_name(read, memory, want);
}
