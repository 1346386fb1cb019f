// SPDX-License-Identifier: GPL-2.0
/* BPF programs that send packets elsewhere, without libbpf. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "quic_bpf.h"

#define MOV_REG(to, from)						\
	{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = to, .src_reg = from }
#define MOV(to, value)							\
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = to, .imm = value }
#define CALL(function)							\
	{ .code = BPF_JMP | BPF_CALL, .imm = function }
#define EXIT { .code = BPF_JMP | BPF_EXIT }

#define PROGRAM_MAX	16

int quic_bpf_redirect(unsigned int from, unsigned int to, bool clone,
		      bool ingress)
{
	int flags = ingress ? BPF_F_INGRESS : 0;
	/* What comes from another device, perhaps sent there by us, passes. */
	const struct bpf_insn start[] = {
		MOV_REG(BPF_REG_6, BPF_REG_1),
		{ .code = BPF_LDX | BPF_MEM | BPF_W,
		  .dst_reg = BPF_REG_2, .src_reg = BPF_REG_1,
		  .off = offsetof(struct __sk_buff, ingress_ifindex) },
		{ .code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_2,
		  .off = 2 },
		MOV(BPF_REG_0, TCX_PASS),
		EXIT,
	};
	const struct bpf_insn redirect[] = {
		MOV(BPF_REG_1, (int)to),
		MOV(BPF_REG_2, flags),
		CALL(BPF_FUNC_redirect),
		EXIT,
	};
	const struct bpf_insn cloning[] = {
		MOV_REG(BPF_REG_1, BPF_REG_6),
		MOV(BPF_REG_2, (int)to),
		MOV(BPF_REG_3, flags),
		CALL(BPF_FUNC_clone_redirect),
		MOV(BPF_REG_0, TCX_PASS),
		EXIT,
	};
	size_t rest = clone ? sizeof(cloning) : sizeof(redirect);
	struct bpf_insn program[PROGRAM_MAX];
	union bpf_attr load = {
		.prog_type = BPF_PROG_TYPE_SCHED_CLS,
		.insns = (uintptr_t)program,
		.insn_cnt = (sizeof(start) + rest) / sizeof(*program),
		.license = (uintptr_t)"GPL",
	};
	union bpf_attr link = {
		.link_create.target_ifindex = from,
		.link_create.attach_type = BPF_TCX_EGRESS,
	};
	int prog, fd;

	memcpy(program, start, sizeof(start));
	memcpy((char *)program + sizeof(start), clone ? cloning : redirect, rest);
	prog = syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	if (prog < 0)
		return -1;
	link.link_create.prog_fd = prog;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
	close(prog);
	return fd;
}
