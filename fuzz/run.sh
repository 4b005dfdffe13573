#!/bin/sh
# Builds the fuzz targets with coverage instrumentation, on stable Rust, and runs them.
#
#   fuzz/run.sh smoke            the seeds and 20000 inputs made of them for each target; always the same
#   fuzz/run.sh long [SECONDS]   each target for SECONDS (default 600); finds are kept in fuzz/corpus,
#                                what breaks a promise in fuzz/artifacts
#
# Needs a C++ compiler, for libFuzzer. cargo-fuzz works as well where nightly Rust is at hand.
set -eu
cd "$(dirname "$0")"

mode=${1:-}
seconds=${2:-600}
targets="admin_reply admin_request answer_shape config frame_and_login front import ldap_value names web"
limits="-max_len=8192 -timeout=10 -rss_limit_mb=1024"

case $mode in
smoke | long) ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac

host=$(rustc -vV | sed -n 's/^host: //p')
built=${CARGO_TARGET_DIR:-target}/fuzz
# With --target the flags stay away from build scripts, which cannot link them.
RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares" \
    cargo build --quiet --release --locked --bins --target "$host" --target-dir "$built"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM
for target in $targets; do
    program=$built/$host/release/$target
    mkdir -p "artifacts/$target" "$scratch/$target"
    case $mode in
    smoke) set -- -runs=20000 -seed=1 "$scratch/$target" "corpus/$target" ;;
    long) set -- -max_total_time="$seconds" "corpus/$target" ;;
    esac
    # shellcheck disable=SC2086 # a list of words
    if "$program" $limits -artifact_prefix="artifacts/$target/" "$@" >"$scratch/log" 2>&1; then
        echo "fuzz $target: $(grep -E '^Done|^#[0-9]+.*DONE' "$scratch/log" | tail -n 1)"
    else
        cat "$scratch/log" >&2
        echo "fuzz $target: failed; the input is in fuzz/artifacts/$target" >&2
        exit 1
    fi
done
