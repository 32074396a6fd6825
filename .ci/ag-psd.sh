#!/usr/bin/env bash
# Installs ag-psd, an independent reader of PSDs that the tests compare with, into a cache folder.
# Needs node and npm. Running it again does nothing; it prints the folder to put into NODE_PATH.
set -euo pipefail
version=31.0.2
folder="${XDG_CACHE_HOME:-$HOME/.cache}/mattebox-ci/ag-psd"
if ! grep -qs "\"version\": \"$version\"" "$folder/node_modules/ag-psd/package.json"; then
  mkdir -p "$folder"
  npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error \
    "ag-psd@$version" >&2
fi
echo "$folder/node_modules"
