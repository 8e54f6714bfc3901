# make help lists everything. Environments are made on first use; see scripts/bootstrap.sh.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

BIN := .venv/bin
PY := $(BIN)/python
JOBS ?= 2
ARGS ?=
NAUTILUS ?= 1.221

# Only what the caller names reaches the script: make has defaults of its own for some variables.
ifdef PYTHON
export PYTHON
endif
ifdef UPGRADE
export UPGRADE
endif

.PHONY: help demo test nautilus acceptance soak lint types contracts conformance fuzz bench docs lock clean
.PHONY: runtime-env dev-env docs-env

help: ## show this list
	@echo "pumpswap: make <target> [ARGS=...] [PYTHON=python3.13]"
	@echo
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1|\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "  %-12s %s\n", $$1, $$2 }'

demo: runtime-env ## a simulated market, traded on paper: no key, no network
	@$(BIN)/pumpswap demo $(ARGS)

# One worker more than there are cores: a good part of the tests waits, for processes, slots and browsers. Each begins
# with a part of the files and takes others over when it has none left, so that what a file makes is made once.
# Hundreds of tests start the program: where nothing may be kept compiled, each start would compile all of it again.
test: dev-env ## every test, with counts meant for 15 minutes on two quick cores
	@PYTHONDONTWRITEBYTECODE= $(PY) -m pytest -n $$(($(JOBS) + 1)) --dist worksteal $(ARGS)

# NautilusTrader pins what others need, so it has environments of its own, each for one Python.
nautilus: ## the adapter's tests, beside NautilusTrader itself (NAUTILUS=1.231: that version, under Python 3.12)
	@PYTHON= sh scripts/bootstrap.sh nautilus-$(NAUTILUS)
	@PYTHONDONTWRITEBYTECODE= .venv-nautilus-$(NAUTILUS)/bin/python -m pytest tests/nautilus -o cache_dir=.pytest_cache/nautilus -n $(JOBS) --dist worksteal $(ARGS)

lint: dev-env ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: dev-env ## mypy --strict
	@$(BIN)/mypy

contracts: dev-env ## import contracts: layers, and where each library may be used
	@$(BIN)/lint-imports --no-logo

acceptance: dev-env ## the full counts; figures go to evidence/
	@HYPOTHESIS_PROFILE=acceptance $(PY) -m tests.acceptance --jobs $(JOBS) $(ARGS)

conformance: dev-env ## against the official SDK, under Node
	@$(PY) -m tests.conformance $(ARGS)

fuzz: dev-env ## decoders under random bytes
	@$(PY) -m tests.fuzz $(ARGS)

soak: dev-env ## hours of running; figures go to evidence/
	@$(PY) -m tests.soak $(ARGS)

bench: dev-env ## every figure that the documentation claims (ARGS=books, signals, trading, insight or backtest: one area)
	@$(PY) -m benchmarks $(ARGS)

docs: docs-env ## the documentation site, into site/
	@NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet --site-dir site
	@echo "pumpswap: site/index.html"

lock: ## remake requirements/*.txt (needs uv; UPGRADE=1 takes the newest)
	@sh scripts/lock.sh

clean: ## remove environments, caches and the site
	@rm -rf .venv .venv-docs .venv-qlib .venv-nautilus-* .venv-ray site build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find src tests benchmarks scripts -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

runtime-env:
	@sh scripts/bootstrap.sh runtime
dev-env:
	@sh scripts/bootstrap.sh dev
docs-env:
	@sh scripts/bootstrap.sh docs
