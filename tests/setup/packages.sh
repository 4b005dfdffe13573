#!/bin/bash
# Installs the Debian packages that building, testing, the demo or the benchmarks need, and nothing that is
# already there. Works as root or by sudo. Installing openssh-server must not open this host to the network,
# so services are kept from starting, and newly installed ones that listen are not enabled either.
#
# usage: packages.sh build|demo|test|fronts|bench|peer|deb|rpm|packages|deny...
set -eu

declare -A of=(
  [build]="build-essential libpam0g-dev"
  [demo]="openssh-server openssh-client iproute2 util-linux passwd procps"
  [test]="apparmor curl dbus-daemon debootstrap fail2ban freeradius freeradius-rest freeradius-utils ldap-utils openssl polkitd python3-aiosmtpd python3-dbusmock python3-prometheus-client python3-requests rsync selinux-policy-dev slapd strace sudo sqlite3 oathtool libpam-oath libpam-modules login systemd"
  [fronts]="curl freeradius freeradius-rest freeradius-utils jython libconvert-base32-perl libgd-securityimage-perl libimage-magick-perl liblemonldap-ng-portal-perl libmime-tools-perl libpam-radius-auth libplack-perl libstring-random-perl nginx-light openssl pamtester python3-venv"
  [bench]="libpam-oath libpam-google-authenticator libpam-modules iproute2 util-linux sqlite3"
  [peer]="postgresql python3-venv"
  [deb]="debhelper dh-apparmor dpkg-dev lintian pkg-config"
  [rpm]="rpm rpm2cpio cpio"
  [packages]="fakeroot fish groff libarchive-tools makepkg man-db shellcheck zsh"
  [deny]="git ca-certificates"
)

# What is enabled by packages, and listens.
declare -A listening=(
  [openssh-server]="ssh.service ssh.socket"
  [freeradius]="freeradius.service"
  [nginx-light]="nginx.service"
  [postgresql]="postgresql.service"
  [slapd]="slapd.service"
)

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
    echo "packages.sh: need root or sudo to install packages" >&2; exit 1
  fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for purpose in build "$@"; do
  [ -n "${of[$purpose]:-}" ] || { echo "packages.sh: unknown purpose '$purpose'" >&2; exit 2; }
  for package in ${of[$purpose]}; do
    installed "$package" || case " ${missing[*]-} " in *" $package "*) ;; *) missing+=("$package") ;; esac
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
  echo "packages.sh: this is no Debian system; install what matches these yourself: ${missing[*]}" >&2; exit 1
}
echo "packages.sh: installing ${missing[*]}"

# apt asks policy-rc.d before it starts a service: 101 means "do not".
guard=/usr/sbin/policy-rc.d
if [ ! -e $guard ]; then
  printf '#!/bin/sh\nexit 101\n' | as_root tee $guard >/dev/null
  as_root chmod 755 $guard
  trap 'as_root rm -f '$guard EXIT
fi
# sudo drops the environment, hence env behind it.
apt() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@"; }
apt install -y --no-install-recommends "${missing[@]}" >/dev/null 2>&1 || {
  apt update
  apt install -y --no-install-recommends "${missing[@]}"
}
[ -d /run/systemd/system ] || exit 0
for package in "${missing[@]}"; do
  [ -n "${listening[$package]:-}" ] || continue
  # shellcheck disable=SC2086 # they are words
  as_root systemctl --quiet disable ${listening[$package]} 2>/dev/null || true
  echo "packages.sh: $package is installed for the tests; it is neither started nor enabled"
done
