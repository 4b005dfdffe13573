#!/bin/sh
# Puts schemathesis, in the versions of tests/fronts/schemathesis.txt, into a Python environment of its own.
#
# usage: schemathesis.sh DIRECTORY
set -eu
wanted="$(dirname "$0")/../fronts/schemathesis.txt"
if ! cmp -s "$wanted" "$1/wanted"; then
  rm -rf "$1"
  # The system's own: that of a user is not to be seen in a world.
  /usr/bin/python3 -m venv "$1"
  "$1/bin/python" -m pip --quiet --disable-pip-version-check install --requirement "$wanted"
  cp "$wanted" "$1/wanted"
fi
