# What can be done here. The work itself is in cargo and in the scripts that are called.

BIN := $(or $(CARGO_TARGET_DIR),target)/release
DUCKDB := $(abspath $(or $(CARGO_TARGET_DIR),target)/duckdb)
PREFIX ?= /usr/local

.PHONY: demo build sql test lint bench install docs

# Some commands a newcomer would want, on logs that come with the project.
demo: build
	docs/demo.sh $(BIN)

# The commands, in target/release.
build:
	cargo build --release --package alog-tools

# All commands, alog-sql too, which is linked with DuckDB.
sql:
	bin/alog-sql/get-duckdb.sh $(DUCKDB)
	DUCKDB_LIB_DIR=$(DUCKDB) cargo build --release --package alog-tools --features sql

# Everything. What the tests need is in the package registries, and is got from there.
test:
	@echo 'cargo downloads the crates that are missing here. DuckDB, for alog-sql, comes from the npm registry, and so does'
	@echo 'a program that one test compares with; without npm these tests are left out.'
	tests/run.sh $(DUCKDB)

# Format of the sources, clippy, what stands at the top level.
lint:
	cargo fmt --all --check && DUCKDB_LIB_DIR=$(DUCKDB) cargo clippy --workspace --features sql --all-targets -- -D warnings
	.ci/top-level

# Ratios to other tools on a log of 1 GB: docs/bench.md.
bench: build
	docs/bench/run.sh $(BIN)

# Commands, manual pages and completions, below PREFIX.
install: build
	docs/install.sh $(BIN) $(PREFIX)

# The files that are generated: JSON Schemas and fixtures.
docs: build
	docs/generate.sh $(BIN)
	cargo run --release --package alog-testkit -- fixtures tests/fixtures
