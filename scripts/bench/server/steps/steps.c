// SPDX-License-Identifier: GPL-2.0
/*
 * How many instructions libcrypto takes on this processor to protect a packet as nginx
 * does, counted by stepping through them.  What QEMU cannot emulate can be counted like
 * that.  OPENSSL_ia32cap takes abilities away from the processor.
 *
 *	steps LENGTH		of the payload
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/evp.h>

#define AD_LEN	21	/* flags, a connection ID of nginx's peers, number */

static void check(int ok)
{
	if (ok <= 0)
		abort();
}

/* As ngx_quic_crypto_common() calls it */
static void seal(EVP_CIPHER_CTX *ctx, unsigned char *packet, int len)
{
	static const unsigned char nonce[12];
	int n;

	check(EVP_CipherInit_ex(ctx, NULL, NULL, NULL, nonce, 1));
	check(EVP_CipherUpdate(ctx, NULL, &n, packet, AD_LEN));
	check(EVP_CipherUpdate(ctx, packet + AD_LEN, &n, packet + AD_LEN, len));
	check(EVP_CipherFinal_ex(ctx, packet + AD_LEN + len, &n));
	check(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16,
				  packet + AD_LEN + len));
}

/* As ngx_quic_crypto_hp() */
static void mask(EVP_CIPHER_CTX *ctx)
{
	static const unsigned char zero[5], sample[16];
	unsigned char out[5];
	int n;

	check(EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, sample));
	check(EVP_EncryptUpdate(ctx, out, &n, zero, 5));
}

static __attribute__((noinline)) void stop(void)
{
	asm volatile("");
}

static void child(int len)
{
	static const unsigned char key[16];
	EVP_CIPHER_CTX *aead = EVP_CIPHER_CTX_new();
	EVP_CIPHER_CTX *hp = EVP_CIPHER_CTX_new();
	unsigned char *packet = calloc(1, AD_LEN + len + 16);
	int i;

	check(EVP_CipherInit_ex(aead, EVP_aes_128_gcm(), NULL, key, NULL, 1));
	check(EVP_EncryptInit_ex(hp, EVP_aes_128_ctr(), NULL, key, NULL));
	ptrace(PTRACE_TRACEME);
	for (i = 0; i < 10; i++) {
		if (i == 9)
			asm volatile("int3");
		seal(aead, packet, len);
		mask(hp);
	}
	stop();
	_exit(0);
}

int main(int argc, char **argv)
{
	struct user_regs_struct regs;
	unsigned long count = 0;
	int status;
	pid_t pid;

	pid = fork();
	if (!pid)
		child(atoi(argv[1]));
	waitpid(pid, &status, 0);
	while (WIFSTOPPED(status)) {
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		if (regs.rip == (unsigned long)stop)
			break;
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		count++;
	}
	if (!WIFSTOPPED(status))
		return 1;
	kill(pid, SIGKILL);
	printf("%lu\n", count);
	return 0;
}
