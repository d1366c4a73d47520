#!/usr/bin/env bash
# Builds the binary that is handed out and prints where it is and how large. Arguments go to Cargo. Where the linker is LLVM's, as it is for Rust on Linux with x86-64, functions
# that are the same become one.
set -euo pipefail
cd "$(dirname "$0")/.."
flags=${RUSTFLAGS:-}
case $(rustc -vV | sed -n 's/^host: //p') in
    x86_64-unknown-linux-gnu) flags="$flags -C link-arg=-Wl,--icf=all" ;;
esac
RUSTFLAGS=$flags cargo build --profile dist --package kiwi-cli "$@"
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
printf '%s %.1f MB\n' "$target/dist/kiwi" "$(wc -c <"$target/dist/kiwi" | awk '{ print $1 / 1e6 }')"
