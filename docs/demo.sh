#!/usr/bin/env bash
# What a newcomer would try first, on the logs that come with the project: each command, then what it prints.
# Usage: docs/demo.sh BIN_DIR
set -euo pipefail
bin=$(cd "${1:?usage: docs/demo.sh BIN_DIR}" && pwd)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
cp -R "$(dirname "$0")/../tests/fixtures/." "$logs"
cd "$logs"
PATH=$bin:$PATH
export PATH COLUMNS=${COLUMNS:-110}

bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi

show() {
    printf '\n%s$ %s%s\n' "$bold" "$1" "$plain"
    # A check that fails is something to show, too.
    bash -c "$1" </dev/null 2>&1 || true
}
show_with_jq() {
    if command -v jq >/dev/null; then show "$1"; else printf '\n$ %s\n(left out: jq is not installed)\n' "$1"; fi
}

printf 'The logs are those of tests/fixtures. First a home as agents leave it: transcripts and rollouts.\n'
export CLAUDE_CONFIG_DIR=native/claude CODEX_HOME=native/codex ALOG_ROOTS=
show 'alog-prompts --discover -n 5 --zone UTC -o table'
show 'alog-turns --discover -n 4 -o table'
show 'alog-tokens --discover --by day,model --cost --zone UTC -o table'
printf '\nThen centralized SSE logs: one of Codex CLI, one of Claude Code, one full of faults.\n'
show 'alog-prompts codex claude --last 5 --zone UTC -o table'
show 'alog-prompts codex --last 1 --pretty'
show_with_jq "alog-prompts codex claude | jq -r '[.t, .provider, .text[:60]] | @tsv'"
show 'alog-turns codex claude --status aborted,completed --last 4 -o table'
show 'alog-tokens codex claude --by day,model --cost -o table'
show 'alog-calls faults.jsonl --check -o table'
show 'alog-deltas codex --status open --text-only'
show 'alog-extract codex claude --mode tool_usage_stats -o table'
show 'alog-extract captured --mode tools_defined,system_prompts --out-dir data && wc -l data/*'
show 'alog-events codex claude -e codex.idle,claude.stop --last 3'
show_with_jq "alog-events codex -e turn.exec.end | jq -c '{t, exit_code: .payload.exit_code, seconds: .payload.duration.secs}'"
show_with_jq "alog-events codex claude | jq -r .event | sort | uniq -c | sort -rn | head -n 8"
show 'alog-events faults.jsonl --bad-lines bad.jsonl --summary --last 0'
show 'cut -c 1-110 bad.jsonl'
printf '\nWithout a path, the commands read the logs of this machine. %s/alog says which there are.\n' "$bin"
