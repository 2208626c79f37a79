# The commands of this repository, the same for people and for CI. `make` alone lists them.
.DEFAULT_GOAL := help

# Arguments handed on: make demo ARGS=--once, make test ARGS='--test it publish', make bench ARGS='--pairs 9'.
ARGS ?=
CARGO ?= cargo
SCRIPTS := scripts/nats-server scripts/test-matrix scripts/check-toolchain scripts/demo scripts/contract-test scripts/browser-test scripts/programs.sh scripts/python-packages scripts/check-languages scripts/sdk scripts/interop scripts/lint scripts/lint-tools scripts/check-unit scripts/check-openapi scripts/openapi-real benches/run benches/proxy scripts/nginx benches/checks benches/shadow benches/overload benches/harness.sh .ci/run scripts/swagger-ui

# A command's prefix: checks what is needed to build, finds or installs a nats-server, and tells the command where it is.
with_nats = scripts/check-toolchain && NATS_SERVER="$$(scripts/nats-server)" && export NATS_SERVER &&

.PHONY: help
help: ## Lists these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: demo
demo: ## Starts NATS, the example services and the gateway, and calls them; ARGS=--once ends after the calls
	@$(with_nats) exec scripts/demo $(ARGS)

.PHONY: test
test: ## Runs every test and builds the examples; ARGS='--test it publish' runs some
	@$(with_nats) exec $(CARGO) test --locked $(ARGS)

.PHONY: test-matrix
test-matrix: ## Runs the stream tests on every server line from 2.10 on, against the nats command too; ARGS=2.12 for one
	@scripts/check-toolchain && CARGO='$(CARGO)' exec scripts/test-matrix $(ARGS)

.PHONY: contract-test
contract-test: ## Holds the running demo against its contract, by some thousand generated requests; ARGS=200 for fewer
	@$(with_nats) exec scripts/contract-test $(ARGS)

.PHONY: openapi-real
openapi-real: ## Imports documents of real APIs, and calls every operation of each; ARGS=--release measures it
	@$(with_nats) exec scripts/openapi-real $(ARGS)

.PHONY: browser-test
browser-test: ## Opens the running demo's console in a real browser, and holds it against what it promises
	@$(with_nats) exec scripts/browser-test $(ARGS)

.PHONY: sdk
sdk: ## Generates clients in Python, TypeScript, Go and Rust from the published document, into target/sdk
	@exec scripts/sdk

.PHONY: interop
interop: sdk ## Runs these clients, and services in Go and Python, with the gateway, and kills some of them; ARGS=--verbose for all lines
	@$(with_nats) exec scripts/interop $(ARGS)

.PHONY: lint
lint: ## Checks formatting, lints, documentation, licences and scripts; warnings fail
	@scripts/check-toolchain && CARGO='$(CARGO)' exec scripts/lint $(SCRIPTS)

.PHONY: lint-tools
lint-tools: ## Installs what lint uses beyond Rust's own tools into .tools
	@scripts/check-toolchain && exec scripts/lint-tools

.PHONY: fmt
fmt: ## Formats the code
	@scripts/check-toolchain && exec $(CARGO) fmt --all

.PHONY: bench
bench: ## Measures the gateway against a bare axum + async-nats program, in a release build
	@$(with_nats) exec benches/run $(ARGS)

.PHONY: bench-checks
bench-checks: ## Measures what a token and a schema cost on a route, in a release build
	@$(with_nats) exec benches/checks $(ARGS)

.PHONY: bench-proxy
bench-proxy: ## Measures the gateway as a proxy against nginx, and its memory with a gigabyte, in a release build
	@scripts/check-toolchain && exec benches/proxy $(ARGS)

.PHONY: overload
overload: ## Measures refusals, latency and memory at ten times what an operation sustains, in a release build
	@$(with_nats) exec benches/overload $(ARGS)

.PHONY: bench-shadow
bench-shadow: ## Measures what a slow or a dead shadow does to those who are answered, in a release build
	@$(with_nats) exec benches/shadow $(ARGS)

.PHONY: clean-tools
clean-tools: ## Removes what was installed into .tools
	rm -rf .tools
