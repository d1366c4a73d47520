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
# Packages beyond those that every stand-in has; an image that needs none of them is the plain one under another name.
packages_of() {
    case $1 in
        node:*-slim) echo nodejs ;;
        node:*) echo nodejs npm git ;;
        python:*-slim*) ;;
        python:*) echo python3-venv python3-dev gcc libc6-dev ;;
        golang:*) echo golang-go git ;;
        rust:*) echo cargo ;;
        maven:*) echo maven default-jdk-headless libmaven-dependency-plugin-java libmaven-compiler-plugin-java libmaven-resources-plugin-java libmaven-jar-plugin-java libmaven-clean-plugin-java libmaven-install-plugin-java libmaven-deploy-plugin-java libmaven-site-plugin-java libsurefire-java ;;
        eclipse-temurin:*-jdk) echo default-jdk-headless ;;
        eclipse-temurin:*) echo default-jre-headless ;;
        nginx:*) echo nginx-light netcat-openbsd ;;
        alpine:*) echo netcat-openbsd ;;
    esac
}

# What is done after the packages are there.
after() {
    case $1 in
        # Debian's packages are the whole repository: there is no other to ask.
        maven:*) echo "&& echo '<settings><localRepository>/usr/share/maven-repo</localRepository><offline>true</offline></settings>' > /etc/maven/settings.xml" ;;
    esac
}

base=kiwi.local/stand-in:bookworm
log=$(mktemp)
root=
trap 'rm -rf "$log" "$root"' EXIT
if ! docker image inspect "$base" >/dev/null 2>&1; then
    root=$(mktemp -d)
    debootstrap --variant=minbase --include=ca-certificates,python3,haproxy,redis-server bookworm "$root" >"$log" 2>&1 || { tail -n 20 "$log" >&2; exit 1; }
    # What this machine trusts, the image must trust too, or nothing can be installed in it behind a proxy of the company's.
    if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
        cp /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
        chroot "$root" update-ca-certificates >/dev/null 2>&1
    fi
    ln -s /usr/bin/python3 "$root/usr/local/bin/python"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    bundle=/etc/ssl/certs/ca-certificates.crt
    tar -C "$root" -c . | docker import --change "ENV SSL_CERT_FILE=$bundle NODE_EXTRA_CA_CERTS=$bundle PIP_CERT=$bundle" - "$base" >/dev/null
fi
for image in "${still[@]}"; do
    packages=$(packages_of "$image")
    if [ -z "$packages" ]; then
        docker tag "$base" "$image"
    else
        # Images that need the same packages are one image.
        same=kiwi.local/stand-in:$(printf '%s' "$packages" | sha256sum | cut -c 1-16)
        docker image inspect "$same" >/dev/null 2>&1 || printf 'FROM %s\nRUN apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends %s >/dev/null && rm -rf /var/lib/apt/lists/* %s\n' "$base" "$packages" "$(after "$image")" | docker build --quiet --tag "$same" - 2>"$log" >/dev/null || { cat "$log" >&2; exit 1; }
        docker tag "$same" "$image"
    fi
    say "made a stand-in for $image"
done
