# Everything runs from .venv in this folder; `make` alone says what there is.

# Which PyTorch: its build depends on the platform, so it is pinned apart from the lock.
TORCH = torch==2.13.0
# Another index for it, for example https://download.pytorch.org/whl/cpu
TORCH_INDEX =

# The first Python that runs, fits, and can make an environment.
FITS = import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON = $(shell for python in python3 python3.13 python3.12 python3.11; do \
	if $$python -c '$(FITS)' >/dev/null 2>&1; then echo $$python; break; fi; done)

BIN = .venv/bin
PIP = $(BIN)/python -m pip --disable-pip-version-check install --quiet --progress-bar off

.PHONY: help install dev demo demo-once test check bench lock clean clean-data

help:
	@echo "make demo        everything on this machine with a sample collection, until Ctrl-C"
	@echo "make demo-once   the same, then approve, export and end"
	@echo "make test        every test, with real services            PYTEST=\"-n 2 --dist loadfile\""
	@echo "make check       format, lint, types, import contracts, migrations"
	@echo "make bench       items per second of every stage           BENCH=\"--help\""
	@echo "make install     .venv with the service, the worker and the demo; TORCH_INDEX=URL"
	@echo "make dev         the same with what developers need; PYTHON=python3.12 chooses"
	@echo "make lock        choose new versions for requirements/"
	@echo "make clean       remove .venv and caches; clean-data removes what the demo keeps"

install: .venv/.package

dev: .venv/.development

demo: install
	@$(BIN)/predella demo

demo-once: install
	@$(BIN)/predella demo --once

test: dev
	$(BIN)/python -m pytest $(PYTEST)

check: dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.migrations

bench: dev
	$(BIN)/python -m tests.bench $(BENCH)

.venv/.python:
	@test -n "$(PYTHON)" || { echo >&2 \
		"predella needs Python 3.11, 3.12 or 3.13 with its venv module." \
		"On Debian or Ubuntu: apt install python3-venv; or name one: make PYTHON=/path/to/python3"; \
		exit 1; }
	@echo "making .venv with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.torch: .venv/.python
	@echo "installing $(TORCH)"
	@$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) '$(TORCH)'
	@touch $@

.venv/.runtime: requirements/runtime.txt .venv/.torch
	@echo "installing what predella stands on"
	@$(PIP) --require-hashes --no-deps --requirement $<
	@touch $@

.venv/.package: pyproject.toml .venv/.runtime
	@$(PIP) --no-deps --editable .
	@touch $@

.venv/.development: requirements/development.txt .venv/.package
	@echo "installing what developers need"
	@$(PIP) --require-hashes --no-deps --requirement $<
	@touch $@

# torch and what only torch needs stay out: "python_version < '3'" is never.
COMPILE = UV_CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/uv pip compile pyproject.toml --quiet \
	--universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	--upgrade --override .venv-lock/never.txt
PARTS = --constraint requirements/development.txt

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip --disable-pip-version-check install --quiet uv
	echo "torch ; python_version < '3'" > .venv-lock/never.txt
	$(COMPILE) --all-extras --output-file requirements/development.txt
	$(COMPILE) $(PARTS) --extra api --extra worker --extra demo --output-file requirements/runtime.txt
	$(COMPILE) $(PARTS) --extra api --output-file requirements/api.txt
	$(COMPILE) $(PARTS) --extra worker --output-file requirements/worker.txt
	rm -r .venv-lock

clean:
	rm -rf .venv .venv-lock build dist *.egg-info
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find api migrations predella tests worker -name __pycache__ -type d -exec rm -rf {} +

# Where root's home is closed to others, the database lies elsewhere behind a link.
clean-data:
	$(BIN)/predella down 2>/dev/null || true
	rm -rf "$$(readlink -f .predella/postgres)" .predella
