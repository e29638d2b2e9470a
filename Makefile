# `make help` is the menu. Everything happens in .venv, from the locked and hashed requirements.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
LADDER := protocols prices agents models scenarios studies reports
PEERS := mesa numpy radcad cadcad
SCENARIO ?= scenarios/short_squeeze.yaml
SEAWALL_SOAK_SECONDS ?= 60

.PHONY: help setup stress test test-newest test-live watch soak lint bench bench-check figures lock clean

help:  ## this menu
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## */\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.installed  ## the locked environment in .venv

stress: .venv/.installed  ## run the default scenario to a report (SCENARIO=file for another)
	$(BIN)/python run.py run $(SCENARIO)

test: .venv/.installed-dev  ## the tests (under 10 minutes)
	$(BIN)/python -m pytest -n 2 --dist worksteal -q

test-newest: .venv/.installed  ## the same world, byte for byte, on the newest Mesa and Python 3.12 or later, where one is found
	bash tests/newest_mesa.sh

lint: .venv/.installed-dev  ## ruff, strict types, the ladder of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p .cache/types && ln -sfn ../.. .cache/types/seawall
	MYPYPATH=.cache/types $(BIN)/mypy -m seawall -m seawall.run $(foreach folder,$(LADDER),-p seawall.$(folder))
	$(BIN)/lint-imports

watch: .cache/viz/.installed  ## a live page of a scenario on this machine (SCENARIO=file for another)
	.cache/viz/bin/python -m seawall.reports.watch $(SCENARIO)

test-live: .cache/viz/.installed  ## the live page in headless Chromium, without a network
	.cache/viz/bin/python -m pytest tests/end_to_end/test_live_page.py -q

soak: .venv/.installed-dev  ## markets under anything, SEAWALL_SOAK_SECONDS each; then coverage of every interval, and files (10 minutes)
	SEAWALL_SOAK=1 SEAWALL_SOAK_SECONDS=$(SEAWALL_SOAK_SECONDS) $(BIN)/python -m pytest tests/soak/test_machines.py -q
	SEAWALL_SOAK=1 $(BIN)/python -m pytest tests/soak/test_coverage.py tests/fuzz tests/property/test_forged_folders.py -n 2 -q

bench: .venv/.installed-dev $(PEERS:%=.cache/bench-%/.installed)  ## speed, as ratios against peers measured in one run (under 6 minutes)
	$(BIN)/python benchmarks/ground.py

bench-check: .venv/.installed-dev $(PEERS:%=.cache/bench-%/.installed)  ## fail where a ratio is a third worse than recorded (under 3 minutes)
	$(BIN)/python benchmarks/ground.py --check

figures: .venv/.installed  ## the charts of docs/prices.md, from the YAML that it shows
	$(BIN)/python docs/prices/make_figures.py

lock:  ## resolve the requirements anew (needs uv)
	uv pip compile --universal --python-version 3.11 pyproject.toml --generate-hashes --no-header --no-annotate --quiet \
		--extra build --output-file requirements.lock
	uv pip compile --universal --python-version 3.11 pyproject.toml --generate-hashes --no-header --no-annotate --quiet \
		--extra build --extra dev --constraint requirements.lock --output-file requirements-dev.lock
	uv pip compile --universal --python-version 3.11 pyproject.toml --generate-hashes --no-header --no-annotate --quiet \
		--extra build --extra dev --extra viz --constraint requirements-dev.lock --output-file requirements-viz.lock
	for peer in $(PEERS); do uv pip compile --universal --python-version 3.11 benchmarks/peers/requirements-$$peer.in --generate-hashes \
		--no-header --no-annotate --quiet --output-file benchmarks/peers/requirements-$$peer.lock; done

clean:  ## remove the environment, caches and results
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build dist out *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Seawall needs Python 3.11 or later"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	touch $@

.cache/viz/.installed: requirements-viz.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Seawall needs Python 3.11 or later"; exit 1; }
	test -x .cache/viz/bin/python || $(PYTHON) -m venv .cache/viz
	.cache/viz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-viz.lock
	.cache/viz/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.cache/bench-%/.installed: benchmarks/peers/requirements-%.lock
	@test -n "$(PYTHON)" || { echo "Seawall needs Python 3.11 or later"; exit 1; }
	test -x .cache/bench-$*/bin/python || $(PYTHON) -m venv .cache/bench-$*
	.cache/bench-$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@
