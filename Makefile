# `make help` lists what there is. README's two commands are `make demo` and `make test`.
SHELL := bash
PREFIX ?= $(HOME)/.local
VENV := target/venv
BINARY := target/release/provenance
BUILD = cargo build --release $(if $(FEATURES),--features $(FEATURES))

.PHONY: help demo test torture fuzz real faults check fmt lint bench bench-graph bench-peers install man \
  doc
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

demo: ## a regression on real data, found, traced and taken back: plays docs/tutorial.md
	@.ci/need cc python3
	@fixtures/demo/demo.sh

test: $(VENV)/ready ## run every test
	@.ci/need strace curl
	PROVENANCE_TEST_PYTHON=$(abspath $(VENV))/bin/python cargo test
	cargo test --features parquet parquet

torture: $(VENV)/ready ## try to break every promise; an hour, or PROVENANCE_TORTURE_MINUTES
	@.ci/need cc python3 strace curl xfs nfs
	PROVENANCE_TEST_PYTHON=$(abspath $(VENV))/bin/python tests/torture/run

fuzz: ## feed hostile bytes to each decoder, SECONDS=60 each; needs nightly and cargo-fuzz
	@fuzz/seeds.sh
	for target in $$(basename -s .rs fuzz/fuzz_targets/*); do cargo +nightly fuzz run $$target -- \
	  -max_total_time=$(or $(SECONDS),60) -rss_limit_mb=1024 -malloc_limit_mb=256 || exit 1; done

real: ## record, change and check out real data, and compare every byte; some minutes
	@.ci/need cc python3
	cargo build --release
	python3 tests/real/run.py

faults: ## write the table of faults in docs/guarantees.md from what the tests counted
	@.ci/need python3
	python3 tests/torture/table.py

check: ## what must pass before a change lands
	.ci/run

fmt: ## format the code
	cargo fmt --all

lint: ## look for what the compiler lets through
	cargo clippy --all-targets -- -D warnings
	cargo clippy --all-targets --features parquet -- -D warnings

bench: ## measure the parts (criterion; the report is in target/criterion)
	cargo bench

bench-graph: ## compare walks over histories with git: order, common ancestors, bisect
	@.ci/need cc python3
	cargo build --release
	python3 benches/graph/run.py

bench-peers: ## compare with git, dvc, restic and others; see benches/peers/README.md
	@.ci/need cc python3
	cargo build --release
	python3 benches/peers/run.py
	@python3 benches/peers/report.py

install: ## build, and install into PREFIX, ~/.local by default; FEATURES=parquet reads Parquet
	@.ci/need cc
	$(BUILD)
	install -D -m 755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/provenance
	$(MAKE) man
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 target/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions
	$(BINARY) completion bash > \
	  $(DESTDIR)$(PREFIX)/share/bash-completion/completions/provenance

man: ## write the man pages into target/man
	@.ci/need cc
	$(BUILD)
	mkdir -p target/man
	$(BINARY) man target/man

doc: ## build the library's documentation into target/doc
	RUSTDOCFLAGS="-D warnings" cargo doc --no-deps

# The independent reader of the formats, and MLflow and DVC, whose stores are imported, come from PyPI.
$(VENV)/ready: tests/reader/requirements.txt
	@.ci/need cc python3 venv
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --requirement tests/reader/requirements.txt
	@touch $@
