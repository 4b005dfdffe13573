#!/bin/bash
# Puts the release build where an admin expects it. Each file is renamed into place: the PAM module may be
# mapped by a live sshd, and writing into it would crash that.
#
# usage: install.sh BUILD_DIR DESTDIR PREFIX PAM_DIR
set -eu
build=$1 destdir=$2 prefix=$3 pam_dir=$4

[ -x "$build/mfad" ] || { echo "install.sh: $build/mfad is not there; run 'make build' first" >&2; exit 1; }

put() { # mode, source, target
  local target=$destdir$3
  install -d "$(dirname "$target")"
  install -m "$1" "$2" "$target.new"
  mv -f "$target.new" "$target"
  echo "$target"
}

put 755 "$build/mfad" "$prefix/sbin/mfad"
put 755 "$build/mfad-egress" "$prefix/lib/mfad/mfad-egress"
put 755 "$build/mfad-web" "$prefix/lib/mfad/mfad-web"
put 755 "$build/mfactl" "$prefix/bin/mfactl"
put 644 "$build/libpam_mfa.so" "$pam_dir/pam_mfa.so"
for page in packaging/man/*.[1-8]; do
  put 644 "$page" "$prefix/share/man/man${page##*.}/${page##*/}"
done
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT
"$build/mfactl" man --dir "$pages" >/dev/null
for page in "$pages"/*.1; do
  put 644 "$page" "$prefix/share/man/man1/${page##*/}"
done
completions() { # shell, target
  "$build/mfactl" completions "$1" >"$pages/completions"
  put 644 "$pages/completions" "$2"
}
completions bash "$prefix/share/bash-completion/completions/mfactl"
completions zsh "$prefix/share/zsh/vendor-completions/_mfactl"
completions fish "$prefix/share/fish/vendor_completions.d/mfactl.fish"
for unit in packaging/systemd/*.service packaging/systemd/*.socket; do
  put 644 "$unit" "$prefix/lib/systemd/system/${unit##*/}"
done
for example in etc/examples/*; do
  put 755 "$example" "$prefix/share/doc/mfad/examples/${example##*/}"
done
put 644 packaging/polkit/io.github.mfad.policy "$prefix/share/polkit-1/actions/io.github.mfad.policy"
put 644 packaging/sysusers.d/mfad.conf "$prefix/lib/sysusers.d/mfad.conf"
put 644 packaging/tmpfiles.d/mfad.conf "$prefix/lib/tmpfiles.d/mfad.conf"
for gateway in etc/gateways/*.toml; do
  put 644 "$gateway" "$prefix/share/doc/mfad/gateways/${gateway##*/}"
done
# For the admin to copy: fail2ban may not be there.
for part in etc/fail2ban/*/mfad.conf; do
  put 644 "$part" "$prefix/share/doc/mfad/${part#etc/}"
done
# A configuration that is there already is the admin's.
if [ -e etc/mfad.toml ] && [ ! -e "$destdir/etc/mfad/mfad.toml" ]; then
  put 644 etc/mfad.toml /etc/mfad/mfad.toml
fi
