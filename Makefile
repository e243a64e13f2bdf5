# make demo          show this machine's arithmetic drift, in about 100 seconds
# make test          run the test suite
# make check         run the slow tests: installs, browsers, kills, full-size training runs
# make lessons-full  execute the lessons in full size, in about 5 minutes
# Each target first installs its missing dependencies into .venv.

PYTHON ?= python3
# Number of test files run in parallel; each may need 3 GB.
JOBS ?= 2
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif

# Checked before anything is built, and only if there is something to build; the error is one line from make.
ifeq ($(wildcard $(VENV)/.python),)
ifneq ($(filter-out help clean,$(or $(MAKECMDGOALS),help)),)
WRONG := $(shell if command -v $(PYTHON) >/dev/null; then $(PYTHON) .ci/check_python.py 2>&1; \
	else echo "$(PYTHON) not found; name another one: make PYTHON=python3.12 ..."; fi)
ifneq ($(WRONG),)
$(error $(WRONG))
endif
endif
endif

.DEFAULT_GOAL := help
.PHONY: help demo test check coverage lint format lessons lessons-full figures figures-demo recorded bench faults clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

# A stamp file represents an installed environment; make updates it when its inputs are newer.
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

# Build all pictures, the gallery and the deck from recorded and exact results.
figures: $(VENV)/.all
	$(BIN)/python figures/build.py

# Measure, on this machine, what the pictures need and fpdrift/recorded/ lacks; all of it takes hours.
recorded: $(VENV)/.all
	$(BIN)/python figures/record.py

lessons-full: $(VENV)/.all
	$(BIN)/python tests/lessons/whole_lessons.py $(ARGS)

# Run the demo on this machine and update the README's picture and its results.
figures-demo: $(VENV)/.cnn
	$(BIN)/python -m fpdrift.demo --out figures/demo

coverage: $(VENV)/.all
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal -m "not check" --cov --cov-report=term:skip-covered $(ARGS)

bench: $(VENV)/.all
	for script in tests/benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

faults: $(VENV)/.all
	FPDRIFT_WHOLE=1 $(BIN)/python -m pytest -q -m check tests/lint/test_lint_rules.py
	for script in $$(grep -l __main__ tests/faults/*.py); do $(BIN)/python $$script || exit 1; done

clean:
	rm -rf $(VENV) fpdrift-out .mypy_cache .ruff_cache .pytest_cache .hypothesis
