#!/usr/bin/env bash
# Installs the commands that were built, with the manual pages and completions that they print, and
# the library of alog-sql if that is among them.
# Usage: docs/install.sh BIN_DIR PREFIX        (DESTDIR is put before PREFIX)
set -euo pipefail
[ $# = 2 ] || { echo 'usage: docs/install.sh BIN_DIR PREFIX' >&2; exit 2; }
bin=$1 to=${DESTDIR:-}$2

# Writes what a command prints to a file, whole or not at all; a command may have no such text.
printed() {
    if "$@" >"$new" 2>/dev/null </dev/null; then mkdir -p "${file%/*}" && install -m 644 "$new" "$file"; fi
}

new=$(mktemp)
trap 'rm -f "$new"' EXIT
mkdir -p "$to/bin"
for command in "$(dirname "$0")"/../bin/*/; do
    name=$(basename "$command")
    [ -x "$bin/$name" ] || continue
    install -m 755 "$bin/$name" "$to/bin/$name"
    file=$to/share/man/man1/$name.1 printed "$bin/$name" --man
    file=$to/share/bash-completion/completions/$name printed "$bin/$name" --completions bash
    file=$to/share/zsh/site-functions/_$name printed "$bin/$name" --completions zsh
    file=$to/share/fish/vendor_completions.d/$name.fish printed "$bin/$name" --completions fish
    echo "$to/bin/$name"
done
if [ -x "$bin/alog-sql" ]; then
    mkdir -p "$to/lib/alog"
    for library in "$bin"/../duckdb/libduckdb.*; do
        install -m 644 "$library" "$to/lib/alog/"
        echo "$to/lib/alog/${library##*/}"
    done
fi
