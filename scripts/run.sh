#!/bin/bash
# The demonstration: build um, boot it, and run the selftests' demo.sh inside.
#
#   scripts/run.sh

. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

flavour um
"$ROOT/scripts/build.sh" um
install_selftests
say "Booting"
exec "$ROOT/scripts/boot.sh" um "$BUILD/um/selftests/net/quic/demo.sh"
