#!/bin/bash
# Run the KUnit suites of net/quic under the kernel's own kunit.py, which builds
# a kernel of its own for that.
#
#   scripts/kunit.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

lock
need_packages gcc:gcc /usr/include/stdio.h:libc6-dev make:make flex:flex \
	bison:bison bc:bc perl:perl rsync:rsync ccache:ccache python3:python3
"$ROOT/scripts/assemble.sh"

cd "$BUILD/linux"
say "Building a kernel for KUnit (some minutes) and running it"
exec tools/testing/kunit/kunit.py run --kunitconfig=net/quic \
	--build_dir="$BUILD/kunit" --jobs="$JOBS" --make_options=CC="ccache gcc"
