#!/usr/bin/env bash
# Debian's Chromium, in which tests/web drive the light table.
set -euo pipefail
command -v chromium >/dev/null && exit 0
APT_CONFIG=$(cd "$(dirname "$0")" && pwd)/apt.conf
export APT_CONFIG DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends chromium >/dev/null
