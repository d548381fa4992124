# What can be done here. The work itself is in cargo and in the scripts that are called.

BIN := $(or $(CARGO_TARGET_DIR),target)/release
PREFIX ?= /usr/local

.PHONY: demo build test lint bench install docs

# Some commands a newcomer would want, on logs that come with the project.
demo: build
	docs/demo.sh $(BIN)

# The commands, in target/release.
build:
	cargo build --release --package alog-tools

# Everything. What the tests need is in the package registry, and cargo gets it.
test:
	@echo 'cargo downloads the crates that are missing here; nothing else is needed. One test compares with a program'
	@echo 'that it gets from the npm registry, if npm and samples are here.'
	cargo test

# Format of the sources, clippy, what stands at the top level.
lint:
	cargo fmt --check && cargo clippy --all-targets -- -D warnings
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
