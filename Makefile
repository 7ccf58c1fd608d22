PYTHON ?= python3
BIN := .venv/bin
RUN := $(BIN)/python
WORKERS := --numprocesses=2 --dist=loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help demo test test-cluster mutants lint format bench lock clean .venv binaries

help: ## show the targets
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: .venv binaries ## show the webhook with kubectl on a real API server
	@$(RUN) -m tests.demo

test: .venv binaries ## the tests that take minutes
	@$(RUN) -m tests.localcluster build helm
	$(RUN) -m pytest $(WORKERS) -m "not cluster"

test-cluster: .venv ## the longer tests, on the local cluster
	$(RUN) -m tests.localcluster build
	$(RUN) -m pytest $(WORKERS) -m cluster

mutants: .venv ## change the code in small wrong ways; the tests must fail
	$(RUN) -m tests.mutants

lint: .venv ## linters, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv ## fix what the linters can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv ## measure the time of an evaluation
	$(RUN) -m tests.bench

binaries: .venv
	@$(RUN) -m tests.localcluster build etcd kube-apiserver kubectl

.venv: .venv/.done

.venv/.done: requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed: make PYTHON=…") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

lock: .venv ## pin the dependencies again, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --upgrade --output-file requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --upgrade --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	echo "setuptools>=77" | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --upgrade --constraint requirements-dev.txt --output-file requirements-build.txt -

clean: ## remove generated files (not the cache of programs)
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
