# The commands of the hub. `make` alone lists them. Each makes the environment first if it has
# to; with an unchanged requirements.lock that is instant and offline.

SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.made-from-lock
PROCESSES ?= 2

# HUB_MIRRORS="pypi=URL,maven=URL" names nearer sources of downloads.
PYPI_MIRROR := $(shell tr ',' '\n' <<<'$(HUB_MIRRORS)' | sed -n 's/^ *pypi=//p')
export HUB_MIRRORS

.PHONY: help demo test check bench chaos up down lint types clean lock env

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

env: $(STAMP) ## make the environment from the lock

demo: env ## run everything on real input (EXIT=1 ends after the summary)
	@$(BIN)/hub demo $(if $(EXIT),--exit) $(ARGS)

test: env ## run all tests
	@# Handed out one by one: whoever starts a whole hub keeps no others waiting behind it.
	@$(BIN)/pytest -n $(PROCESSES) --maxschedchunk 1 --durations 15 $(ARGS)

check: env ## count what breaks an invariant of the running hub
	@$(BIN)/hub check

bench: env ## measure one part: make bench WHAT=streams
	@test -n "$(WHAT)" || { echo "say what: make bench WHAT=streams" >&2; exit 2; }
	@$(BIN)/hub bench $(WHAT) $(ARGS)

chaos: env ## the demo, with workers, broker and database killed meanwhile
	@$(BIN)/hub demo --chaos --exit $(ARGS)

up: env ## start the hub and watch over it until Ctrl-C
	@$(BIN)/hub up

down: env ## stop the hub of this folder
	@$(BIN)/hub down

lint: env ## style of Python and SQL, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/sqlfluff lint --processes $(PROCESSES) --disable-progress-bar hub/store
	@cd dbt_project && ../$(BIN)/sqlfluff lint --processes $(PROCESSES) --disable-progress-bar .
	@$(BIN)/lint-imports

types: env ## types
	@$(BIN)/basedpyright

lock: env ## resolve requirements.lock anew
	@$(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --all-extras \
	  --group pyproject.toml:build --group pyproject.toml:dev --python-version 3.11 \
	  $(if $(PYPI_MIRROR),--index-url $(PYPI_MIRROR)) pyproject.toml -o requirements.lock -q

clean: ## delete the environment and what tools left (never the data in .hub)
	@rm -rf $(VENV) .pytest_cache .ruff_cache .hypothesis dbt_project/target dbt_project/logs

$(STAMP): requirements.lock pyproject.toml
	@VENV=$(VENV) STAMP=$(STAMP) PYPI_MIRROR='$(PYPI_MIRROR)' bash deploy/make-environment
