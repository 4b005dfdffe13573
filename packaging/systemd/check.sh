#!/bin/bash
# Whether systemd takes the units, and how exposed it says each service is: at most 0.5 for core, which has no
# network, 1.3 for egress and web, 1.0 for the prover of passwords, and 1.2 for what takes changes to PAM back. Looks at the
# files only; nothing is started or installed.
set -eu -o pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The programs are not installed where this runs; what they are called has no bearing on either question.
for unit in "$here"/*.service "$here"/*.socket "$here"/*.timer; do
  sed 's#^ExecStart=.*#ExecStart=/bin/true#; s#^ExecReload=.*##' "$unit" > "$work/$(basename "$unit")"
done
failed=0
for unit in "$work"/*; do
  # It also looks at units of the host that ours name: only what it says of ours counts.
  said=$(systemd-analyze verify --man=no "$unit" 2>&1 | grep -F "$(basename "$unit")" || true)
  [ -z "$said" ] || { echo "$said"; failed=1; }
done
exposure() { # service, most in tenths
  systemd-analyze security --offline=true --no-pager --threshold="$2" "$work/$1" | tail -n 1 || failed=1
}
for unit in "$work"/*.service; do
  case $(basename "$unit") in
    mfad.service) exposure mfad.service 5 ;;
    # It runs as root, to write root's files.
    mfad-pam-revert.service) exposure mfad-pam-revert.service 12 ;;
    mfad-password.service) exposure mfad-password.service 10 ;;
    *) exposure "$(basename "$unit")" 13 ;;
  esac
done
exit $failed
