#!/bin/bash
# Whether AppArmor takes the profiles, alone and in a profile that includes the abstraction, and whether the SELinux
# module compiles against the policy of this system. Looks at the files only; nothing is loaded.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

parses() { # profile
  local said
  said=$(apparmor_parser --skip-kernel-load --skip-cache --skip-read-cache --warn=all \
    --Include "$here/apparmor" --Include /etc/apparmor.d "$1" 2>&1) || {
    echo "AppArmor refuses ${1##*/}: $said" >&2
    failed=1
  }
}
for profile in "$here"/apparmor/usr.*; do
  parses "$profile"
done
cat >"$work/host" <<'END'
abi <abi/3.0>,
include <tunables/global>
profile host /usr/bin/host-of-pam {
  include <abstractions/base>
  include <abstractions/authentication>
  include <abstractions/pam-mfad>
}
END
parses "$work/host"

cp "$here"/selinux/mfad.* "$work"
make -C "$work" -f /usr/share/selinux/devel/Makefile NAME=default AWK=awk mfad.pp >"$work/log" 2>&1 || {
  echo "SELinux refuses the module:" >&2
  cat "$work/log" >&2
  failed=1
}
# What the compiler lets pass: calls of interfaces that this policy does not have.
! grep -n 'Warning\|deprecated\|unknown' "$work/log" >&2 || failed=1
[ -s "$work/mfad.pp" ] || failed=1
exit $failed
