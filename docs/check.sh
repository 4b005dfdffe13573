#!/bin/sh
# The documents name tests as evidence. Fails when one of them is gone or was renamed.
set -eu
cd "$(dirname "$0")/.."

missing=0
# Test functions are the words in `code` that have at least two underscores.
for name in $(grep -oh '`[a-z0-9]*_[a-z0-9]*_[a-z0-9_]*`' docs/threat-model.md docs/cves.md | tr -d '`' | sort -u); do
    case $name in wildcard_enum_match_arm) continue ;; esac
    if ! grep -rqE --include='*.rs' "fn $name\b" mfa_proto pam_mfa mfad mfactl tests; then
        echo "docs: no test is called $name" >&2
        missing=1
    fi
done
# A guide that no test follows may say anything.
for guide in docs/guides/*.md; do
    name=$(basename "$guide" .md)
    if ! grep -q "\"$name\"" tests/tests/host_guides.rs; then
        echo "docs: no test follows $guide" >&2
        missing=1
    fi
done
# Links between the documents lead somewhere.
for document in README.md docs/*.md docs/guides/*.md; do
    for target in $(grep -oE '\]\([a-zA-Z0-9_./-]+\.md' "$document" | cut -c3-); do
        if [ ! -e "$(dirname "$document")/$target" ]; then
            echo "docs: $document links to $target, which is not there" >&2
            missing=1
        fi
    done
done
exit $missing
