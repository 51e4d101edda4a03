# Everything from a fresh clone with Python 3.11 or later, make and git. `make help` lists what there is.

# The first interpreter that is new enough; `make PYTHON=/path/to/python ...` chooses another.
PYTHON ?= $(shell for each in python3.11 python3 python3.12 python3.13 python3.14; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$each"; exit; }; done; echo python3.11)
UV ?= uv
# Worker processes of the tests; each that needs PostgreSQL starts its own server.
JOBS ?= logical
BIN := .venv/bin
INSTALLED := .venv/.installed
COMPILED := app/compiled/modules/digest
RECEIVERS := tests/receivers/node_modules/.package-lock.json
LOCKS := requirements/build.txt requirements/run.txt requirements/dev.txt

.DEFAULT_GOAL := help
.PHONY: help install run demo test test-soak test-chaos mutation lint format lock clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST)

install: $(COMPILED) ## the virtual environment in .venv, test tools included, and the engine compiled

$(INSTALLED): pyproject.toml $(LOCKS)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --require-hashes -r requirements/build.txt -r requirements/dev.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	touch $@

# Half a minute; nothing, when the sources are those it was made from. Without a C compiler the engine runs as it is written.
$(COMPILED): $(shell find app/compiled app/rules -name '*.py') | $(INSTALLED)
	$(BIN)/python -m app.compiled

# Receivers of webhooks that other people wrote for Node; only tests need them.
$(RECEIVERS): tests/receivers/package-lock.json | $(INSTALLED)
	$(BIN)/npm ci --prefix tests/receivers --no-fund --no-audit --silent
	touch $@

slawatch.yaml: | $(INSTALLED)
	$(BIN)/slawatch init $@

run: $(COMPILED) slawatch.yaml ## the service on 127.0.0.1:8000, with SQLite in slawatch.db
	$(BIN)/slawatch serve --config slawatch.yaml

demo: $(COMPILED) ## the service, a simulated helpdesk and a verifying receiver, for less than a minute
	$(BIN)/slawatch demo

test: lint $(COMPILED) $(RECEIVERS) ## everything: lint, types, import rules, all tests on SQLite and on PostgreSQL
	$(BIN)/python -m pytest -n $(JOBS) --maxprocesses 4 --dist worksteal -m "not slow and not chaos"

test-soak: $(COMPILED) ## the long proofs
	$(BIN)/python -m pytest -m slow

test-chaos: $(COMPILED) ## replicas killed and stopped, databases crashed and replaced (about ten minutes)
	$(BIN)/python -m pytest tests/chaos

mutation: $(INSTALLED) ## small mistakes put into app/rules: does a test fall? (hours; MUTANTS="app.rules.track.*" for some)
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-build-isolation --editable ".[proof]"
	$(BIN)/python -m mutmut run $(MUTANTS)
	$(BIN)/python -m mutmut results | sed '/: not checked$$/d'

lint: $(INSTALLED) ## style, types, import rules, YAML, Dockerfiles
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --num-workers 2
	$(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/hadolint Dockerfile deploy/compose/pgbouncer.Dockerfile

format: $(INSTALLED) ## put the code into the house's format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# No address of a package index gets into these files, so they install from whichever index pip is set to.
COMPILE = $(UV) pip compile --quiet --python-version 3.11 --universal --generate-hashes --no-emit-index-url --custom-compile-command "make lock"

lock: ## resolve the dependencies anew (needs uv; LOCK="--upgrade" to go to the newest)
	$(COMPILE) $(LOCK) requirements/build.in -o requirements/build.txt
	$(COMPILE) $(LOCK) pyproject.toml --extra demo -o requirements/run.txt
	$(COMPILE) $(LOCK) pyproject.toml --extra demo --extra dev -c requirements/run.txt -o requirements/dev.txt

clean: ## remove what was made here, except the database and slawatch.yaml
	rm -rf .venv app/compiled/modules mutants tests/receivers/node_modules *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find app migrations tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
