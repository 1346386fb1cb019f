# SPDX-License-Identifier: GPL-2.0
# The front door. Each target is one line here and a script in scripts/.

# Variables on make's command line reach the scripts in their environment.

FLAVOUR ?= um

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

run: ## build um, boot it, and watch the kernel protect QUIC packets
	@scripts/run.sh

kselftest: ## run the selftests in each flavour (FLAVOURS=um: in one, see README)
	@scripts/kselftest.sh

torture: ## races, faults, fuzz, loads and other machines, for hours (HOUR=60: shorter)
	@scripts/torture.sh

kunit: ## run the KUnit suites alone, in a kernel built by kunit.py
	@scripts/kunit.sh

bench: ## measure against OpenSSL, into build/bench/ (BENCH=quick: 1 min)
	@scripts/bench.sh

coverage: ## which lines of the kernel code the selftests reach
	@scripts/torture/coverage.sh

boot: ## a root shell inside the kernel (FLAVOUR=um-debug ...: another one, see README)
	@scripts/build.sh $(FLAVOUR) && scripts/boot.sh $(FLAVOUR)

build: ## build the kernel (FLAVOUR=um-debug ...: another one, see README)
	@scripts/build.sh $(FLAVOUR)

deb: ## Debian packages of the kernel, for hardware (TRY=1: and boot them in QEMU)
	@scripts/deb.sh

series: ## write build/patches/ for git am (KERNEL_SRC=dir, NAMES=udp_quic, PROVE=1)
	@scripts/series.sh

bisect: ## compile each step of the series, with CONFIG_QUIC=y, =m and off
	@scripts/bisect.sh

configs: ## compile other configurations and machines (CONFIGS="no-ipv6 arm64": these)
	@scripts/configs.sh

refresh: ## bring edits made in build/linux back (PATCH=SET/NN-name: into that one)
	@scripts/refresh.sh

check: ## what tools say of the series and the scripts (CHECKS="sparse gcc": these)
	@scripts/check.sh

clean: ## remove build/
	rm -rf build

.PHONY: help run kselftest torture kunit bench coverage boot build deb series bisect configs refresh check clean
