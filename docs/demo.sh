#!/usr/bin/env bash
# What a newcomer would try first, on the logs that come with the project: each command, then what it prints.
# Usage: docs/demo.sh BIN_DIR
set -euo pipefail
bin=$(cd "${1:?usage: docs/demo.sh BIN_DIR}" && pwd)
cd "$(dirname "$0")/../tests/fixtures"
PATH=$bin:$PATH
export PATH COLUMNS=${COLUMNS:-110}

show() {
    printf '\n\033[1m$ %s\033[0m\n' "$1"
    bash -c "$1" </dev/null
}
with_jq() {
    if command -v jq >/dev/null; then show "$1"; else printf '\n$ %s\n(skipped: jq is not installed)\n' "$1"; fi
}

printf 'The logs are in tests/fixtures: one of Codex CLI, one of Claude Code.\n'
show 'alog-prompts codex claude --last 5 --zone UTC -o table'
show 'alog-prompts codex --last 1 --pretty'
with_jq "alog-prompts codex claude | jq -r '[.t, .provider, .text[:60]] | @tsv'"
show 'alog-events codex claude -e codex.idle,claude.stop --last 3'
with_jq "alog-events codex -e turn.exec.end | jq -c '{t, exit_code: .payload.exit_code, command: .payload.command}' | head -n 5"
with_jq "alog-events codex claude | jq -r .event | sort | uniq -c | sort -rn | head -n 8"
show 'alog-events faults.jsonl --bad-lines /dev/stdout --summary --last 0 | cut -c 1-110'
printf '\nThe same commands without a path read the logs of this machine: %s/alog lists what is there.\n' "$bin"
