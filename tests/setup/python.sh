#!/bin/sh
# Puts programs of PyPI, of the versions and hashes in tests/fronts/NAME.txt, into a Python environment of its own,
# TARGET/NAME. What is there already of these versions stays.
#
# A list is made by `pip-compile --generate-hashes --allow-unsafe --no-header --no-annotate --no-emit-find-links` of pip-tools.
#
# usage: python.sh NAME TARGET
set -eu
wanted="$(dirname "$0")/../fronts/$1.txt"
place="$2/$1"
if ! cmp -s "$wanted" "$place/wanted"; then
  rm -rf "$place"
  # The system's own: that of a user is not to be seen in a world.
  /usr/bin/python3 -m venv "$place" || { echo "python.sh: needs python3-venv: tests/setup/packages.sh fronts" >&2; exit 1; }
  "$place/bin/python" -m pip --quiet --disable-pip-version-check install --no-deps --require-hashes --only-binary :all: --requirement "$wanted"
  cp "$wanted" "$place/wanted"
fi
