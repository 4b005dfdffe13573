# Building, testing and showing mfad. `make help` lists the targets.
#
# Everything but `install` leaves the host as it is, save for Debian packages: tests, demo and benchmarks run
# in namespaces of their own (tests/src/world).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# rustup's place is not on root's PATH everywhere.
export PATH := $(PATH):$(HOME)/.cargo/bin
CARGO ?= cargo
# As given by the environment, else as cargo has it.
TARGET := $(or $(CARGO_TARGET_DIR),target)
# What cannot be done without root: namespaces, mounts, users. Tests are built as the caller and run so.
AS_ROOT := $(if $(filter 0,$(shell id -u)),,sudo --preserve-env)
HOST := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
RUNNER := $(if $(AS_ROOT),CARGO_TARGET_$(HOST)_RUNNER="$(AS_ROOT)")

# Where this system has its own way, packaging/install.sh says what may be set: PREFIX, PAM_DIR, SBIN_DIR and others.
DESTDIR ?=

.PHONY: help demo test check fmt docs units clippy unit e2e test-hosts test-fronts host fuzz-smoke fuzz bench bench-web deny build install deb rpm packages-check clean

help: ## Shows this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

demo: ## Logs in over real ssh with password and code, in private namespaces
	tests/setup/packages.sh demo
	$(CARGO) build --release
	$(CARGO) build --release -p mfa_tests --bin demo
	$(AS_ROOT) $(TARGET)/release/demo

test: ## Installs what the tests need and runs all of them
	tests/setup/packages.sh demo test deb fronts
	$(MAKE) --no-print-directory fmt docs units clippy unit e2e packages-check fuzz-smoke

check: fmt docs clippy unit ## What needs no root: format, lints, unit tests

fmt: ## Formatting is as rustfmt has it
	$(CARGO) fmt --all --check

docs: ## The tests that the documents name as evidence exist
	docs/check.sh

units: ## systemd takes the units, and finds them little exposed; AppArmor and SELinux take the policies
	packaging/systemd/check.sh
	packaging/mac-check.sh

clippy: ## No lint is broken
	$(CARGO) clippy --workspace --all-targets -- -D warnings

unit: ## Unit, property and in-process tests
	$(CARGO) test --workspace --exclude mfa_tests

e2e: ## Real libpam, sshd, sudo and su in private namespaces (root or sudo)
	$(CARGO) build
	tests/setup/python.sh schemathesis "$(TARGET)"
	tests/setup/python.sh linotp "$(TARGET)"
	$(RUNNER) $(CARGO) test -p mfa_tests

test-hosts: ## The long cases on booted hosts, and all of them on Debian 13
	tests/setup/packages.sh demo test deb
	$(CARGO) build
	$(RUNNER) $(CARGO) test -p mfa_tests --test 'host_*' -- --ignored
	MFA_HOST=trixie $(RUNNER) $(CARGO) test -p mfa_tests --test 'host_*' -- --include-ignored

test-fronts: ## A part of them: mfad-web before a portal, FreeRADIUS and nginx of Debian, LinOTP's PAM module, schemathesis
	tests/setup/packages.sh demo test fronts
	$(CARGO) build
	tests/setup/python.sh schemathesis "$(TARGET)"
	tests/setup/python.sh linotp "$(TARGET)"
	$(RUNNER) $(CARGO) test -p mfa_tests --test lemonldap --test freeradius --test nginx --test linotp_pam --test openapi

host: ## A root shell on a booted Debian with mfad installed; MFA_HOST=trixie for Debian 13
	tests/setup/packages.sh demo test deb
	$(CARGO) build
	$(CARGO) build -p mfa_tests --bin host
	$(AS_ROOT) $(TARGET)/debug/host

fuzz-smoke: ## Each fuzz target for a moment, on the stable toolchain
	fuzz/run.sh smoke

fuzz: ## Each fuzz target for FUZZ_SECONDS (default 600)
	fuzz/run.sh long $(FUZZ_SECONDS)

bench: ## Speed beside pam_google_authenticator and pam_oath; writes target/bench.json
	tests/setup/packages.sh bench
	$(CARGO) build --release
	$(CARGO) build --release -p mfa_tests --bin bench
	$(AS_ROOT) $(TARGET)/release/bench --json $(TARGET)/bench.json $(BENCH_ARGS)

bench-web: ## Speed and memory of mfad-web beside eduMFA; writes target/bench-web.json
	tests/setup/packages.sh bench peer
	$(CARGO) build --release
	$(CARGO) build --release -p mfa_tests --bin bench
	tests/setup/python.sh edumfa "$(TARGET)"
	$(AS_ROOT) $(TARGET)/release/bench --only web --json $(TARGET)/bench-web.json $(BENCH_ARGS)

deny: ## Licences, sources, duplicate versions and advisories of what we depend on
	@command -v cargo-deny >/dev/null || $(CARGO) install --locked cargo-deny
	$(CARGO) deny check bans licenses sources
	@tests/setup/advisories.sh $(CARGO)

build: ## The release build
	$(CARGO) build --release

install: ## All that `make build` made and what belongs to it, to DESTDIR and PREFIX
	packaging/install.sh "$(TARGET)/release" "$(DESTDIR)"

deb: build ## The Debian package, in target/deb
	tests/setup/packages.sh deb
	packaging/deb.sh "$(TARGET)"

rpm: build ## The RPM package, in target/rpm
	tests/setup/packages.sh rpm
	@command -v cargo-generate-rpm >/dev/null || $(CARGO) install --locked cargo-generate-rpm
	packaging/rpm.sh "$(TARGET)"

packages-check: ## Makes the packages of a debug build, and looks into them
	tests/setup/packages.sh deb rpm packages
	$(CARGO) build
	packaging/check.sh "$(TARGET)"

clean: ## Removes what was built
	$(CARGO) clean
