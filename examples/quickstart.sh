#!/usr/bin/env bash
# Delivers a sample service on this machine: installs and starts what is missing, builds kiwi, and takes a git repository to a running service,
# through an update while requests flow, and back. Run it again as often as you like; `--down` removes everything it made.
set -euo pipefail
cd "$(dirname "$0")/.."

state=${KIWI_QUICKSTART_DIR:-${XDG_STATE_HOME:-$HOME/.local/state}/kiwi-quickstart}
profile=${KIWI_QUICKSTART_PROFILE:-release}
export KIWI_DATA_DIR=$state/data KIWI_KEY_FILE=$state/key
kiwi=$state/bin/kiwi
git_port=20998
registry_address=127.0.0.1:20999
user=quickstart

say() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
note() { printf '%s\n' "$*" >&2; }
need() { command -v "$1" >/dev/null 2>&1; }
fail() { note "quickstart: $*"; exit 1; }

ask() {
    # Only a person at the terminal is asked; a script that runs this wants it done.
    [ -t 0 ] && [ -t 2 ] || return 0
    read -r -p "$* [Y/n] " answer
    case "$answer" in n* | N*) return 1 ;; esac
}

# Stops a program that an earlier run started, if it is still that program.
stop() {
    local file=$state/$1.pid
    if [ -f "$file" ]; then
        local process
        process=$(cat "$file")
        if grep -qaF "$2" "/proc/$process/cmdline" 2>/dev/null; then kill "$process" 2>/dev/null || true; fi
        rm -f "$file"
    fi
}

down() {
    say "removing what the quickstart made"
    if [ -x "$kiwi" ] && [ -d "$KIWI_DATA_DIR" ] && docker info >/dev/null 2>&1; then
        "$kiwi" service remove shop --volumes >/dev/null 2>&1 || true
        docker images --quiet --filter label=kiwi.dev/service=shop | sort -u | xargs -r docker rmi --force >/dev/null 2>&1 || true
        # The gateway stays when other services use it.
        if ! docker run --rm -v kiwi-gateway:/state --entrypoint sh haproxy:lts -c 'ls /state/routes 2>/dev/null' 2>/dev/null | grep -q .; then
            docker rm --force kiwi-gateway >/dev/null 2>&1 || true
            docker volume rm kiwi-gateway >/dev/null 2>&1 || true
        fi
    fi
    stop git git_server.py
    stop registry registry
    stop dockerd dockerd
    rm -rf "$state"
    note "done; installed packages and the base images are left in place"
}

if [ "${1:-}" = --down ]; then down; exit 0; fi
[ $# -eq 0 ] || fail "unknown argument $1; the only one is --down"
mkdir -p "$state"

say "what is needed"
packages=()
need dockerd || need docker || packages+=(docker.io)
need docker-registry || packages+=(docker-registry)
need htpasswd || packages+=(apache2-utils)
need curl || packages+=(curl)
need python3 || packages+=(python3)
docker image inspect haproxy:lts python:3.11-slim >/dev/null 2>&1 || need debootstrap || packages+=(debootstrap)
need cargo || fail "cargo is missing; install Rust from https://rustup.rs"
need git || packages+=(git)
if [ "${#packages[@]}" -gt 0 ]; then
    need apt-get || fail "missing: ${packages[*]}; install them with your package manager"
    [ "$(id -u)" = 0 ] || fail "missing: ${packages[*]}; run: sudo apt-get install ${packages[*]}"
    ask "Install ${packages[*]}?" || fail "nothing was installed"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi
if ! docker info >/dev/null 2>&1; then
    [ "$(id -u)" = 0 ] || fail "the Docker Engine is not running, or you may not use it; start it, or run this as root"
    ask "Start the Docker Engine?" || fail "the Docker Engine is not running"
    setsid dockerd >"$state/dockerd.log" 2>&1 &
    echo $! >"$state/dockerd.pid"
    for _ in $(seq 100); do docker info >/dev/null 2>&1 && break; sleep 0.3; done
    docker info >/dev/null 2>&1 || { tail -n 5 "$state/dockerd.log" >&2; fail "the Docker Engine did not start"; }
fi
./examples/base-images.sh haproxy:lts python:3.11-slim

say "build kiwi (the first time takes some minutes)"
# Cargo's own install finds what it built wherever this machine's configuration has it put.
cargo install --quiet --locked --path kiwi-cli --root "$state" --profile "$profile" --no-track --force

say "a git host and a registry on loopback, with a password each"
[ -f "$state/password" ] || (umask 077; head -c 18 /dev/urandom | base64 | tr -d '\n' >"$state/password")
if [ ! -d "$state/git/shop.git" ]; then
    git init --quiet --bare --initial-branch=main "$state/git/shop.git"
fi
stop git git_server.py
setsid python3 examples/git_server.py "$state/git" "$git_port" "$state/password" >"$state/git.log" 2>&1 &
echo $! >"$state/git.pid"
stop registry registry
htpasswd -Bbn "$user" "$(cat "$state/password")" >"$state/htpasswd" 2>/dev/null
cat >"$state/registry.yml" <<YAML
version: 0.1
storage: { filesystem: { rootdirectory: $state/registry }, delete: { enabled: true } }
http: { addr: $registry_address }
auth: { htpasswd: { realm: quickstart, path: $state/htpasswd } }
YAML
setsid "$(command -v docker-registry || command -v registry)" serve "$state/registry.yml" >"$state/registry.log" 2>&1 &
echo $! >"$state/registry.pid"
for _ in $(seq 100); do
    curl -s -o /dev/null "http://$registry_address/v2/" && curl -s -o /dev/null "http://127.0.0.1:$git_port/" && break
    sleep 0.1
done

# The repository's working copy, with this version in it.
push() {
    local work=$state/work
    rm -rf "$work"
    git clone --quiet "$state/git/shop.git" "$work" 2>/dev/null
    cp examples/shop/* "$work"/
    sed -i "s/^VERSION = .*/VERSION = \"$1\"/" "$work/app.py"
    git -C "$work" checkout --quiet -B main
    git -C "$work" add --all
    git -C "$work" -c user.name=Quickstart -c user.email=quickstart@example.invalid commit --quiet --allow-empty --message "version $1"
    git -C "$work" push --quiet origin main
}

say "register and deliver version 1"
push 1
"$kiwi" runtime list --output json | grep -q '"local"' || "$kiwi" runtime add docker local >&2
"$kiwi" registry list --output json | grep -q '"local"' || "$kiwi" registry add local --url "$registry_address" --username "$user" --password-stdin --insecure <"$state/password" >&2
"$kiwi" service list --output json | grep -q '"shop"' ||
    "$kiwi" service register shop --git "http://127.0.0.1:$git_port/shop.git" --token-stdin --registry local --port 8080 --health / --test 'python3 /app/test_app.py' <"$state/password" >&2
"$kiwi" run shop >&2
url=$("$kiwi" status shop --output json | sed -n 's/^  "url": "\(.*\)",*$/\1/p')
note "answer: $(curl -s "$url")"

say "deliver version 2 while requests flow"
push 2
: >"$state/answers"
(while [ -f "$state/answers" ] && [ ! -f "$state/stop" ]; do curl -s -m 10 -o /dev/null -w '%{http_code}\n' "$url" >>"$state/answers" || true; done) &
requests=$!
"$kiwi" run shop >&2
note "answer: $(curl -s "$url")"
say "roll back"
"$kiwi" rollback shop >&2
note "answer: $(curl -s "$url")"
touch "$state/stop"
wait "$requests" || true
rm -f "$state/stop"
total=$(wc -l <"$state/answers")
lost=$(grep -vc '^200$' "$state/answers" || true)

say "what happened"
"$kiwi" history shop >&2
note "$lost of $total requests were lost during the update and the rollback."
[ "$lost" = 0 ] || fail "requests were lost"
note "Remove everything with ./examples/quickstart.sh --down. The service answers at:"
echo "$url"
