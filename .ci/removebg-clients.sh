#!/usr/bin/env bash
# Installs two clients of the interface that `mattebox serve` answers, made by others: npm's remove.bg and
# PyPI's removebg, each into an environment of its own in a cache folder. Running it again does nothing.
set -euo pipefail
folder="${XDG_CACHE_HOME:-$HOME/.cache}/mattebox-ci/removebg-clients"
mkdir -p "$folder"
if ! grep -qs '"version": "1.3.0"' "$folder/node_modules/remove.bg/package.json"; then
  npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
    "remove.bg@1.3.0" >&2
fi
if ! "$folder/venv/bin/python" -c "import removebg" 2>/dev/null; then
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install -q --disable-pip-version-check "removebg==0.4" >&2
fi
echo "$folder"
