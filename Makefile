# Everything that a fresh machine with git, make and Python 3.11 (venv, pip) needs to do is here.
PYTHON ?= python3
VENV := .venv
DEMO := build/demo-venv
BIN := $(VENV)/bin
JOBS ?= auto

.PHONY: help demo test lint type unit check-all bench docs clean

help:
	@echo "make demo       install the core alone and run its main job: two agents, one message, both traces"
	@echo "make test       lint, types and all tests on one interpreter, the real Codex included (JOBS=0: one after another)"
	@echo "make check-all  the other interpreters, lowest dependencies, docs and wheels (tox)"
	@echo "make bench      the figures, side by side with the raw thing and the peers"
	@echo "make docs       write the generated reference pages anew"

demo: $(DEMO)/installed
	$(DEMO)/bin/relaykit demo

$(DEMO)/installed: pyproject.toml
	$(PYTHON) -m venv $(DEMO)
	$(DEMO)/bin/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/installed: pyproject.toml requirements/local.txt requirements/test.txt $(wildcard relaykit_*/pyproject.toml)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/test.txt
	@touch $@

test: lint type unit

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

type: $(VENV)/installed
	$(BIN)/mypy

unit: $(VENV)/installed
	$(BIN)/python scripts/gen_reference.py --check
	$(BIN)/python -m pytest -n $(JOBS) --no-loadscope-reorder

check-all: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check tox
	$(BIN)/tox

bench: $(VENV)/installed
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/bench.txt
	$(BIN)/python -m bench

docs: $(VENV)/installed
	$(BIN)/python scripts/gen_reference.py

clean:
	rm -rf $(VENV) build dist .tox .mypy_cache .ruff_cache .pytest_cache .hypothesis
