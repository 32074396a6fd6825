#!/usr/bin/env bash
# Provides a real GIMP 3 with a window for tests/gimp_plugin: builds a chroot from the system's own
# package source when root on Debian, else asks for a GIMP 3 on PATH. Does nothing when it is there.
# Prints the chroot's folder (or "PATH"). Takes about two minutes and 1.4 GB the first time.
set -euo pipefail

suite=${MATTEBOX_GIMP_SUITE:-trixie}
root=${MATTEBOX_GIMP_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/mattebox-ci/gimp-$suite}
if [ -e "$root/.complete" ] && [ ! -e "$root/usr/share/i18n/locales/de_DE" ]; then
  rm "$root/.complete"  # of a time when it knew one language; it is built anew
fi
if [ -e "$root/.complete" ]; then
  echo "$root"
  exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
  for name in gimp-console-3.2 gimp-console-3.0 gimp-console; do
    if command -v "$name" >/dev/null && "$name" --version | grep -q ' 3\.'; then
      echo PATH
      exit 0
    fi
  done
  echo "gimp.sh: no GIMP 3 on PATH, and a chroot needs root and apt" >&2
  exit 1
fi

mkdir -p "$(dirname "$root")"
exec 9>"$root.lock"
flock 9
if [ -e "$root/.complete" ]; then
  echo "$root"
  exit 0
fi

# Absolute, for apt reads it wherever it runs.
APT_CONFIG=$(cd "$(dirname "$0")" && pwd)/apt.conf
export APT_CONFIG
if ! command -v debootstrap >/dev/null; then
  apt-get update -q >&2
  apt-get install -y -q --no-install-recommends debootstrap >&2
fi
# The package source that this machine is set to; apt knows it only after an update.
source_of() {
  apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' \
    "Codename: $(. /etc/os-release && echo "$VERSION_CODENAME")" | head -n 1
}
mirror=$(source_of)
if [ -z "$mirror" ]; then
  apt-get update -q >&2
  mirror=$(source_of)
fi
[ -n "$mirror" ] || { echo "gimp.sh: apt names no Debian package source" >&2; exit 1; }

build=$root.building
if grep -q " $build/" /proc/self/mounts; then
  echo "gimp.sh: something is mounted in $build; unmount it first" >&2
  exit 1
fi
rm -rf --one-file-system "$build"
scripts=/usr/share/debootstrap/scripts
# A suite that is newer than this debootstrap is built like sid, which it came from.
[ -e "$scripts/$suite" ] || script=$scripts/sid
# Newer ones look at the date too, and have the same switch.
late=()
[[ $(debootstrap --help) == *--no-check-valid-until* ]] && late=(--no-check-valid-until)
debootstrap "${late[@]}" --variant=minbase --include=ca-certificates,python3,python3-gi \
  "$suite" "$build" "$mirror" ${script:+"$script"} >&2
printf '#!/bin/sh\nexit 101\n' >"$build/usr/sbin/policy-rc.d" && chmod 755 "$build/usr/sbin/policy-rc.d"
cp -L /etc/resolv.conf "$build/etc/resolv.conf"
apt-config dump --format '%F "%v";%n' Acquire::http Acquire::https \
  Acquire::Check-Valid-Until >"$build/etc/apt/apt.conf.d/90host"
# /proc lives in a mount namespace of its own: nothing stays mounted, whatever ends this script.
unshare --mount --propagation private bash -euc '
  mount -t proc proc "$1/proc"
  export DEBIAN_FRONTEND=noninteractive
  unset APT_CONFIG
  chroot "$1" apt-get update -q
  chroot "$1" apt-get install -y -q --no-install-recommends gimp xvfb xauth xdotool x11-utils openbox \
    imagemagick dbus fonts-dejavu-core adwaita-icon-theme locales
  chroot "$1" localedef -i de_DE -f UTF-8 de_DE.UTF-8
  chroot "$1" apt-get clean
' bash "$build" >&2
touch "$build/.complete"
rm -rf --one-file-system "$root"
mv "$build" "$root"
echo "$root"
