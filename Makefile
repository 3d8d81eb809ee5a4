# make demo | test | lint | bench | clean | help
#
# Each target makes a virtual environment in .venv by itself and reuses it afterwards.
#   make demo PYTHON=python3.12                 another Python (only when .venv is first made)
#   make test PIP_ARGS="--proxy http://..."     anything else that pip should be told
#   make test ARGS="-k geometry"                further arguments of the program that is run

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
PIP_ARGS ?=
ARGS ?=
PY := .venv/bin/python
CPU_WHEELS := https://download.pytorch.org/whl/cpu

# Processes that run tests beside each other; the tests of one file stay in one of them.
JOBS ?= 2

# A stamp is written after pip has succeeded, so an interrupted installation is taken up again.
STAMP = .venv/.installed
INPUTS := pyproject.toml constraints.txt

.PHONY: demo test lint bench clean help

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-6s %s\n", $$1, $$2 }' Makefile

demo: $(STAMP)-run ## Outline the bundled samples and write a page with the results
	$(PY) -m DiffusionSegLib.cli.main demo $(ARGS)

test: $(STAMP)-test ## Run all tests
	OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

lint: $(STAMP)-lint ## Check style and types
	$(PY) -m ruff check DiffusionSegLib DiffusionSeg Testing
	$(PY) -m mypy

# Folder of samples = model that suits them; only models that are bundled are measured.
BENCH := msd_hippocampus=hippocampus dsb2018_nuclei=nuclei isic2017_98=skin-lesion sts_ct_mr=sarcoma

# Commands of their own; `.venv/bin/python -m Testing.Benchmarks.NAME --help` says what each measures
# and how to give it whole data sets instead of the samples.
BENCHMARKS := refine_errors presence adaptive stability memory worker_speed

bench: $(STAMP)-bench ## Measure the bundled models on the bundled samples
	@set -e; for pair in $(BENCH); do \
	  samples="Resources/Samples/$${pair%%=*}"; model="$${pair#*=}"; \
	  [ -f "Resources/Models/cdal/$$model/model.json" ] || continue; \
	  echo "== cdal/$$model on $$samples"; \
	  $(PY) -m DiffusionSegLib.cli.main evaluate --method cdal --model "$$model" \
	    --images "$$samples/images" --labels "$$samples/labels" $(ARGS); \
	done
	@status=0; for name in $(BENCHMARKS); do \
	  $(PY) -m "Testing.Benchmarks.$$name" || status=$$?; \
	done; exit $$status

clean: ## Remove what the tools left behind (keeps .venv, models and results)
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	find DiffusionSegLib DiffusionSeg Testing -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP)-run: EXTRAS = [text]
$(STAMP)-test: EXTRAS = [test,train,bench]
$(STAMP)-lint: EXTRAS = [lint]
$(STAMP)-bench: EXTRAS = [bench]

$(STAMP)-run $(STAMP)-test $(STAMP)-lint $(STAMP)-bench: $(INPUTS) | $(PY)
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PY) -m ensurepip --upgrade
	@if [ "$$(uname -s)" = Linux ] && [ -z '$(PIP_ARGS)' ] \
	    && ! command -v nvidia-smi >/dev/null 2>&1 && ! $(PY) -c 'import torch' 2>/dev/null; then \
	  echo 'No NVIDIA GPU found. pip may now fetch torch with its large CUDA libraries. For the'; \
	  echo 'smaller CPU build, stop here and run the same command with'; \
	  echo '    PIP_ARGS="--extra-index-url $(CPU_WHEELS)"'; \
	fi
	$(PY) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS) -c constraints.txt -e '.$(EXTRAS)'
	@touch $@

$(PY):
	@command -v '$(PYTHON)' >/dev/null 2>&1 || { \
	  echo 'There is no "$(PYTHON)" here. Install Python 3.10 or newer, or name one: make PYTHON=/path/to/python3'; exit 1; }
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  echo "DiffusionSeg needs Python 3.10 or newer; $(PYTHON) is $$('$(PYTHON)' -V 2>&1). Name a newer one: make PYTHON=python3.12"; exit 1; }
	@'$(PYTHON)' -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo '$(PYTHON) cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv'; exit 1; }
	'$(PYTHON)' -m venv .venv
