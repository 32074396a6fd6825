#!/usr/bin/env bash
# Provides the next GIMP 3 (3.2, of Debian's next release) beside the one of gimp.sh, for the tests that run in
# both. Without root there is only the one on PATH.
set -euo pipefail
[ "$(id -u)" -eq 0 ] || exit 0
MATTEBOX_GIMP_SUITE=forky exec bash "$(dirname "$0")/gimp.sh"
