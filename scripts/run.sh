#!/bin/bash
# The demonstration: build um, boot it, and run the selftests' demo.sh inside, on
# one processor: with two User Mode Linux spends most of its time waiting.
#
#   scripts/run.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

flavour um
"$ROOT/scripts/build.sh" um
install_selftests
say "Booting"
PIN=0 exec "$ROOT/scripts/boot.sh" um "$SELFTESTS/net/quic/tools/demo.sh"
