# All set-up is done by what is asked for: `make demo` and `make test` need Python 3.11 or newer, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev

LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q

CRD := crds/consistency.dynamo.io_siteconsistencychecks.yaml

.DEFAULT_GOAL := help
.PHONY: help crd command-line dashboards demo demo-rucio test test-all soak lint e2e e2e-cost e2e-many start-cost bench format mysqlclient lock docs docs-serve docs-publish package publish version release-notes image image-sign image-index chart clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY) ## Check a small site against a small inventory, from nothing to the report
	@$(BIN)/python examples/demo/demo.py

demo-rucio: $(READY) ## The same with a real Rucio server, which is installed first (230 MB, once): from findings to recovery
	@PYTHONPATH=tests/rucio $(BIN)/python examples/demo-rucio/demo.py

test: $(READY_DEV) ## Run the tests that can run here, but the slow ones; what the others lack is named; TEST=... are pytest's arguments
	@$(BIN)/python -m pytest -n 2 --dist loadfile $(TEST)

test-all: $(READY_DEV) ## The same with the slow ones and all random examples, as CI does
	@ALL_TESTS=true $(BIN)/python -m pytest -n 2 --dist loadfile $(TEST)

SECONDS ?= 600

soak: $(READY_DEV) ## Play random histories of sites and checks, for SECONDS=600, from SEED on (random, and printed)
	@PYTHONPATH=tests/action $(BIN)/python tests/action/world_machine.py $(SECONDS) $(SEED)

lint: $(READY_DEV) ## Formatting, style, types, the direction of dependencies, and the Python that the plug-in needs
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/vermin --quiet --target=3.9- --violations deploy/plugin/kubectl-consistency

crd: $(READY_DEV) ## Write the CustomResourceDefinition anew from the models
	@$(BIN)/python -m consistency_operator.crd.crd > $(CRD).new && mv $(CRD).new $(CRD)

dashboards: $(READY_DEV) ## Write Grafana's boards anew
	@$(BIN)/python deploy/monitoring/dashboards/make_dashboards.py

command-line: $(READY_DEV) ## Write anew what derives from the command line: its page, manual page, completions, schema
	@$(BIN)/python docs/generate_command_line.py

e2e: $(READY_DEV) ## Run the operator in a real Kubernetes, which is built first (20 minutes, once); E2E=... are pytest's arguments
	@PYTHONPATH=tests/e2e:tests/rucio $(BIN)/python -m cluster.run $(E2E)

e2e-cost: $(READY_DEV) ## Measure what the operator costs with up to 10,000 checks on a real API server
	@PYTHONPATH=tests/e2e:tests/rucio $(BIN)/python -m cluster.run --processes tests/e2e/measure_cost.py -s

e2e-many: $(READY_DEV) ## Measure how long 300 checks take that are due in one minute
	@PYTHONPATH=tests/e2e:tests/rucio $(BIN)/python -m cluster.run --processes tests/e2e/measure_many.py -s

CHECKS ?= 10000

start-cost: $(READY_DEV) ## Measure how an operator starts that finds CHECKS=10000 waiting checks, without a cluster
	@PYTHONPATH=tests:tests/operator $(BIN)/python tests/operator/measure_start.py $(CHECKS)

bench: $(READY_DEV) ## Measure listings, comparison and snapshots against their peers; BENCH=--big for more, BENCH=webdav for one part
	@$(BIN)/python benchmarks/bench.py $(BENCH)

format: $(READY_DEV) ## Format, and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

mysqlclient: $(READY_DEV) ## Add mysqlclient, another MySQL driver; needs a C compiler and Debian's libmariadb-dev and pkg-config
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-mysqlclient.lock

lock: $(READY_DEV) ## Write the lock files anew from pyproject.toml
	@$(LOCK) pyproject.toml -o requirements.lock
	@$(LOCK) pyproject.toml --extra operator --extra s3 --extra http --extra postgresql --extra notify --extra web -o requirements-image.lock
	@$(LOCK) pyproject.toml --group dev -o requirements-dev.lock
	@echo 'mysqlclient>=2.2' | $(LOCK) - -o requirements-mysqlclient.lock
	@printf '%s\n' 'hatchling>=1.27' 'hatch-fancy-pypi-readme>=25' | $(LOCK) - -o requirements-build.lock

MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs # its maker's remark on MkDocs' future is in docs/dependencies.md

docs: $(READY_DEV) ## Build the pages as a site into site/; fails where a link is broken or a page is not in the order
	@$(MKDOCS) build --strict

docs-serve: $(READY_DEV) ## Show the site at http://127.0.0.1:8000 while you write
	@$(MKDOCS) serve --strict

docs-publish: docs ## Add the site as VERSION=3.0 to the branch gh-pages, ALIAS=latest; push it yourself, or PUSH=--push
	@PATH="$(BIN):$$PATH" NO_MKDOCS_2_WARNING=1 $(BIN)/mike deploy --update-aliases $(PUSH) $(VERSION) $(ALIAS)

package: $(READY_DEV) ## Build the wheel and the source archive into dist/, as they are published, and judge them
	@rm -rf dist
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(BIN)/python -m hatchling build -d dist
	@$(BIN)/twine check --strict dist/*
	@$(BIN)/check-wheel-contents dist/*.whl

publish: $(READY_DEV) ## Upload what is in dist/; on a forge that the index trusts, without a password
	@$(BIN)/uv publish --trusted-publishing always dist/*

version: ## Write VERSION=3.0.0 into every file that has a version
	@$(PYTHON) tools/release/version.py $(VERSION)

release-notes: ## Say what is new in VERSION=3.0.0, or what is unreleased, as the page of a release wants it
	@$(PYTHON) tools/release/notes.py $(VERSION)

image: ## Build the image with podman; IMAGE=… is its name
	@tools/image/build image $(IMAGE)

image-sign: ## Sign IMAGE=…, which is in a registry, and its list of parts (SBOM); COSIGN_KEY=FILE signs by a key
	@tools/image/sign $(IMAGE)

image-index: ## Give the builds of IMAGE=… for amd64 and arm64, which are in a registry, one name, and sign it
	@tools/image/index $(IMAGE) amd64 arm64

DIST ?= dist

chart: ## Package the Helm chart into dist/, with IMAGE=… as its image; needs helm
	@$(PYTHON) tools/release/chart.py $(IMAGE) $(DIST)

clean: ## Remove what the demo and the tests have left
	@rm -rf site demo-data demo-data-rucio .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# Python is asked before anything is made with it; what an attempt that broke off has left is no environment.
RECENT := -c "import sys; sys.exit(sys.version_info < (3, 11) and 'Python 3.11 or newer is needed; PYTHON=... names it')"
ENVIRONMENT := $(BIN)/python -m pip --version >/dev/null 2>&1 && $(BIN)/python $(RECENT) 2>/dev/null || \
	{ $(PYTHON) $(RECENT) && $(PYTHON) -m venv --clear $(VENV); }

# Without a network pip says, as it is quiet, only that there is no such version.
OR_SAY := || { echo 'the packages were not installed, as said above; "from versions: none" means that no package index answers:' \
	'is there a network? PIP_INDEX_URL=... names another index' >&2; exit 1; }

# The virtual environment, from the lock files with their hashes; made anew when they change.
$(READY): requirements.lock pyproject.toml
	@$(ENVIRONMENT)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock $(OR_SAY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(READY_DEV): requirements-dev.lock pyproject.toml
	@$(ENVIRONMENT)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock $(OR_SAY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@ $(READY)
