#!/usr/bin/env bash
# systemd-analyze, which reads the unit that `mattebox service install` writes.
set -euo pipefail
command -v systemd-analyze >/dev/null && exit 0
APT_CONFIG=$(cd "$(dirname "$0")" && pwd)/apt.conf
export APT_CONFIG DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends systemd >/dev/null
