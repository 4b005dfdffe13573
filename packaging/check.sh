#!/bin/bash
# Whether the packages are what they should be: made of a build that is there, by the distributions' own tools where
# this host has them, then looked into. Nothing is installed; what a booted host does with them is another test's.
#
# usage: check.sh TARGET [PROFILE]
set -eu -o pipefail
target=$(realpath "${1:?usage: check.sh TARGET [PROFILE]}") profile=${2:-debug}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
wrong() { echo "check.sh: $*" >&2; failed=1; }
without() { echo "check.sh: left out for want of $1: $2"; }
have() { command -v "$@" >/dev/null && [ "$(command -v "$@" | wc -l)" = $# ]; }
silent() { # what it is about, command: whatever it says is wrong
  local said
  said=$("${@:2}" 2>&1) || said=${said:-"$2 fails"}
  [ -z "$said" ] || wrong "$1: $said"
}

versions() {
  {
    sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml
    sed -n '1s/.*(\(.*\)).*/\1/p' packaging/debian/changelog
    sed -n 's/^pkgver=//p' packaging/arch/PKGBUILD
  } | sort -u >"$work/versions"
  [ "$(wc -l <"$work/versions")" = 1 ] || wrong "the packages' versions differ: $(tr '\n' ' ' <"$work/versions")"
}

scripts() {
  local script
  for script in "$@"; do silent "$script" sh -n "$script"; done
  if command -v shellcheck >/dev/null; then
    silent "shellcheck" shellcheck -s sh "$@"
  else
    without shellcheck "a closer look at scripts"
  fi
}

# No scriptlet edits PAM: what has to be undone is leave-pam's.
leaves_pam_alone() { # package, scripts
  ! grep -HE 'pam-auth-update|/etc/pam\.d|authselect [a-z]' "${@:2}" || wrong "a script of the $1 package touches PAM"
}

# What is in a package, laid out in a directory: modes, and that nothing is missing.
content() { # package, directory, where units are
  local name=$1 root=$2 units=$3 file
  find "$root" -mindepth 1 \( -type d ! -perm 755 -o -type f ! -perm 644 ! -perm 755 -o ! -type d ! -type f \) \
    -printf '%m %P\n' >"$work/modes"
  [ ! -s "$work/modes" ] || wrong "$name: modes that nothing here should have: $(cat "$work/modes")"
  for file in packaging/systemd/*.service packaging/systemd/*.socket packaging/systemd/*.timer; do
    # A role that this build does not have has none.
    case $file in *mfad-web*) [ -e "$root/usr/lib/mfad/mfad-web" ] || continue ;; esac
    [ ! -e "$file" ] || [ -e "$root$units/${file##*/}" ] || wrong "$name: lacks the unit ${file##*/}"
  done
  sed -n 's/^Exec[A-Za-z]*=[-+!]*\(\/usr[^ ]*\).*/\1/p' "$root$units"/* | sort -u >"$work/started"
  while IFS= read -r file; do
    [ -x "$root$file" ] || wrong "$name: a unit starts $file, which is not in it"
  done <"$work/started"
  # What documents, manuals and messages say lies there does.
  grep -rhE '/usr/(lib|share|share/doc)/mfad/' README.md docs etc packaging/man mfad/src mfactl/src packaging/*.md | sed 's/\\-/-/g' |
    grep -oE '/usr/(lib|share|share/doc)/mfad/[A-Za-z0-9_./-]*[A-Za-z0-9]' | sort -u >"$work/named"
  while IFS= read -r file; do
    compgen -G "$root$file*" >/dev/null || wrong "$name: $file is written about, and is not in it"
  done <"$work/named"
  for file in usr/share/man/man8/mfad.8 usr/share/man/man5/mfad.toml.5 usr/share/man/man8/pam_mfa.8 \
    usr/share/man/man1/mfactl.1 usr/share/man/man1/mfactl-enroll-totp.1; do
    [ -e "$root/$file" ] || [ -e "$root/$file.gz" ] || wrong "$name: lacks $file"
  done
}

debian() {
  local package script root=$work/deb
  package=$(packaging/deb.sh "$target" "$profile")
  dpkg-deb -x "$package" "$root"
  dpkg-deb -e "$package" "$work/control"
  # What debhelper has added is its own.
  sed -i '/^# Automatically added by dh_/,/^# End automatically added section/d' "$work"/control/p*
  scripts "$work"/control/p*
  leaves_pam_alone Debian "$work/control/postinst" "$work/control/postrm"
  content Debian "$root" "$(cd "$root" && dirname "/$(find . -name mfad.service -printf '%P')")"
  dpkg-deb -c "$package" | awk '$2 != "root/root"' >"$work/owners"
  [ ! -s "$work/owners" ] || wrong "Debian: not root's: $(cat "$work/owners")"
  [ -e "$root/usr/lib/$(dpkg-architecture -q DEB_HOST_MULTIARCH)/security/pam_mfa.so" ] || wrong "Debian: lacks the module"
  (cd "$root" && find etc -type f -printf '/%p\n') | sort | diff - <(sort "$work/control/conffiles") ||
    wrong "Debian: what is in /etc is not what is kept as configuration"
  grep -qx 'Default: no' "$root/usr/share/pam-configs/mfa" || wrong "Debian: the PAM profile is not off"
  silent lintian lintian --allow-root --fail-on error,warning "$package"
  manuals "$root" && completions "$root"
}

manuals() {
  command -v man >/dev/null || { without man "manual pages"; return; }
  local page
  while IFS= read -r page; do
    # What it shows does not matter, what it warns of does.
    silent "${page##*/}" shown "$page"
  done < <(find "$1/usr/share/man" -type f)
}

# shellcheck disable=SC2317 # by `silent`
shown() { LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=100 man --warnings -E UTF-8 -l "$1" >/dev/null; }

completions() {
  local shell file
  while read -r shell file; do
    if command -v "$shell" >/dev/null; then silent "$file" "$shell" -n "$1/$file"; else without "$shell" "its completions"; fi
  done <<'END'
bash usr/share/bash-completion/completions/mfactl
zsh usr/share/zsh/vendor-completions/_mfactl
fish usr/share/fish/vendor_completions.d/mfactl.fish
END
}

rpm_package() {
  have cargo-generate-rpm rpm2cpio cpio || { without "cargo-generate-rpm or rpm" RPM; return; }
  local package root=$work/rpm script
  package=$(packaging/rpm.sh "$target" "$profile")
  mkdir "$root"
  rpm -K --nosignature --quiet "$package" || wrong "RPM: its digests do not fit"
  # rpm2cpio's status speaks of a size that cargo-generate-rpm does not note; what came out is compared instead.
  (cd "$root" && { rpm2cpio "$package" || true; } | cpio -idm --quiet)
  diff <(rpm -qpl "$package" | sort) <(cd "$root" && find . -type f -printf '/%P\n' | sort) || wrong "RPM: it unpacks to something else"
  # It lists no directories; the modes of those are the unpacking's.
  find "$root" -type d -exec chmod 755 {} +
  content RPM "$root" /usr/lib/systemd/system
  # By a file: grep is done at the first line, and rpm would end by writing to nobody.
  rpm -qp --qf '[%{FILENAMES} %{FILEFLAGS:fflags}\n]' "$package" >"$work/flags"
  grep -qx '/etc/mfad/mfad.toml cn' "$work/flags" || wrong "RPM: mfad.toml is not kept"
  rpm -qp --qf '[%{FILEUSERNAME}:%{FILEGROUPNAME} %{FILENAMES}\n]' "$package" | grep -v '^root:root ' && wrong "RPM: not root's"
  [ -e "$root/usr/lib64/security/pam_mfa.so" ] || wrong "RPM: lacks the module"
  [ -e "$root/usr/share/authselect/vendor/mfad/system-auth" ] || wrong "RPM: lacks the profile"
  for script in PREIN POSTIN PREUN POSTUN; do
    rpm -qp --qf "%{$script}" "$package" >"$work/$script"
  done
  scripts "$work/POSTIN" "$work/PREUN" "$work/POSTUN"
  leaves_pam_alone RPM "$work/POSTIN" "$work/POSTUN"
}

arch() {
  silent PKGBUILD bash -n packaging/arch/PKGBUILD
  scripts packaging/arch/mfad.install
  leaves_pam_alone Arch packaging/arch/mfad.install
  have makepkg bsdtar fakeroot || { without makepkg "Arch's"; return; }
  # makepkg will not work as root.
  local as=() root=$work/arch
  [ "$(id -u)" != 0 ] || as=(setpriv --reuid nobody --regid nogroup --clear-groups)
  mkdir -p "$work/makepkg/src" "$root"
  cp packaging/arch/* "$work/makepkg"
  local version
  version=$(cat "$work/versions")
  mkdir "$work/makepkg/src/mfad-$version"
  cp -a packaging etc docs LICENSE-MIT "$work/makepkg/src/mfad-$version"
  tar -C "$work/makepkg/src" -czf "$work/makepkg/mfad-$version.tar.gz" "mfad-$version"
  local made
  for made in mfad mfad-egress mfad-web mfad-password mfactl libpam_mfa.so; do
    install -D "$target/$profile/$made" "$work/makepkg/build/$made"
  done
  chmod 755 "$work"
  [ "$(id -u)" != 0 ] || chown -R nobody "$work/makepkg"
  (cd "$work/makepkg" && "${as[@]}" env HOME="$work/makepkg" PACMAN=true PKGEXT=.pkg.tar MFAD_BUILD="$work/makepkg/build" \
    makepkg --nodeps --repackage) >"$work/makepkg.log" 2>&1 || { tail "$work/makepkg.log" >&2; wrong "Arch: makepkg fails"; return; }
  bsdtar -xf "$work"/makepkg/mfad-*.pkg.tar -C "$root" etc usr
  content Arch "$root" /usr/lib/systemd/system
  [ -e "$root/usr/lib/security/pam_mfa.so" ] || wrong "Arch: lacks the module"
}

versions
scripts packaging/setup.sh packaging/sealed-key.sh packaging/leave-pam.sh packaging/debian/mfad.*
debian
rpm_package
arch
exit $failed
