// SPDX-License-Identifier: GPL-2.0-only
/*
 * What packet protection, sending and receiving cost without system calls:
 * loops that a program starts through /dev/quic_bench, and times against its
 * own.
 */

#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/file.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <linux/timekeeping.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>

#include "module.h"

u8 *source;

static int kbench_run(struct kbench_loop *loop)
{
	loop->alg[sizeof(loop->alg) - 1] = 0;
	if (loop->base + (u64)loop->ring * loop->stride > KBENCH_SOURCE ||
	    !loop->train || loop->train > loop->ring)
		return -EINVAL;

	switch (loop->op) {
	case KBENCH_MEMCPY:
		return kbench_memcpy(loop);
	case KBENCH_SKB_COPY:
		return kbench_skb_copy(loop);
	case KBENCH_AEAD:
	case KBENCH_BARE:
	case KBENCH_LIBRARY:
		return kbench_protect(loop);
	case KBENCH_OPEN:
	case KBENCH_OPEN_LIBRARY:
		return kbench_open(loop);
	case KBENCH_SEND:
		return kbench_send(loop);
	}
	return -EINVAL;
}

static int kbench_setsockopt(struct kbench_setsockopt *opt)
{
	struct socket *sock;
	int err = 0;
	u64 start;
	u32 flow;

	if (opt->len > sizeof(opt->value) ||
	    opt->flow_at > sizeof(opt->value) - sizeof(u32))
		return -EINVAL;
	sock = sockfd_lookup(opt->fd, &err);
	if (!sock)
		return err;

	start = ktime_get_ns();
	for (flow = 0; flow < opt->flows && !err; flow++) {
		put_unaligned_be32(flow, (u8 *)opt->value + opt->flow_at);
		err = sock->ops->setsockopt(sock, SOL_UDP, opt->name,
					    KERNEL_SOCKPTR(opt->value),
					    opt->len);
	}
	opt->ns = ktime_get_ns() - start;

	sockfd_put(sock);
	return err;
}

static int kbench_do(unsigned int cmd, void *data)
{
	switch (cmd) {
	case KBENCH_RUN:
		return kbench_run(data);
	case KBENCH_SETSOCKOPT:
		return kbench_setsockopt(data);
	case KBENCH_RECEIVE:
		return kbench_receive(data);
	}
	return -ENOTTY;
}

static long kbench_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void *data;
	int err;

	data = memdup_user((void __user *)arg, _IOC_SIZE(cmd));
	if (IS_ERR(data))
		return PTR_ERR(data);

	err = kbench_do(cmd, data);
	if (!err && copy_to_user((void __user *)arg, data, _IOC_SIZE(cmd)))
		err = -EFAULT;

	kfree(data);
	return err;
}

static ssize_t kbench_write(struct file *file, const char __user *from,
			    size_t len, loff_t *pos)
{
	return simple_write_to_buffer(source, KBENCH_SOURCE, pos, from, len);
}

static const struct file_operations kbench_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= kbench_ioctl,
	.write		= kbench_write,
	.llseek		= default_llseek,
};

static struct miscdevice kbench_dev = {
	.minor		= MISC_DYNAMIC_MINOR,
	.name		= "quic_bench",
	.fops		= &kbench_fops,
};

static int __init kbench_init(void)
{
	int err;

	/* A packet may be copied from the last stride of the ring. */
	source = vzalloc(KBENCH_SOURCE + U16_MAX);
	if (!source)
		return -ENOMEM;

	err = misc_register(&kbench_dev);
	if (err)
		vfree(source);
	return err;
}

static void __exit kbench_exit(void)
{
	misc_deregister(&kbench_dev);
	vfree(source);
}

module_init(kbench_init);
module_exit(kbench_exit);
MODULE_DESCRIPTION("Benchmark of QUIC packet protection");
MODULE_LICENSE("GPL");
