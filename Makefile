# make demo          sees this machine's arithmetic drift, in about 100 seconds
# make test          run the test suite
# make check         run the slow tests: installs, browsers, kills, trainings in full
# make lessons-full  executes the lessons in their whole sizes, in about 5 minutes
# Each installs what it lacks into .venv first, and only then.

PYTHON ?= python3
# Test files at work at once; each may need 3 GB.
JOBS ?= 2
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

# Said before anything is made, as make's own one line, and only where something is to be made.
ifeq ($(wildcard $(VENV)/.python),)
ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),help)),)
WRONG := $(shell if command -v $(PYTHON) >/dev/null; then $(PYTHON) .ci/check_python.py 2>&1; \
	else echo "there is no $(PYTHON); name one that is: make PYTHON=python3.12 ..."; fi)
ifneq ($(WRONG),)
$(error $(WRONG))
endif
endif
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check coverage lint format lessons lessons-full figures figures-demo recorded bench faults clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# A stamp stands for what is installed; it is older than its inputs when something has to be done.
$(VENV)/.python:
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.cnn: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[cnn]"
	@touch $@

$(VENV)/.all: $(VENV)/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all,dev,torch]"
	@touch $(VENV)/.cnn $@

demo: $(VENV)/.cnn
	@$(BIN)/python -m fpdrift.demo $(ARGS)

test: lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not check" $(ARGS)

check: $(VENV)/.all
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m check $(ARGS)

lint: $(VENV)/.all
	$(BIN)/ruff format --check fpdrift tests lessons figures .ci
	$(BIN)/ruff check fpdrift tests lessons figures .ci
	$(BIN)/mypy

format: $(VENV)/.all
	$(BIN)/ruff format fpdrift tests lessons figures .ci
	$(BIN)/ruff check --fix fpdrift tests lessons figures .ci

lessons: $(VENV)/.all
	$(BIN)/python lessons/build.py
	$(BIN)/python figures/float_page.py

# Every picture, the gallery and the deck, from what was recorded and what is exact.
figures: $(VENV)/.all
	$(BIN)/python figures/build.py

# What the pictures need and fpdrift/recorded/ lacks, measured on this machine: hours if all of it.
recorded: $(VENV)/.all
	$(BIN)/python figures/record.py

lessons-full: $(VENV)/.all
	$(BIN)/python tests/lessons/whole_lessons.py $(ARGS)

# The README's picture and the results behind it: one run of the demo on this machine.
figures-demo: $(VENV)/.cnn
	$(BIN)/python -m fpdrift.demo --out figures/demo

coverage: $(VENV)/.all
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not check" --cov --cov-report=term:skip-covered $(ARGS)

bench: $(VENV)/.all
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

faults: $(VENV)/.all
	for script in $$(grep -l __main__ tests/faults/*.py); do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) fpdrift-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
