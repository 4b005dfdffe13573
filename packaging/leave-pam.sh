#!/bin/sh
# Takes pam_mfa.so out of PAM, before it is removed: a stack that names a module which is not there denies every login.
# What mfactl and the system's own tools put there they take out; where a person did, nothing is changed. Status 0 says
# that nothing names it any more.
set -eu

# Files of services that name the module; what package managers and editors put aside is no service.
naming() {
  grep -lsE '^[^#]*pam_mfa\.so' /etc/pam.d/* /etc/authselect/*-auth /usr/lib/pam.d/* /etc/pam.conf |
    grep -vE '~$|\.(dpkg|ucf)-[a-z]+$|\.(rpm|pac)(save|new|orig)$' || true
}

# Services that `mfactl pam enable` changed, of which it knows how to take that back.
enabled() {
  for record in /var/lib/mfad-pam/pending/*.json /var/lib/mfad-pam/active/*.json; do
    [ ! -e "$record" ] || basename "$record" .json
  done | sort -u
}

refuse() { # files
  echo "mfad: pam_mfa.so is still used by:" >&2
  echo "$1" | sed 's/^/  /' >&2
  case $1 in
    */etc/authselect/*) echo "mfad: select another profile ('authselect select local'), then remove mfad again." >&2 ;;
    *)
      echo "mfad: without it these would let nobody in. Take its line out ('mfactl pam disable SERVICE', or --all)," >&2
      echo "mfad: then remove mfad again." >&2
      ;;
  esac
  exit 1
}

# What mfactl and pam-auth-update wrote is theirs to undo.
services=$(enabled)
by_hand=$(naming | grep -vE '^/etc/pam\.d/common-' | while IFS= read -r file; do
  echo "$services" | grep -qxF "${file##*/}" || echo "$file"
done)
[ -z "$by_hand" ] || refuse "$by_hand"
for service in $services; do
  "$(dirname "$(readlink -f "$0")")/../../bin/mfactl" pam disable "$service" --yes
done
if command -v pam-auth-update >/dev/null; then
  pam-auth-update --package --remove mfa
fi
left=$(naming)
[ -z "$left" ] || refuse "$left"
