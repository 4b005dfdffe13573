#!/bin/bash
# Makes the Debian package of what was built already, and says where it is: TARGET/deb for a release build,
# TARGET/deb-PROFILE for another, whose package is quick to make and not small. Runs no Cargo.
#
# usage: deb.sh TARGET [PROFILE [VERSION]]
#   VERSION instead of the changelog's, so that an upgrade can be tried.
set -eu
target=$(realpath "${1:?usage: deb.sh TARGET [PROFILE [VERSION]]}") profile=${2:-release} version=${3:-}
source=$(cd "$(dirname "$0")/.." && pwd)
work=$target/deb
[ "$profile" = release ] || work=$work-$profile
build=$target/$profile
for made in mfad mfad-egress mfad-web mfad-password mfactl libpam_mfa.so; do
  [ -e "$build/$made" ] || { echo "deb.sh: $build/$made is not there; run 'make build' first" >&2; exit 1; }
done

mkdir -p "$work"
# One at a time; what an earlier run made for this version is replaced.
exec 9>"$work/lock"
flock 9
rm -rf "$work/mfad"
mkdir "$work/mfad"
cp -a "$source/packaging/debian" "$work/mfad/debian"
# In a directory of its own, so that nothing of the sources changes.
cd "$work/mfad"
[ -z "$version" ] || sed -i "1s/(.*)/($version)/" debian/changelog
# Cargo is no package of Debian's here, hence no look at build dependencies.
MFAD_SOURCE=$source MFAD_BUILD=$build MFAD_PROFILE=$profile dpkg-buildpackage --build=binary --unsigned-changes \
  --unsigned-buildinfo --no-check-builddeps >"$work/build.log" 2>&1 9>&- || { tail -n 40 "$work/build.log" >&2; exit 1; }
echo "$work/mfad_$(dpkg-parsechangelog -S Version)_$(dpkg --print-architecture).deb"
