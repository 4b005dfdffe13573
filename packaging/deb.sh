#!/bin/bash
# Makes the Debian package from the release build, in TARGET/deb.
#
# usage: deb.sh TARGET
set -eu
source=$(pwd)
work=$1/deb
[ -x "$1/release/mfad" ] || { echo "deb.sh: $1/release/mfad is not there; run 'make build' first" >&2; exit 1; }

rm -rf "$work"
mkdir -p "$work/mfad"
cp -a packaging/debian "$work/mfad/debian"
# In a directory of its own, so that nothing of the sources changes. Cargo is no package of Debian's here.
cd "$work/mfad"
CARGO_TARGET_DIR=$1 MFAD_SOURCE=$source dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo --no-check-builddeps >"$work/build.log" 2>&1 || {
  tail -n 40 "$work/build.log" >&2; exit 1
}
ls "$work"/mfad_*.deb
