#!/usr/bin/env bash
# Writes the generated files again: a JSON Schema for each kind of record, as the commands print it, and what
# the modes of alog-extract print of the scene of the testkit.
# Usage: docs/generate.sh BIN_DIR
set -euo pipefail
bin=$(cd "${1:?usage: docs/generate.sh BIN_DIR}" && pwd)
cd "$(dirname "$0")"
new=$(mktemp)
trap 'rm -f "$new"' EXIT
schema() {
    "$@" --schema >"$new" </dev/null
    record=$(sed -n 's/^  "title": "\(alog\.[a-z_.]*\)\/\([0-9]*\)".*/\1.\2/p' "$new")
    [ -n "$record" ] || { echo "$* --schema names no record" >&2; exit 1; }
    cat "$new" >"schemas/$record.json"
    echo "docs/schemas/$record.json"
}
for command in ../bin/alog-*/; do
    program=$bin/$(basename "$command")
    case $program in
    */alog-extract) "$program" --list | while read -r mode _; do schema "$program" --mode "$mode"; done ;;
    *) [ ! -x "$program" ] || schema "$program" ;;
    esac
done
# Commands that print records of a second kind.
schema "$bin/alog-calls" --stats

scene=$(mktemp -d)
trap 'rm -rf "$new" "$scene"' EXIT
cargo run --quiet --release --package alog-testkit -- scene "$scene"
fixtures=$(cd ../tests/fixtures && pwd)/extract
(cd "$scene" && "$bin/alog-extract" --mode all --zone UTC --out-dir "$fixtures" --force codex claude native)
echo "tests/fixtures/extract"
