#!/bin/sh
# The daemon's key where systemd-creds has sealed it ([core] credential): shows, changes and puts it back. What is not
# sealed is in memory only, and root's. Refuses to replace what is sealed before a unit of the daemon's user is handed
# the new one. The one before stays beside it, as mfad-key.old, until a key is forgotten.
set -eu
umask 077

directory=$(dirname "$(readlink -f "$0")")
program=$directory/../../sbin/mfad
[ -x "$program" ] || program=mfad
sealed=/etc/credstore.encrypted/mfad-key

usage() {
  cat >&2 <<'END'
usage: sealed-key show            prints the key, for the copy that is kept off this host
       sealed-key seal FILE       seals such a copy here (- for standard input)
       sealed-key rotate          puts a new key first
       sealed-key forget ID       removes an old key that no row needs any more
       sealed-key run COMMAND...  runs mfad with the key, as in: sealed-key run mfad restore FILE
END
  exit 2
}

die() {
  echo "sealed-key: $*" >&2
  exit 1
}

# To the host's key, and to the TPM where there is one. Bound to no PCR, neither by value nor by signature: they change
# with firmware and kernel, and the key would be lost with them.
encrypted() { # key file, by what
  rm -f "$sealed.new"
  systemd-creds encrypt --name=mfad-key --with-key="$2" --tpm2-pcrs= "$1" "$sealed.new" 2>>"$work/why" && handed_over "$1"
}

seal() { # key file
  { [ -s "$1" ] && ! grep -Evq '^mfad-key-v1 [0-9a-f]{16} [0-9a-f]{64}$' "$1"; } || die "that is no key file: its lines are 'mfad-key-v1 ID KEY'"
  install -d -m 700 "$(dirname "$sealed")"
  : >"$work/why"
  if ! { systemd-creds --quiet has-tpm2 >/dev/null 2>&1 && encrypted "$1" host+tpm2; } && ! encrypted "$1" host; then
    rm -f "$sealed.new"
    cat "$work/why" >&2
    die "the key cannot be sealed here"
  fi
  [ ! -e "$sealed" ] || cp -p "$sealed" "$sealed.old"
  mv "$sealed.new" "$sealed"
}

handed_over() { # key file
  trial=mfad-key-$$
  systemd-run --quiet --wait --pipe --collect --unit="$trial" --uid=mfad \
    --property="LoadCredentialEncrypted=mfad-key:$sealed.new" cat "/run/credentials/$trial.service/mfad-key" \
    </dev/null 2>>"$work/why" | cmp -s - "$1"
}

opened() {
  [ -e "$sealed" ] || die "there is no $sealed: the key is where [core] key_file says"
  systemd-creds decrypt --name=mfad-key "$sealed" - 2>"$work/why" || {
    cat "$work/why" >&2
    die "$sealed cannot be opened on this host; seal a copy of the key here: $0 seal FILE"
  }
}

# `mfad key` on the opened key, as if it were a file. Whatever fails leaves what is sealed as it is.
changed_by() { # arguments of `mfad key`
  opened >"$work/mfad-key"
  printf '[core]\nkey_file = "%s"\n' "$work/mfad-key" >"$work/mfad.toml"
  "$program" --config "$work/mfad.toml" key "$@" >"$work/said"
  seal "$work/mfad-key"
  sed -n 's/^\(key [0-9a-f]*\) is \(first in\|gone from\) .*/\1 is \2 what is sealed/p' "$work/said"
  echo "Credentials are handed over at a start, so: systemctl restart mfad.service"
}

[ $# -ge 1 ] || usage
work=$(mktemp -d /run/mfad-key.XXXXXX)
trap 'rm -rf "$work"' EXIT
case $1:$# in
  show:1) opened ;;
  seal:2)
    cat -- "$2" >"$work/mfad-key"
    seal "$work/mfad-key"
    ;;
  rotate:1)
    changed_by rotate
    echo "Keep a copy: $0 show. When 'mfactl status' shows no rows under an older key:"
    sed -n "s#.*mfad key forget \([0-9a-f]*\)\$#  $0 forget \1#p" "$work/said"
    ;;
  forget:2)
    changed_by forget "$2"
    # It holds the key that is to be gone.
    rm -f "$sealed.old"
    ;;
  run:1) usage ;;
  run:*)
    shift
    opened >"$work/mfad-key"
    # As a unit of the daemon's user gets it: `mfad restore` goes on as that user.
    chgrp mfad "$work" "$work/mfad-key"
    chmod 750 "$work"
    chmod 640 "$work/mfad-key"
    CREDENTIALS_DIRECTORY=$work "$@"
    ;;
  *) usage ;;
esac
