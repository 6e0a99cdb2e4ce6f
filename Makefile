# `make run` serves, `make test` checks everything; both need only Python 3.11 or newer and make.
# With STORE, a URL, `make run` keeps everything in a database.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
REPLICAS := tests/test_replicas.py tests/test_deploy.py

.PHONY: run test lint types tests tests-on-sqlite tests-on-postgres tests-of-replicas format bench clean

run: $(VENV)/$(if $(STORE),sql,run)
	@$(BIN)/banked-simulator $(if $(STORE),--store $(STORE)) $(ARGS)

test: lint types tests tests-on-sqlite tests-on-postgres tests-of-replicas

lint: $(VENV)/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev
	$(BIN)/mypy

tests: $(VENV)/dev
	$(BIN)/pytest --cov=simulator $(REPLICAS:%=--ignore=%) $(ARGS)

tests-of-replicas: $(VENV)/dev
	$(BIN)/pytest $(REPLICAS) $(ARGS)

tests-on-sqlite tests-on-postgres: tests-on-%: $(VENV)/dev
	$(BIN)/pytest --store $* tests/service tests/web $(ARGS)

format: $(VENV)/dev
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/dev
	$(BIN)/python bench/run.py $(ARGS)

clean:
	rm -rf $(VENV) build dist .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache

$(VENV)/run: pyproject.toml
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/sql: $(VENV)/run
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .[sql]
	@touch $@

$(VENV)/dev: $(VENV)/sql
	@$(BIN)/pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/pip install --quiet --group dev
	@touch $@
