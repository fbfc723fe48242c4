# `make` alone lists what there is. Everything happens in this folder: no fixed ports, no paths elsewhere.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# Any Python from 3.11 on; it is needed once, to make .venv.
PYTHON ?= python3
PY := .venv/bin/python
TESSERA := $(PY) -m tessera
# Two workers left a third of two cores idle while tests waited (24 min 35 s); three took 20 min 5 s, with two tests made quicker meanwhile.
WORKERS ?= 3
# What has types of its own for Cython is compiled.
COMPILED := $(basename $(wildcard */*.pxd))

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

.PHONY: setup
setup: .venv/.ready ## the Python environment in .venv, from the hash-locked list; the compiled core

.PHONY: console
console: setup ## the merchant's console into build/console; nothing happens when nothing has changed
	@$(TESSERA) console $(ARGS)

# Without Node and without a network the shop opens all the same: /console then says how to build it.
.PHONY: console-if-possible
console-if-possible: setup
	@$(TESSERA) console --if-possible

.PHONY: demo
demo: setup console-if-possible ## a shop sells real codes to thousands, then stays open (ARGS=--exit to stop after the report)
	@$(TESSERA) demo $(ARGS)

.PHONY: up
up: setup console-if-possible ## servers, schema, API and worker for local work, until Ctrl-C
	@$(TESSERA) up $(ARGS)

.PHONY: test
test: ## all checks and all tests; the checks while the core is compiled
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target setup lint types
	@$(MAKE) --no-print-directory pytest

# Hundreds of processes are started: none compiles what another has compiled.
.PHONY: pytest
pytest: setup ## the tests alone (ARGS="tests/api -k coupon", WORKERS=0 for one process)
	env -u PYTHONDONTWRITEBYTECODE $(PY) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: e2e
e2e: setup ## the journeys in a real browser alone (ARGS="-k payloads"; TESSERA_PICTURES=folder keeps screenshots)
	$(PY) -m pytest tests/e2e $(ARGS)

.PHONY: screenshots
screenshots: setup ## every page on both screens, in both languages, by day and night: build/screens/index.html (ARGS="--only home,cart")
	$(PY) -m tests.web.screenshots $(ARGS)

.PHONY: web-budget
web-budget: setup ## what pages weigh and how long they take, against what they may: build/web.json
	$(PY) -m tests.web.budget $(ARGS)

.PHONY: lint
lint: .venv/.installed ## style, without changing anything
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

.PHONY: types
types: python-types console-types ## strict types, Python's and the console's, and the console's own tests

# By themselves, so that the first are looked at while the core is compiled.
.PHONY: python-types
python-types: .venv/.installed
	$(PY) -m mypy

.PHONY: console-types
console-types: setup
	$(TESSERA) console --check

.PHONY: fmt
fmt: setup ## format and fix what can be fixed
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

.PHONY: load
load: setup ## a rehearsed sale, judged: SHOPPERS=20000 RATE=200 here; TARGET= STORE= SALE= TOKENS= PROVIDER= elsewhere
	@$(TESSERA) load $(if $(SHOPPERS),--shoppers $(SHOPPERS)) $(if $(RATE),--rate $(RATE)) $(if $(SHAPE),--shape $(SHAPE)) \
	    $(if $(PROCESSES),--processes $(PROCESSES)) $(if $(TARGET),--target $(TARGET)) $(if $(STORE),--store $(STORE)) \
	    $(if $(SALE),--sale $(SALE)) $(if $(TOKENS),--tokens $(TOKENS)) $(if $(PROVIDER),--provider $(PROVIDER)) $(ARGS)

.PHONY: drill
drill: setup ## everything that may die, dies, and the checker judges: build/drill.md (DRILL=long without end, ARGS="kills" for some)
	$(PY) -m tests.drills $(if $(filter long,$(DRILL)),--long) $(ARGS)

.PHONY: sim
sim: setup ## the checkout protocol in virtual time: SEED=17 plays one, SEEDS=10000 many, AGREE=10000 batches against real SQL
	TESSERA_ENV=test $(PY) -m tests.simulation $(or $(SEED),$(if $(AGREE),--agree $(AGREE),--seeds $(or $(SEEDS),1000))) $(ARGS)

.PHONY: fuzz
fuzz: setup ## compiled modules under AddressSanitizer, the API by its document: ONLY=compiled or api, SECONDS=600, ARGS="--seed 7"
	$(if $(filter-out api,$(or $(ONLY),compiled)),$(PY) -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS)) $(ARGS))
	$(if $(filter-out compiled,$(or $(ONLY),api)),$(PY) -m tests.fuzz.api $(ARGS))

.PHONY: client
client: setup ## the typed client of the API anew, from its OpenAPI document: loadtests/client
	@$(TESSERA) client

.PHONY: isolation
isolation: setup ## no merchant sees another's: matrix, catalogue, 10,000 requests over one connection, canaries: build/isolation.json
	$(PY) -m tests.security $(ARGS)

.PHONY: bench
bench: setup ## the checkout against its peers: build/bench.json, docs/benchmarks.md (ARGS="--only P3", --million, --profile)
	$(PY) -m loadtests.bench $(ARGS)

.PHONY: bench-smoke
bench-smoke: setup ## the same at its smallest: a look whether it runs
	$(PY) -m loadtests.bench --smoke $(ARGS)

.PHONY: bench-api
bench-api: setup ## 10,000 merchants, a million orders of one: sign-up, sweeps, pages of orders: build/api.json (ARGS=--smoke for a look)
	$(PY) -m tests.bench.api $(ARGS)

.PHONY: check
check: setup ## prove the invariants on the store that DATABASE_URL and REDIS_URL name
	@$(TESSERA) check $(ARGS)

.PHONY: lock
lock: ## requirements.lock anew, from pyproject.toml (ARGS=--upgrade for the newest)
	folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder"; \
	"$$folder/bin/python" -m pip install --quiet uv; \
	"$$folder/bin/uv" pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --quiet \
	    --no-emit-index-url --no-header --no-annotate --output-file requirements.lock $(ARGS)

.PHONY: clean
clean: ## remove all that was made here: environment, builds, data of the demo
	rm -rf .venv .tessera build dist admin_ui/node_modules admin_ui/src/api/schema.d.ts *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis $(addsuffix *.so,$(COMPILED)) $(addsuffix .c,$(COMPILED))
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: each step runs again only when what it reads has changed.
.venv/.installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tessera needs Python 3.11 or newer: make PYTHON=…")'
	@echo "Setting up .venv (once; under a minute)"
	$(PYTHON) -m venv .venv
	$(PY) -m pip install -qq --disable-pip-version-check --require-hashes --requirement requirements.lock
	@touch $@

# The editable install compiles the core in place.
.venv/.ready: .venv/.installed pyproject.toml setup.py $(COMPILED:=.py) $(COMPILED:=.pxd)
	$(PY) -m pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@
