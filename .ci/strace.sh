#!/usr/bin/env bash
# strace and unshare, with which tests/privacy see what a session reaches for.
set -euo pipefail
missing=()
command -v strace >/dev/null || missing+=(strace)
command -v unshare >/dev/null || missing+=(util-linux)
[ ${#missing[@]} -eq 0 ] && exit 0
APT_CONFIG=$(cd "$(dirname "$0")" && pwd)/apt.conf
export APT_CONFIG DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
