# Everything this project does, by two commands: `make run` and `make test`. `make` alone lists the rest.

SHELL := /bin/sh
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -q
# an environment that is active, or a path of the caller's, must not reach into ours
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME
# name another by `make run PYTHON=/path/to/python3`
PYTHON ?=
PYTHONS = $(PYTHON) python3.13 python3.12 python3.11 python3 python
UV ?= uv
LOCK_OPTIONS ?=
# what `make bench` measures: --from pages.parquet --id-column id --url-column url --gold gold.parquet; the seeds, varied,
# without it; other tools too, where they are installed (README.md says how)
BENCH ?=
LOCK = $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --group build \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --no-strip-extras -q $(LOCK_OPTIONS)
SEEDS ?= seeds
OUTPUT ?= output

.PHONY: help run test proofs lint docs picture bench lock clean
.DEFAULT_GOAL := help

help:
	@echo "make run    clean $(SEEDS)/ into $(OUTPUT)/ and say where the report is (sets up .venv by itself)"
	@echo "make test   lint, types and the tests"
	@echo "make proofs the slow tests: killed runs, servers, browsers, Spark; CI runs both"
	@echo "make lint   only ruff and mypy"
	@echo "make docs   write the tables of README.md and docs/data-dictionary.md anew from the schemas"
	@echo "make picture  photograph the report of $(SEEDS)/ for the README (needs Chromium)"
	@echo "make bench  measure pages per CPU second and memory, beside reading and writing alone and other tools"
	@echo "make lock   pin what pyproject.toml asks for (needs uv; LOCK_OPTIONS=--upgrade takes the newest)"
	@echo "make clean  remove .venv and caches; what was published in $(OUTPUT)/ stays"

run: .venv/.ready
	@$(BIN)/copydesk run $(SEEDS) --output $(OUTPUT)

# all checks run, so that one failure does not hide another; pytest comes last, with its closing line
test: .venv/.ready-dev
	@failed=; \
	$(BIN)/ruff check --output-format concise . || failed=1; \
	$(BIN)/mypy || failed=1; \
	$(BIN)/pytest -n 2 -m "not slow" $(TESTS) || failed=1; \
	test -z "$$failed"

proofs: .venv/.ready-dev
	@$(BIN)/pytest -n 2 -m slow $(TESTS)

lint: .venv/.ready-dev
	@$(BIN)/ruff check --output-format concise . && $(BIN)/mypy

docs: .venv/.ready
	@$(BIN)/python -m docs.build

picture: .venv/.ready
	@$(BIN)/python -m docs.picture

bench: .venv/.ready
	@$(BIN)/python benchmarks/pipeline.py $(BENCH)

lock:
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: install it, or name it by UV=/path/to/uv" >&2; exit 2; }
	$(LOCK) -o requirements.lock
	$(LOCK) --group dev -c requirements.lock -o requirements-dev.lock

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
	find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

# Setting up. The stamps are newer than the locks and pyproject.toml, or the set-up is done again.

.venv/bin/python:
	@for python in $(PYTHONS); do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Setting up .venv with $$("$$python" --version): once, about a minute ..."; \
			exec "$$python" -m venv --clear .venv; \
		fi; \
	done; \
	echo "copydesk needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: python3-venv);" >&2; \
	echo "if it is not on the PATH, name it: make run PYTHON=/path/to/python3" >&2; \
	exit 2

# modules are compiled when first imported: compiling all 10,000 of them here takes longer than the first run
.venv/.ready: requirements.lock pyproject.toml | .venv/bin/python
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements.lock
	@$(PIP) install --no-compile --no-deps --no-build-isolation -e .
	@touch $@

.venv/.ready-dev: requirements-dev.lock requirements.lock pyproject.toml | .venv/bin/python
	@$(PIP) install --no-compile --no-deps --require-hashes -r requirements-dev.lock
	@$(PIP) install --no-compile --no-deps --no-build-isolation -e .
	@touch .venv/.ready $@
