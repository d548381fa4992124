#!/usr/bin/env bash
# Makes a log of 1 GB in bench-data (git ignores it), and measures on it. Usage: docs/bench/run.sh BIN_DIR
set -euo pipefail
bin=$(cd "${1:?usage: docs/bench/run.sh BIN_DIR}" && pwd)
cd "$(dirname "$0")/../.."
mkdir -p bench-data
cargo run --quiet --release --package alog-testkit -- big bench-data/big.jsonl --bytes 1G --seed 7
python3 docs/bench/bench.py --bin "$bin" --data bench-data
python3 docs/bench/sql.py --bin "$bin" --data bench-data
cargo bench --package alog-agentlog --bench decode --package alog-jsonl --bench search
