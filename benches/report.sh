#!/usr/bin/env bash
# Writes docs/reports/<date>.md: every figure, from a release build and the full tests. Called by tests/run.sh --full, which started what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x /usr/bin/time ] || { apt-get install -y -qq time >/dev/null; }
mkdir -p docs/reports
report=docs/reports/$(date -u +%Y-%m-%d).md
cargo build --quiet --release --workspace
# The figures are those of what is handed out.
built=$(./packaging/release.sh --quiet --package kiwi-benches)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
runner=(cargo test --release --package kiwi-tests --no-fail-fast -- --nocapture --test-threads 1)
command -v cargo-nextest >/dev/null && runner=(cargo nextest run --release --package kiwi-tests --no-capture --no-fail-fast)
status=0
KIWI_TEST_FULL=yes "${runner[@]}" 2>&1 | tee "$log" | { grep --line-buffered FIGURE || true; } || status=$?
{
    echo "# Figures of $(date -u +%Y-%m-%d)"
    echo
    echo "$(nproc) cores, $(awk '/MemTotal/ { printf "%d GiB", $2 / 1048576 }' /proc/meminfo), $(docker version --format 'Docker Engine {{.Server.Version}}'), commit $(git rev-parse --short HEAD)."
    echo "Ratios are of medians from one run, both sides in turn. This kind of machine is noisy: the ratios count, not the seconds."
    echo
    "$(dirname "${built% * MB}")/kiwi-figures"
    echo
    echo "## From the tests"
    echo
    sed -n 's/.*FIGURE \(.*\)/* \1/p' "$log"
    echo
    sed -n 's/^ *Summary.*\] *\(.*\)/\1/p' "$log"
} >"$report"
echo "wrote $report"
if [ "$status" -ne 0 ]; then
    grep -E '^ *(FAIL|TIMEOUT|SIG)' "$log" >&2 || tail -n 50 "$log" >&2
    exit "$status"
fi
