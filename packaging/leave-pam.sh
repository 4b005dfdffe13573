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

refuse() { # files
  echo "mfad: pam_mfa.so is still used by:" >&2
  echo "$1" | sed 's/^/  /' >&2
  case $1 in
    */etc/authselect/*) echo "mfad: select another profile ('authselect select local'), then remove mfad again." >&2 ;;
    *) echo "mfad: without it these would let nobody in. Take its line out of them, then remove mfad again." >&2 ;;
  esac
  exit 1
}

# It knows what it put there, and of lines by hand which can go without letting in anybody who has no password. Where
# none can, it would have the stack deny: that would lock out whoever comes in by it.
mfactl=$(dirname "$(readlink -f "$0")")/../../bin/mfactl
if [ -x "$mfactl" ]; then
  shut=$("$mfactl" pam disable --all --dry-run 2>/dev/null |
    awk '/^\+\+\+ /{file=$2} /^\+.*pam_deny\.so # in the place of pam_mfa/{print file}')
  [ -z "$shut" ] || refuse "$shut"
  "$mfactl" pam disable --all || true
fi
# What pam-auth-update writes is its own to undo.
by_hand=$(naming | grep -vE '^/etc/pam\.d/common-' || true)
[ -z "$by_hand" ] || refuse "$by_hand"
if command -v pam-auth-update >/dev/null; then
  pam-auth-update --package --remove mfa
fi
left=$(naming)
[ -z "$left" ] || refuse "$left"
