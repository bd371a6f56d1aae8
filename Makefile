# `make demo` serves a demo volume. `make quick` checks a change, `make test` runs everything CI runs.
# CONTRIBUTING.md explains the other targets.
# Every target creates .venv on its first run, and needs Python >= 3.11 and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo quick test release bench property soak load sandbox fuzz lint types fmt clean screenshots

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dvidpc needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.run: $(VENV)/.made pyproject.toml
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --editable '.[codecs,index]' --group dev
	@touch $@

demo: $(VENV)/.run
	$(BIN)/dvidpc demo

# Tests at a time: most of them wait more than they compute.
JOBS ?= 2
PYTEST := $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

# Lint, types, and the tests that start no server, no process and no browser.
quick: lint types
	$(PYTEST) -q -m "not server"

test: lint types
	$(PYTEST)

# In dist/: the wheel, the source distribution and the list of components (SBOM) of an environment with the wheel.
release: $(VENV)/.dev
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*
	$(PYTHON) -m venv dist/env
	dist/env/bin/python -m pip install --quiet dist/*.whl
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-file dist/sbom.cdx.json dist/env/bin/python
	rm -rf dist/env

$(VENV)/.bench: $(VENV)/.run
	$(BIN)/python -m pip install --quiet --editable '.[index]' --group bench
	@touch $@

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks.run

# Mixed traffic on a failing bucket whose shards are replaced. Every block is compared with the truth.
# DISK=directory adds a disk cache that fails now and then. DISK=tmpfs and DISK=ext4 mount a small file system, as root.
MINUTES ?= 10
soak: $(VENV)/.dev
	$(BIN)/python -m tests.faulty.soak --minutes $(MINUTES) $(if $(DISK),--disk $(DISK))

# Thousands of connections, four times too many requests, 100,000 shards, little memory. About eight minutes.
# ROWS="idle start" runs a selection. Long rows, such as ROWS=mutations, run by name only.
# Needs the Debian packages wrk, nginx, bubblewrap and util-linux.
load: $(VENV)/.dev
	$(BIN)/python -m tests.load.run $(ROWS)

# The tests as nobody, without capabilities, on a read-only disk. Needs the Debian package bubblewrap.
sandbox: $(VENV)/.dev
	$(BIN)/python -m tests.load.sandbox $(TESTS)

# Coverage-guided fuzzing of each parser and decoder, SECONDS each.
SECONDS ?= 60
fuzz: $(VENV)/.dev
	$(BIN)/python -m pip install --quiet atheris
	for target in $$($(BIN)/python -c 'from fuzz.targets import TARGETS; print(*TARGETS)'); do \
		$(BIN)/python -m fuzz.run $$target $(SECONDS) || exit 1; \
	done

# 5,000 random volumes and segmentations each. DRAWS=20000 runs more.
property: $(VENV)/.dev
	DVIDPC_DRAWS=$${DRAWS:-5000} $(BIN)/python -m pytest --timeout 0 \
		tests/volume/test_property_volumes.py tests/dvid/labelmap/test_property_labels.py

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/hadolint Dockerfile

types: $(VENV)/.dev
	$(BIN)/mypy

fmt: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean:
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .fuzz

# The pictures in docs/; needs chromium and chromium-driver.
screenshots: $(VENV)/.dev
	PYTHONPATH=. $(BIN)/python tools/screenshots.py
