# `make` alone says what there is to make. Needs Rust (rustup), Python 3.10 or newer, and make; everything else goes into .venv.

# Instruction set of the functions: that of this machine, unless said otherwise (AWS runs arm64: make build ARCHITECTURE=arm64).
ARCHITECTURE ?= $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
# Customers in the demo and in the local cloud.
ORGANIZATIONS ?= 200
# Where `make deploy` goes: sandbox or production.
ENVIRONMENT ?= sandbox

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.PHONY: help setup build local-cloud demo local sam-local browser check test deploy clean

FUNCTIONS := $(notdir $(wildcard functions/*))
TOOLS := .venv/.installed
LOCAL_CLOUD := $(or $(CARGO_TARGET_DIR),target)/debug/local-cloud

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0

help: ## Say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo "  ARCHITECTURE=$(ARCHITECTURE)  ORGANIZATIONS=$(ORGANIZATIONS)  ENVIRONMENT=$(ENVIRONMENT)"

setup: $(TOOLS) ## Install the pinned tools into .venv

$(TOOLS): infra/local/requirements.txt
	@command -v cargo >/dev/null || { echo "Rust is missing: install it from https://rustup.rs" >&2; exit 1; }
	@command -v python3 >/dev/null || { echo "Python 3 is missing: install it with your system's package manager" >&2; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "Python is too old: 3.10 or newer is needed" >&2; exit 1; }
	python3 -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check "$$(grep -o '^uv==[^ ]*' $<)"
	.venv/bin/uv pip install --quiet --python .venv/bin/python --requirement $<
	@touch $@

# Cargo runs first because SAM shows nothing of it; what SAM then finds is up to date.
build: $(TOOLS) ## Build the functions into .aws-sam/build (ARCHITECTURE=arm64 for AWS)
	@echo "Building $(FUNCTIONS) for $(ARCHITECTURE)"
	@cargo lambda build --release $(FUNCTIONS:%=--bin %) $(if $(filter arm64,$(ARCHITECTURE)),--arm64)
	@sam build --parameter-overrides Architecture=$(ARCHITECTURE) >target/sam-build.log 2>&1 || { cat target/sam-build.log >&2; exit 1; }
	@python3 infra/local/cloud/zipped.py
	@echo "Built .aws-sam/build/template.yaml for $(ARCHITECTURE)"

# With the features that the whole workspace asks for: what `make test` has compiled is not compiled again.
local-cloud: build
	@cargo build --workspace --bin local-cloud

demo: local-cloud ## Run the whole pipeline once on the local cloud and show what it did (ORGANIZATIONS=200)
	@$(LOCAL_CLOUD) demo --organizations $(ORGANIZATIONS)

local: local-cloud ## Keep the local cloud running for playing; Ctrl-C ends it (ORGANIZATIONS=200)
	@$(LOCAL_CLOUD) run --organizations $(ORGANIZATIONS)

sam-local: local-cloud ## Run each function in a container with sam local invoke (needs Docker)
	@$(LOCAL_CLOUD) sam-local

browser: ## Install what the browser tests drive: Chromium and its driver
	@command -v chromedriver >/dev/null && command -v chromium >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing chromium and chromium-driver"; apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium chromium-driver >/dev/null; \
	else echo "chromedriver or chromium is missing: install Debian's packages chromium and chromium-driver" >&2; exit 1; fi

check: $(TOOLS) ## Check format, lints, documentation, template, licences
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	sam validate
	cargo deny check bans licenses sources

# The first three leave each other's files alone, and none of them keeps two processors busy.
test: $(TOOLS) ## Check everything: what `make check` checks, and all tests
	@$(MAKE) --jobs 3 browser build check
	cargo test --workspace --doc --quiet
	cargo nextest run --workspace

deploy: ## Build for arm64 and deploy to AWS (ENVIRONMENT=sandbox or production, see samconfig.toml)
	CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_OPT_LEVEL=s $(MAKE) build ARCHITECTURE=arm64
	sam deploy --config-env $(ENVIRONMENT)

clean: ## Remove everything that make has created
	rm -rf target .aws-sam .venv
