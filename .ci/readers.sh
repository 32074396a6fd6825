#!/usr/bin/env bash
# Independent readers for the tests of what we write: ImageMagick, libvips, exiftool and Little CMS' own
# tools, and Ghostscript's CMYK profile.
set -euo pipefail
missing=()
command -v exiftool >/dev/null || missing+=(libimage-exiftool-perl)
command -v vips >/dev/null || missing+=(libvips-tools)
command -v tificc >/dev/null || missing+=(liblcms2-utils)
[ -x /usr/bin/convert ] || missing+=(imagemagick)
[ -e /usr/share/color/icc/ghostscript/default_cmyk.icc ] || missing+=(libgs-common)
[ ${#missing[@]} -eq 0 ] && exit 0
APT_CONFIG=$(cd "$(dirname "$0")" && pwd)/apt.conf
export APT_CONFIG DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
