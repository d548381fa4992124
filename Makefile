# What can be done here. The work itself is in cargo and in the scripts that are called.

BIN := $(or $(CARGO_TARGET_DIR),target)/release
PREFIX ?= /usr/local

.PHONY: demo build test lint bench install docs

demo: build                     ## some commands, on logs that come with the project
	docs/demo.sh $(BIN)

build:                          ## the commands, in target/release
	cargo build --release --package alog-tools

test:                           ## everything; cargo gets the crates it needs by itself
	@echo 'Cargo downloads the crates that are missing from its package registry.'
	cargo test

lint:                           ## layout of the sources, clippy, what stands at the top level
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	.ci/top-level

bench: build                    ## ratios to other tools on 1 GB (docs/bench.md)
	cargo run --release --package alog-testkit --bin testlog -- big bench-data/big.jsonl --bytes 1G --seed 7
	python3 docs/bench/bench.py --bin $(BIN) --data bench-data
	cargo bench --package alog-agentlog --bench decode --package alog-jsonl --bench search

install: build                  ## commands, manual pages and completions, below PREFIX
	docs/install.sh $(BIN) $(PREFIX)

docs: build                     ## the generated files: JSON Schemas and fixtures
	for record in event prompt; do $(BIN)/alog-$${record}s --schema > docs/schemas/alog.$$record.1.json; done
	cargo run --release --package alog-testkit --bin testlog -- fixtures tests/fixtures
