# `make` without a target lists the targets. Needs Linux, Rust (rustup), Python 3.10 or newer and make;
# everything else is installed into .venv.

# Instruction set of the functions; by default that of this machine. On AWS they run on arm64.
ARCHITECTURE ?= $(if $(filter arm64 aarch64,$(shell uname -m)),arm64,x86_64)
# Number of customers in the demo and in the local cloud.
ORGANIZATIONS ?= 200
# Environment of `make deploy`: sandbox or production.
ENVIRONMENT ?= sandbox
# `required` makes `make test` fail where the browser tests cannot run; otherwise it leaves them out.
BROWSER ?= optional

SHELL := /bin/sh
.SHELLFLAGS := -eu -c
.DEFAULT_GOAL := help
.PHONY: help setup build local-cloud demo local sam-local browser check test test-upgrade deploy clean

HAS_BROWSER := { command -v chromium && command -v chromedriver; } >/dev/null
CAN_INSTALL_BROWSER := { test "$$(id -u)" = 0 && command -v apt-get >/dev/null; }
NO_BROWSER_TESTS := not(package(end-to-end)and(test(unsubscribe_page::)or(test(banner::))))
FUNCTIONS := $(notdir $(wildcard functions/*))
TOOLS := .venv/.installed
LOCAL_CLOUD := $(or $(CARGO_TARGET_DIR),target)/debug/local-cloud

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SAM_CLI_TELEMETRY := 0

help: ## List the targets
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
	.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps "$$(grep -o '^# no-deps: [^ ]*' $< | cut -d' ' -f3)"
	@touch $@

# Cargo runs first because SAM shows nothing of it; what SAM then finds is up to date.
build: $(TOOLS) ## Build the functions into .aws-sam/build (ARCHITECTURE=arm64 for AWS)
	@echo "Building $(FUNCTIONS) for $(ARCHITECTURE)"
	@cargo lambda build --release $(FUNCTIONS:%=--bin %) $(if $(filter arm64,$(ARCHITECTURE)),--arm64)
	@sam build --parameter-overrides Architecture=$(ARCHITECTURE) >target/sam-build.log 2>&1 || { cat target/sam-build.log >&2; exit 1; }
	@python3 infra/local/cloud/package_functions.py
	@echo "Built .aws-sam/build/template.yaml for $(ARCHITECTURE)"

# Cargo enables the features that the tests need only if it builds a test, such as the small `rules`.
# Otherwise `make test` would compile all dependencies again.
local-cloud: build
	@cargo build --workspace --bin local-cloud --test rules

demo: local-cloud ## Run the whole pipeline once on the local cloud and show what it did (ORGANIZATIONS=200)
	@$(LOCAL_CLOUD) demo --organizations $(ORGANIZATIONS)

local: local-cloud ## Keep the local cloud running for playing; Ctrl-C ends it (ORGANIZATIONS=200)
	@$(LOCAL_CLOUD) run --organizations $(ORGANIZATIONS)

sam-local: local-cloud ## Run each function in a container with sam local invoke (needs Docker)
	@$(LOCAL_CLOUD) sam-local

# Installs them where it can. Without a browser: an error if BROWSER=required, else a notice.
browser: ## Install Chromium and its driver for the browser tests (as root on Debian)
	@if $(HAS_BROWSER); then exit 0; fi; \
	if $(CAN_INSTALL_BROWSER); then \
		echo "Installing chromium and chromium-driver"; \
		apt-get update -qq || true; \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y chromium chromium-driver >/dev/null || true; \
	fi; \
	if $(HAS_BROWSER); then exit 0; fi; \
	echo "chromium or chromedriver is missing. Install Debian's packages chromium and chromium-driver." >&2; \
	test "$(BROWSER)" != required; \
	echo "Without them, the browser tests (unsubscribe_page and banner in tests/end-to-end) are left out." >&2

# `--examples` makes cargo doc use the same features as clippy, although there are no examples.
check: $(TOOLS) ## Check format, lints, documentation, template, dependencies
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --lib --examples --quiet
	sam validate
	cargo shear
	cargo deny check bans licenses sources
	@if timeout 60 cargo deny fetch db >/dev/null 2>&1; then cargo deny check --disable-fetch advisories; \
	else echo "Security advisories are not checked: the RustSec advisory database cannot be fetched from GitHub."; fi

# A machine without a browser says so first. The targets of the second line use different files, and
# none of them keeps two processors busy.
test: $(TOOLS) ## Run all checks and tests, as CI does (BROWSER=required: fail without a browser)
	@if ! $(HAS_BROWSER) && ! $(CAN_INSTALL_BROWSER); then $(MAKE) --no-print-directory browser; fi
	@$(MAKE) --jobs 3 build check $$($(HAS_BROWSER) || ! $(CAN_INSTALL_BROWSER) || echo browser)
	cargo test --workspace --doc --quiet
	cargo nextest run --workspace $$($(HAS_BROWSER) || echo "--filterset" "$(NO_BROWSER_TESTS)")

# Its build has a target folder of its own.
test-upgrade: build ## Update a local stack of an earlier release in place (FROM=<git ref>)
	@git worktree remove --force target/earlier-release 2>/dev/null || true
	@git worktree add --quiet --detach target/earlier-release $(FROM)
	@ln -s "$(CURDIR)/.venv" target/earlier-release/.venv
	@touch target/earlier-release/.venv/.installed
	@$(MAKE) -C target/earlier-release build
	EARLIER_TEMPLATE="$(CURDIR)/target/earlier-release/.aws-sam/build/template.yaml" \
	cargo nextest run --workspace --run-ignored only --no-capture -E 'test(upgrade::)'
	@git worktree remove --force target/earlier-release

deploy: ## Build for arm64 and deploy to AWS (ENVIRONMENT=sandbox or production, see samconfig.toml)
	CARGO_PROFILE_RELEASE_LTO=thin CARGO_PROFILE_RELEASE_OPT_LEVEL=s $(MAKE) build ARCHITECTURE=arm64
	sam deploy --config-env $(ENVIRONMENT)

clean: ## Remove everything that make has created
	rm -rf target .aws-sam .venv
