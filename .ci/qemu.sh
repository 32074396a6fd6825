#!/usr/bin/env bash
# Another processor for the tests: QEMU's user mode runs Python as on a Haswell, which has AVX2 and no
# 8-bit dot products, whatever the machine has.
set -euo pipefail
command -v qemu-x86_64 >/dev/null && exit 0
APT_CONFIG=$(cd "$(dirname "$0")" && pwd)/apt.conf
export APT_CONFIG DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends qemu-user >/dev/null
