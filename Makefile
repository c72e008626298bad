# The commands of this project. Each installs what it needs into .venv first, if that is not done yet.
PYTHON ?= python3
BIN := .venv/bin
SHELL := /bin/bash
# One thread a worker: the same bits from run to run, and workers that don't fight over the cores.
export OMP_NUM_THREADS := 1

.PHONY: up study test test-all coverage lint format snapshot bench faults install clean
.DEFAULT_GOAL := help

help:                ## list the commands
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

up: install          ## start Dagster's UI on 127.0.0.1:3000 and carry out the quick-start study
	@exec $(BIN)/tdw up

study: install       ## the same with the study of eight models (hours on two cores; resumable)
	@exec $(BIN)/tdw up --study studies/eight_models

test: install        ## the tests that CI runs, side by side
	$(BIN)/pytest -n auto

test-all: install    ## every test, the slow ones too
	$(BIN)/pytest -n auto -m ''

coverage: install    ## the tests that CI runs, and which lines they leave out (htmlcov/index.html)
	$(BIN)/pytest --cov --cov-report=term --cov-report=html

lint: install        ## style, types, layers, and whether Dagster can load the definitions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/dagster definitions validate

snapshot: install    ## write tests/assets/definitions.txt, which a test compares with the code
	$(BIN)/python tests/assets/snapshot.py

format: install      ## fix style where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: install       ## measure, and write docs/performance.md
	$(BIN)/python -m benchmarks

faults: install      ## kill, cut and flip for about half an hour, and write docs/reliability.md
	$(BIN)/python -m tests.faults

install: .venv/installed  ## make .venv from requirements.lock

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Python 3.11 to 3.13 is needed, {sys.version.split()[0]} was found: set PYTHON=python3.12, say")'
	@echo "Installing into .venv (about 2 GB with PyTorch; once)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@# As a path: with the default, Python started beside a clone that is called tdw takes the clone for the package.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --config-settings editable_mode=compat --editable .
	@touch $@

clean:               ## remove .venv and caches; results stay
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis .coverage* htmlcov *.egg-info
