# Developer tasks. `make` alone lists the targets.

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
COMPILED := $(VENV)/compiled
DEMO := amazon_bridge_demo
ODOO ?= 19
TRANSPORT ?= xmlrpc
TESTS ?= $(if $(filter 19,$(ODOO)),tests/odoo tests/flows,tests/odoo/test_doctor.py tests/flows/test_invoices.py) tests/system
NO_DOUBLE := --ignore-glob '*/test_system_two_odoos*'
IMAGE ?= amazon-bridge
DIST := dist
export ODOO_TEST_VERSION := $(ODOO)
export ODOO_TEST_TRANSPORT := $(TRANSPORT)
export ODOO_TEST_RESULTS := $(RESULTS)
OLDEST := setup import pickings cancellations cancellations_held
PARALLEL := $(BIN)/python -m pytest -n auto --maxprocesses 6 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help install test test-oldest test-tools test-fast lint format crash demo docs pictures benchmark constraints wheel sbom image base clean
MAKEFLAGS += --no-print-directory
unexport PYTHONDONTWRITEBYTECODE  # or else each of the many processes compiles all modules again

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

install: $(INSTALLED) ## install the bridge and the developer's tools into .venv

$(INSTALLED): pyproject.toml constraints.txt scripts/make-venv
	@scripts/make-venv $(VENV)
	@touch $@

ifeq ($(ODOO)-$(TRANSPORT),19-xmlrpc)
test: $(INSTALLED) ## check everything: the linters, then the tests against a real Odoo
	@$(MAKE) -j2 lint test-tools $(COMPILED)
	@echo "Running the tests against a real Odoo"
	@$(PARALLEL) --cov --cov-report=term:skip-covered
else
test: $(INSTALLED) test-tools # ODOO=14 to 18, or TRANSPORT=jsonrpc or json2: what depends on it
	@echo "Running the tests against a real Odoo $(ODOO), over $(TRANSPORT)"
	@$(PARALLEL) $(if $(filter 19,$(ODOO)),,-m real_odoo $(NO_DOUBLE)) $(TESTS) --ignore tests/system/proof
endif

$(COMPILED): $(INSTALLED) # or else each of the processes that run the tests compiles them
	@$(BIN)/python -m pytest --quiet --collect-only > $(VENV)/tests.txt || { cat $(VENV)/tests.txt; exit 1; }
	@touch $@

test-oldest: ## run a share of them on Odoo 14: setup, import, shipments, cancellations, rights
	@$(MAKE) test ODOO=14 TESTS="$(addprefix tests/system/test_system_,$(addsuffix .py,$(OLDEST)))"

test-tools:
	@scripts/test-tools
	@scripts/odoo-server install

test-fast: $(INSTALLED) ## run the quick tests, of parts rather than of the whole, without Odoo and PostgreSQL
	@$(PARALLEL) -q -m "not real_odoo and not slow and not postgresql" --ignore tests/system

lint: $(INSTALLED) ## check format, style, types, layers, the Dockerfile and the workflows
	@echo "Checking format, style, types, layers, the Dockerfile and the workflows"
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/mypy --no-error-summary --config-file tests/mypy.ini
	@$(BIN)/lint-imports --no-logo > $(VENV)/layers.txt || { cat $(VENV)/layers.txt; exit 1; }
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/zizmor --quiet --offline --strict-collection .github

format: $(INSTALLED) ## format the code
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

crash: $(INSTALLED) ## kill the program at every call, and let one call in five fail, for hours
	@scripts/odoo-server install
	@AMAZON_BRIDGE_PROOF_SCALE=$${AMAZON_BRIDGE_PROOF_SCALE:-1} $(BIN)/python -m pytest tests/system/proof

demo: ## fill a real Odoo from a simulated Amazon, and explore it; asks before it downloads Odoo
	@scripts/odoo-server ask
	@$(MAKE) --silent $(INSTALLED)
	@scripts/odoo-server start > $(VENV)/odoo-url
	@echo "Making the database $(DEMO)"
	@scripts/odoo-server dropdb $(DEMO)
	@scripts/odoo-server createdb $(DEMO)
	@$(BIN)/amazon-bridge demo --odoo "$$(cat $(VENV)/odoo-url)" --database $(DEMO)
	@echo "Odoo keeps running. To stop it: scripts/odoo-server stop; to delete it, too: scripts/odoo-server destroy"

docs: $(INSTALLED) ## build the documentation as a site in site/; each link must lead somewhere
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

pictures: $(INSTALLED) ## take the documentation's pictures: of the last `make demo`, and of the status page
	@$(BIN)/python scripts/pictures.py docs "$$(scripts/odoo-server url)" $(DEMO)

benchmark: $(INSTALLED) ## compare the bridge with a plain script and with the fewest possible calls
	@scripts/odoo-server install
	@PYTHONPATH=scripts $(BIN)/python benchmarks/side_by_side.py

constraints: ## upgrade all dependencies, and write the hashes of their files
	@scripts/make-venv $(VENV) --newest
	@scripts/make-requirements $(VENV)
	@touch $(INSTALLED)

wheel: $(INSTALLED) ## build the wheel in dist/, and check its metadata and contents
	@rm -f $(DIST)/*.whl
	@$(BIN)/python -m pip wheel --quiet --no-build-isolation --no-deps --wheel-dir $(DIST) .
	@$(BIN)/twine --no-color check --strict $(DIST)/*.whl
	@$(BIN)/check-wheel-contents $(DIST)/*.whl

sbom: $(INSTALLED) ## list the components of an installation in dist/ (CycloneDX)
	@scripts/install $(VENV)/components alerts postgresql
	@mkdir -p $(DIST)
	@rm -f $(DIST)/*.cdx.json
	@scripts/make-sbom $(VENV)/components $(DIST) $(VENV)

image: ## build the image, named by IMAGE (needs Docker)
	docker build --tag "$(IMAGE)" .

base: ## pin the image's base to its tag's current digest (needs Docker)
	@scripts/pin-base-image

clean: ## delete what was built here; Odoo stays (scripts/odoo-server destroy)
	rm -rf $(VENV) $(DIST) site .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
