# Everything here sets up what it needs first; run again, nothing is installed twice.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
MUTMUT := $(VENV)/.mutmut
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
EXTRAS := dev,postgres,pgvector,serve,samplers,dashboard,ray
# With LOCKED=1 no package is installed whose hash is not in requirements.lock.
LOCKED ?=
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup sweep live ui report export pictures test test-all lint bench readme-figures notebooks
.PHONY: fuzz mutants lock clean quick-tests

help: ## Show what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo "  ARGS=\"…\" is passed on, as in: make sweep ARGS=\"study.n_trials=20 replay.interval_seconds=0\""

setup: $(READY) ## Create .venv with the pinned dependencies and the project

$(READY): pyproject.toml constraints.txt requirements.lock
	$(PYTHON) -m venv $(VENV)
ifeq ($(LOCKED),1)
	grep '^setuptools==' requirements.lock > $(VENV)/setuptools.lock
	$(PIP) --require-hashes --no-deps -r $(VENV)/setuptools.lock
	$(PIP) --require-hashes --no-deps --no-build-isolation -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
else
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable '.[$(EXTRAS)]'
endif
	@touch $@

sweep: $(READY) ## Tune the adjuster on MovieLens and print the table
	$(BIN)/python -m experiments.sweep $(ARGS)

live: $(READY) ## Try the live system: a minute of simulated visitors on MovieLens
	$(BIN)/python -m experiments.serve demo $(ARGS)

ui: $(READY) ## Open the MLflow UI over outputs/ on 127.0.0.1:5000
	$(BIN)/python -m experiments.ui $(ARGS)

report: $(READY) ## Write the report of a study as one HTML file
	$(BIN)/python -m experiments.report $(ARGS)

export: $(READY) ## Open the sealed test and export the best configuration
	$(BIN)/python -m experiments.export $(ARGS)

pictures: $(READY) ## Picture a finished study for the README (ARGS="--study=NAME")
	$(BIN)/python -m tests.pictures.make_pictures $(ARGS)

lint: $(READY) ## Lint, formatting and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/ci.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec compose.yaml
	$(BIN)/hadolint --failure-threshold info Dockerfile

test: $(READY) ## Every check but the slow tests
	@$(MAKE) --no-print-directory --jobs=2 lint quick-tests

quick-tests: $(READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(ARGS)

test-all: test ## Every check, the slow tests too
	$(BIN)/python -m pytest -n 2 -m slow $(ARGS)

bench: $(READY) ## Measure adjusters, replay and study
	$(BIN)/python -m experiments.benchmark $(ARGS)

readme-figures: $(READY) ## Run the README's commands anew and write their figures into it (ARGS="sweep")
	$(BIN)/python -m experiments.benchmarks.readme_figures $(ARGS)

notebooks: $(READY) ## Run the notebooks and keep what they show
	$(BIN)/python -m tests.render_notebooks $(ARGS)

fuzz: $(READY) ## Fuzz all that reads a file, for a minute
	$(PIP) --constraint constraints.txt --editable '.[fuzz]'
	mkdir -p outputs/fuzz-corpus
	$(BIN)/python -m tests.fuzz.fuzz_readers outputs/fuzz-corpus -max_total_time=60

mutants: $(MUTMUT) ## Change the source a little and see whether a test notices (ARGS="schedule kernel")
	$(BIN)/python -m tests.mutants.run_mutants $(ARGS)

$(MUTMUT): $(READY)
	$(PIP) --constraint constraints.txt --editable '.[mutants]'
	@touch $@

lock: $(READY) ## Write requirements.lock anew: the versions of constraints.txt with their hashes
	$(PIP) --dry-run --ignore-installed --report - --constraint constraints.txt torch '.[$(EXTRAS)]' > $(VENV)/report.json
	$(BIN)/python .ci/write_lock.py < $(VENV)/report.json > requirements.lock

clean: ## Remove what was built; data/ and outputs/ stay
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
