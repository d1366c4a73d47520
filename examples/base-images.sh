#!/usr/bin/env bash
# Makes sure that the engine has the base images that are named on the command line. Where no public registry is reachable, it makes
# stand-ins from the distribution's packages and says so: they carry the same names, so that Dockerfiles build unchanged.
set -euo pipefail

say() { printf '%s\n' "$*" >&2; }

missing=()
for image in "$@"; do
    docker image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

still=()
reachable=yes
for image in "${missing[@]}"; do
    if [ "$reachable" = yes ] && timeout 60 docker pull --quiet "$image" >/dev/null 2>&1; then
        say "pulled $image"
    else
        # One refusal is enough: a registry that is out of reach costs a minute for each try.
        reachable=no
        still+=("$image")
    fi
done
[ "${#still[@]}" -gt 0 ] || exit 0

say "No public registry is reachable. Making stand-ins from Debian's packages for: ${still[*]}"
command -v debootstrap >/dev/null || { say "debootstrap is missing: apt-get install debootstrap"; exit 1; }
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,haproxy,redis-server bookworm "$root" >"$root.log" 2>&1 || { tail -n 20 "$root.log" >&2; exit 1; }
rm -f "$root.log"
# What this machine trusts, the image must trust too, or nothing can be installed in it behind a proxy of the company's.
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
    chroot "$root" update-ca-certificates >/dev/null 2>&1
fi
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
id=$(tar -C "$root" -c . | docker import -)
for image in "${still[@]}"; do
    docker tag "$id" "$image"
    say "made a stand-in for $image"
done
