#!/usr/bin/env bash
# Runs all tests; those of alog-sql where its library can be had.
# Usage: tests/run.sh DUCKDB_DIR
set -euo pipefail
cd "$(dirname "$0")/.."
duckdb=${1:?usage: tests/run.sh DUCKDB_DIR}
if bin/alog-sql/get-duckdb.sh "$duckdb"; then
    DUCKDB_LIB_DIR=$(cd "$duckdb" && pwd)
    # Examples in comments are programs without a run path; the commands are run without these.
    export DUCKDB_LIB_DIR LD_LIBRARY_PATH=$DUCKDB_LIB_DIR DYLD_LIBRARY_PATH=$DUCKDB_LIB_DIR
    cargo test --workspace --features sql
else
    echo 'left out: the tests of alog-sql'
    cargo test
fi
