#!/usr/bin/env bash
# Sends whatever the OpenAPI document allows, and much that it does not, to a server with sample data: no answer may be a server's error, and none may
# be missing from the document. The first argument says for how many seconds; KIWI_TEST_SCHEMATHESIS names the program.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-120}
schemathesis=${KIWI_TEST_SCHEMATHESIS:-schemathesis}
# Where the build is may be said by the environment, or by Cargo's configuration.
target=$(cargo metadata --format-version 1 --no-deps | python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
kiwi=${KIWI:-$target/debug/kiwi}
work=$(mktemp -d)
server=
finish() {
    status=$?
    if [ -n "$server" ]; then kill "$server" && wait "$server"; fi 2>/dev/null || true
    rm -rf "$work"
    exit "$status"
}
trap finish EXIT

export KIWI_DATA_DIR=$work/data KIWI_KEY_FILE=$work/key
"$kiwi" serve --listen 127.0.0.1:0 --proxy 127.0.0.1 2>"$work/serve.log" &
server=$!
for _ in $(seq 100); do url=$(sed -n 's/^serving //p' "$work/serve.log"); [ -n "$url" ] && break; sleep 0.1; done
bootstrap=$(grep -o 'kiwi_[0-9A-Za-z_]*' "$work/serve.log")
token=$(curl --silent --fail "$url/api/v1/bootstrap" --json "{\"token\":\"$bootstrap\",\"name\":\"root\",\"email\":\"root@example.com\"}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["value"])')
KIWI_TOKEN=$token KIWI_SERVER=$url "$kiwi" user add sample --email sample@example.com >/dev/null

export KIWI_TOKEN=$token SCHEMATHESIS_HOOKS=$PWD/tests/schemathesis_hooks.py config=$PWD/tests/schemathesis.toml PYTHONDONTWRITEBYTECODE=1
due=$((SECONDS + seconds))
round=1
while [ "$SECONDS" -lt "$due" ]; do
    # Without the two that could end its own token.
    (cd "$work" && "$schemathesis" --config-file "$config" run "$url/api/v1/openapi.json" --checks all --max-examples 20 --seed "$round" \
        --exclude-operation-id revoke_token --exclude-operation-id remove_user --request-timeout 30) >"$work/report" || {
        tail -n 100 "$work/report" >&2
        exit 1
    }
    sed -n 's/^ *\([0-9]* generated.*\)/\1/p' "$work/report"
    round=$((round + 1))
done
