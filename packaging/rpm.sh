#!/bin/bash
# Makes the RPM package of what was built already, and says where it is: in TARGET/rpm. Compiles nothing;
# what it puts where is install.sh's, what it is called and requires is in mfad/Cargo.toml.
#
# usage: rpm.sh TARGET [PROFILE]
set -eu
target=$(realpath "${1:?usage: rpm.sh TARGET [PROFILE]}") profile=${2:-release}
cd "$(dirname "$0")/.."
stage=$target/$profile/rpm
rm -rf "$stage"
mkdir -p "$stage" "$target/rpm"

# As Fedora and its kin have it: no AppArmor, 64-bit libraries apart. One tree for each way to list a file.
PREFIX=/usr PAM_DIR=/usr/lib64/security UNIT_DIR=/usr/lib/systemd/system ZSH_DIR=/usr/share/zsh/site-functions \
  APPARMOR_DIR='' PAM_CONFIGS_DIR='' AUTHSELECT_DIR=/usr/share/authselect/vendor packaging/install.sh "$target/$profile" "$stage/files" >"$stage/list"
apart() { # tree, find expression
  local tree=$1 file
  shift
  while IFS= read -r file; do
    mkdir -p "$stage/$tree/$(dirname "$file")"
    mv "$stage/files/$file" "$stage/$tree/$file"
  done < <(cd "$stage/files" && find . -type f "$@" -printf '%P\n')
}
# Documentation requires nothing: an example in Python is no reason for Python.
apart docs -path './usr/share/doc/*'
find "$stage/docs" -type f -exec chmod 644 {} +
apart programs -perm 755
mv "$stage/files/etc" "$stage/etc"

# Of another build than the release the size is no matter, and the time is.
compress=zstd
if [ "$profile" != release ]; then
  strip --strip-debug "$stage"/programs/usr/*bin/* "$stage"/programs/usr/lib/mfad/mfad-* "$stage"/files/usr/lib64/security/*
  compress=gzip
fi
cargo-generate-rpm --package mfad --target-dir "$target" --profile "$profile" --auto-req builtin \
  --payload-compress "$compress" --output "$target/rpm/"
ls "$target"/rpm/mfad-*.rpm
