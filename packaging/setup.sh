#!/bin/sh
# Makes what a host needs once: accounts, directories, key and database. Packages run it when they are installed,
# an admin after `make install`. What is there is kept. It starts nothing and never touches PAM.
#
# The key is sealed by systemd-creds where systemd runs: with the TPM if there is one, else with the host's key.
# The unit takes it from the credential store, and conf.d says that it does. Elsewhere the key is a file.
set -eu
umask 022

directory=$(dirname "$(readlink -f "$0")")
program=$directory/../../sbin/mfad
[ -x "$program" ] || program=mfad
config=/etc/mfad/mfad.toml
key=/etc/mfad/key
sealed=/etc/credstore.encrypted/mfad-key
says_sealed=/etc/mfad/conf.d/key.toml
state=/var/lib/mfad
unfinished=/etc/mfad/setup-unfinished

accounts_and_directories() {
  for conf in "$directory"/../sysusers.d/mfad*.conf; do
    systemd-sysusers "$(basename "$conf")"
  done
  for conf in "$directory"/../tmpfiles.d/mfad*.conf; do
    # A host without systemd running has its own way to make /run.
    systemd-tmpfiles --create "$(basename "$conf")" || true
  done
  install -d -m 755 /etc/mfad /etc/mfad/conf.d
  [ -d "$state" ] || install -d -m 700 -o mfad -g mfad "$state"
}

as_mfad() { setpriv --reuid mfad --regid mfad --init-groups --no-new-privs "$@"; }

# Whether the configuration says where key or database are: then they are the admin's to make, or were made here.
is_chosen() {
  cat "$config" /etc/mfad/conf.d/*.toml 2>/dev/null | awk '
    /^[ \t]*\[/ { in_core = $0 ~ /^[ \t]*\[ *core *\]/ }
    in_core && /^[ \t]*(key_file|credential|state_dir)[ \t]*=/ { found = 1 }
    END { exit !found }'
}

# From 252 on, units find a credential in the store by its name.
can_seal() {
  [ -d /run/systemd/system ] && command -v systemd-creds >/dev/null &&
    [ "$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')" -ge 252 ]
}

# A key file named as the credential, in memory, and its sealed form in the store; nothing when that cannot be.
seal() {
  printf '[core]\nkey_file = "%s"\n' "$work/mfad-key" >"$work/setup.toml"
  "$program" --config "$work/setup.toml" key init >"$work/said" || return 1
  "$directory/sealed-key" seal "$work/mfad-key" || {
    echo "mfad: so it is a file" >&2
    return 1
  }
}

# The database is made by its owner, who gets the key as the unit gives it.
with_sealed_key() {
  printf '%s\n' "# Written when mfad was installed: the key is sealed in $sealed." \
    '[core]' 'credential = "mfad-key"' >"$says_sealed"
  chgrp mfad "$work" "$work/mfad-key"
  chmod 750 "$work"
  chmod 640 "$work/mfad-key"
  as_mfad env CREDENTIALS_DIRECTORY="$work" "$program" init
  sed -n "s#^\(key [0-9a-f]*\): .*#\1: sealed in $sealed; only this host can open it#p" "$work/said"
  echo "Keep a copy off this host; without it no factor can be used when this host is lost: $directory/sealed-key show"
}

with_key_file() {
  "$program" key init
  chown mfad: "$key"
  as_mfad "$program" init
}

has_key() { [ -e "$key" ] || [ -e "$sealed" ]; }
has_database() { [ -e "$state/mfad.db" ]; }

accounts_and_directories
# Cut off half-way, it begins again: nothing can be sealed yet with what it left.
if [ -e "$unfinished" ] && ! { has_key && has_database; }; then
  rm -f "$key" "$sealed" "$says_sealed" "$state/mfad.db" "$state/mfad.db-wal" "$state/mfad.db-shm"
fi
# A host that has one of key and database has lost the other, and is told so when the daemon starts: to make a new
# one here would hide it.
if ! is_chosen && ! has_key && ! has_database; then
  : >"$unfinished"
  work=$(mktemp -d /run/mfad-setup.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  if can_seal && seal; then with_sealed_key; else with_key_file; fi
fi
rm -f "$unfinished"
