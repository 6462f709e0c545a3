# The whole interface of a contributor. `make demo` and `make test` need Debian, Python 3.11+ and make; nothing else.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
TEXT := .venv/.text
IMAGE := .venv/.image
PROMTOOL := .venv/.promtool
BROWSER := .venv/.browser
WRK := .venv/.wrk
# Two test workers on two cores; training inside tests uses one process, so nothing is oversubscribed.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -q

# Tests start hundreds of processes; with compiled modules each starts a third sooner.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install demo test test-all check types imports format docs bench clean

help: ## list these verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED) ## create .venv and install the pinned versions

$(INSTALLED): pyproject.toml constraints.txt scripts/install
	@PYTHON=$(PYTHON) scripts/install

$(TEXT): $(INSTALLED)
	@PYTHON=$(PYTHON) scripts/install text

$(IMAGE): $(INSTALLED)
	@PYTHON=$(PYTHON) scripts/install image

$(PROMTOOL): $(INSTALLED)
	@PYTHON=$(PYTHON) scripts/install promtool

$(BROWSER): $(INSTALLED)
	@PYTHON=$(PYTHON) scripts/install browser

$(WRK): $(INSTALLED)
	@PYTHON=$(PYTHON) scripts/install wrk

demo: $(INSTALLED) ## the whole life of a model on real churn data, in a few minutes
	@$(BIN)/modelyard demo --folder demo --fresh

test: check types imports ## all checks and tests
	$(PYTEST) -m "not slow"

test-all: check types imports $(TEXT) $(IMAGE) $(PROMTOOL) $(BROWSER) ## also the slow suites
	$(PYTEST)

check: $(INSTALLED) ## style of code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(INSTALLED) ## strict types
	$(BIN)/mypy

imports: $(INSTALLED) ## the architecture's layers
	$(BIN)/lint-imports --no-cache

format: $(INSTALLED) ## let the formatter have its way
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(INSTALLED) ## write the generated pages (commands, project file)
	$(BIN)/python scripts/generate_docs.py
	$(BIN)/python scripts/audit_snapshot.py

bench: demo $(WRK) ## measure; prints ratios
	$(BIN)/python benchmarks/audit/side_by_side.py
	$(BIN)/python benchmarks/audit/growth.py
	$(BIN)/python benchmarks/audit/large_project.py
	OMP_NUM_THREADS=1 POLARS_MAX_THREADS=1 $(BIN)/python benchmarks/features/boosting_pipeline.py
	$(BIN)/python benchmarks/serving/one_row.py --package $$(ls -d demo/churn/.modelyard/packages/* | head -1)
	$(BIN)/python benchmarks/governance/ledger.py
	$(BIN)/python benchmarks/monitoring/state_update.py
	$(BIN)/python benchmarks/monitoring/side_by_side.py
	$(BIN)/python benchmarks/monitoring/root_cause.py
	$(BIN)/python benchmarks/retraining/replay.py
	$(BIN)/python benchmarks/serving/in_process.py
	$(BIN)/python benchmarks/serving/side_by_side.py
	$(BIN)/python benchmarks/training/side_by_side.py --budget 60 --tables churn adult bank bike parkinsons breast_cancer diabetes digits
	$(BIN)/python benchmarks/shipping/cold_start.py --package $$(ls -d demo/churn/.modelyard/packages/* | head -1)

clean: ## remove what was made
	rm -rf .venv demo .mypy_cache .ruff_cache .pytest_cache
