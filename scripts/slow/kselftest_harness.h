/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness, for machines that are emulated: tests get more time.
 * selftest_compiler() of scripts/common.sh puts this in front of it.
 */
#include_next "kselftest_harness.h"

#define QUIC_SLOWNESS	20

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	(30 * QUIC_SLOWNESS)

#undef TEST_F_TIMEOUT
#define TEST_F_TIMEOUT(fixture_name, test_name, timeout)	\
	__TEST_F_IMPL(fixture_name, test_name, -1, (timeout) * QUIC_SLOWNESS)
