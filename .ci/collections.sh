#!/usr/bin/env bash
# Fetches source distributions that carry collections of pictures (good, odd, broken and malicious ones) into
# a cache folder, and unpacks their pictures; no line of them is run. tifffile carries none. Running it again
# does nothing.
set -euo pipefail
folder="${XDG_CACHE_HOME:-$HOME/.cache}/mattebox-ci/collections"
python3 "$(dirname "$0")/sdist_pictures.py" "$folder" pillow==13.0.0 imagecodecs==2026.3.6 pillow-heif==1.8.1
echo "$folder"
