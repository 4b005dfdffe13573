#!/bin/sh
# Puts programs of PyPI, of the versions and hashes in tests/fronts/NAME.txt, into a Python environment of its own,
# TARGET/NAME. What is there already of these versions stays.
#
# A list is made by `pip-compile --generate-hashes --allow-unsafe --no-header --no-annotate --no-emit-find-links` of pip-tools.
# What NAME.source.txt names is unpacked into TARGET/NAME/source and not set up: it is for a Python that is not here,
# and might write outside the environment.
#
# usage: python.sh NAME TARGET
set -eu
list="$(dirname "$0")/../fronts/$1"
place="$2/$1"
wanted() { cat "$list".*txt; }
pip() { "$place/bin/python" -m pip --quiet --disable-pip-version-check "$@" --no-deps --require-hashes; }
if ! wanted | cmp -s - "$place/wanted"; then
  rm -rf "$place"
  # The system's own: that of a user is not to be seen in a world.
  /usr/bin/python3 -m venv "$place" || { echo "python.sh: needs python3-venv: tests/setup/packages.sh fronts" >&2; exit 1; }
  pip install --only-binary :all: --requirement "$list.txt"
  if [ -e "$list.source.txt" ]; then
    # pip asks an archive what it is by its setup.py, for which the list above has what is needed.
    pip download --no-build-isolation --no-binary :all: --dest "$place/source" --requirement "$list.source.txt"
    for archive in "$place/source"/*.tar.gz; do tar -xzf "$archive" -C "$place/source"; done
  fi
  wanted > "$place/wanted"
fi
