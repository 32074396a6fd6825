#!/usr/bin/env bash
# systemd-analyze, which reads the unit that `mattebox service install` writes.
set -euo pipefail
command -v systemd-analyze >/dev/null && exit 0
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends systemd >/dev/null
