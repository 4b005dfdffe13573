#!/bin/bash
# The one list of what is installed, and where: `make install` and all packages take it from here. Each file is
# renamed into place: the PAM module may be mapped by a live sshd, and writing into it would crash that.
# Starts nothing, makes no account and no key: that is setup.sh's, on the host itself.
#
# usage: install.sh BUILD_DIR [DESTDIR]
#   In the environment, where this system has its own way: PREFIX (/usr), SBIN_DIR (PREFIX/sbin), PAM_DIR,
#   UNIT_DIR, ZSH_DIR; and empty for none: APPARMOR_DIR, AUTHSELECT_DIR, PAM_CONFIGS_DIR.
set -eu
build=${1:?usage: install.sh BUILD_DIR [DESTDIR]} destdir=${2:-}
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr}
share=$prefix/share
doc=$share/doc/mfad
sbin_dir=${SBIN_DIR:-$prefix/sbin}
unit_dir=${UNIT_DIR:-$prefix/lib/systemd/system}
there() { [ ! -d "$1" ] || echo "$1"; }
zsh_dir=${ZSH_DIR:-$(there "$share/zsh/vendor-completions")}
zsh_dir=${zsh_dir:-$share/zsh/site-functions}
apparmor_dir=${APPARMOR_DIR-$(there /etc/apparmor.d)}
pam_configs_dir=${PAM_CONFIGS_DIR-$(there /usr/share/pam-configs)}
authselect_dir=${AUTHSELECT_DIR-$(there /usr/share/authselect/vendor)}
multiarch=$(gcc -print-multiarch 2>/dev/null || true)
pam_dir=${PAM_DIR:-$(there "/usr/lib/$multiarch/security")}
pam_dir=${pam_dir:-$(there /usr/lib64/security)}
pam_dir=${pam_dir:-/usr/lib/security}

[ -x "$build/mfad" ] || { echo "install.sh: $build/mfad is not there; run 'make build' first" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

put() { # mode, source, target
  local target=$destdir$3
  install -d "$(dirname "$target")"
  install -m "$1" "$2" "$target.new"
  mv -f "$target.new" "$target"
  echo "$target"
}
each() { # mode, directory to put into, files; a pattern that fits none is none
  local mode=$1 into=$2 file
  shift 2
  for file in "$@"; do
    [ ! -f "$file" ] || put "$mode" "$file" "$into/${file##*/}"
  done
}
tree() { # directory to put into, directory whose files to take
  local file
  while IFS= read -r file; do
    put 644 "$2/$file" "$1/$file"
  done < <(cd "$2" && find . -type f -printf '%P\n' | sort)
}

put 755 "$build/mfad" "$sbin_dir/mfad"
put 755 "$build/mfad-egress" "$prefix/lib/mfad/mfad-egress"
put 755 "$build/mfad-web" "$prefix/lib/mfad/mfad-web"
put 755 "$build/mfad-password" "$prefix/lib/mfad/mfad-password"
put 755 packaging/setup.sh "$prefix/lib/mfad/setup"
put 755 packaging/sealed-key.sh "$prefix/lib/mfad/sealed-key"
put 755 packaging/leave-pam.sh "$prefix/lib/mfad/leave-pam"
put 755 "$build/mfactl" "$prefix/bin/mfactl"
put 644 "$build/libpam_mfa.so" "$pam_dir/pam_mfa.so"

for page in packaging/man/*.[1-8]; do
  put 644 "$page" "$share/man/man${page##*.}/${page##*/}"
done
"$build/mfactl" man --dir "$work/man1" >/dev/null
each 644 "$share/man/man1" "$work"/man1/*.1
completions() { # shell, target
  "$build/mfactl" completions "$1" >"$work/completions"
  put 644 "$work/completions" "$2"
}
completions bash "$share/bash-completion/completions/mfactl"
completions zsh "$zsh_dir/_mfactl"
completions fish "$share/fish/vendor_completions.d/mfactl.fish"

# Units name programs by their whole path.
mkdir "$work/units"
for unit in packaging/systemd/*.service packaging/systemd/*.socket packaging/systemd/*.timer; do
  sed "s#/usr/sbin/#$sbin_dir/#; s#/usr/bin/mfactl#$prefix/bin/mfactl#; s#/usr/lib/mfad/#$prefix/lib/mfad/#" "$unit" >"$work/units/${unit##*/}"
done
each 644 "$unit_dir" "$work"/units/*
each 644 "$prefix/lib/sysusers.d" packaging/sysusers.d/*.conf
each 644 "$prefix/lib/tmpfiles.d" packaging/tmpfiles.d/*.conf
each 644 "$share/polkit-1/actions" packaging/polkit/*.policy
if [ -n "$apparmor_dir" ]; then
  each 644 "$apparmor_dir" packaging/apparmor/usr.*
  each 644 "$apparmor_dir/abstractions" packaging/apparmor/abstractions/*
fi
[ -z "$pam_configs_dir" ] || each 644 "$pam_configs_dir" packaging/pam-configs/*
[ -z "$authselect_dir" ] || tree "$authselect_dir/mfad" packaging/authselect

each 644 "$doc" docs/admin-guide.md docs/ldap.md
each 644 "$doc/guides" docs/guides/*.md

# For the admin to look at and to copy: what they are for may not be there.
each 755 "$doc/examples" etc/examples/*
each 644 "$doc/examples/pam.d" etc/pam.d/*
each 644 "$doc/examples/sshd_config.d" etc/ssh/sshd_config.d/*
each 644 "$doc/examples/polkit-rules.d" packaging/polkit/*.rules
each 644 "$doc/gateways" etc/gateways/*.toml
tree "$doc/fail2ban" etc/fail2ban
each 644 "$share/mfad/selinux" packaging/selinux/mfad.*
each 644 "$share/mfad/ldap" packaging/ldap/*

# A configuration that is there already is the admin's.
[ -e "$destdir/etc/pam.d/mfad-password" ] || put 644 etc/pam.d/mfad-password /etc/pam.d/mfad-password
[ -e "$destdir/etc/mfad/mfad.toml" ] || put 644 etc/mfad.toml /etc/mfad/mfad.toml
