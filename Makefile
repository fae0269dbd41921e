# Everything a person needs, each on one command. Python >= 3.11, git and make are enough.
.DEFAULT_GOAL := help
.PHONY: help setup demo up cities test check lock nightly bench pictures
BIN := .venv/bin

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## make .venv and install from the lock

.venv/ready: locks/dev.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh

demo: .venv/ready ## a city's day, and visits between two, on real engines, over HTTP
	@$(BIN)/qianjiang demo

up: .venv/ready ## a city that stays, for your own first requests
	@$(BIN)/qianjiang up

cities: .venv/ready ## two cities that recognise each other, and their region
	@$(BIN)/qianjiang up --cities 330100,330200

test: .venv/ready ## the whole suite on real engines
	@$(BIN)/python -m pytest -n 2 --durations=10 $(ARGS)

check: .venv/ready ## lint, format, types, import contracts
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

nightly: .venv/ready ## the long runs: more cycles, more seeds
	@$(BIN)/python -m pytest --durations=10 -m "nightly or not nightly" --timeout=3600 $(ARGS)

bench: .venv/bench ## what a decision costs, beside others: a result and a page with plots
	@$(BIN)/qianjiang bench $(ARGS)

.venv/bench: .venv/ready locks/bench.txt scripts/bench.sh
	@scripts/bench.sh

pictures: .venv/ready ## every page, both languages, light and dark, into docs/images/pages
	@$(BIN)/python -m tests.browser.album $(ARGS)

# No addresses in the locks: whoever installs decides where from, the hashes decide what.
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate

lock: .venv/ready ## resolve the dependencies anew (UPGRADE=--upgrade for newer versions)
	$(COMPILE) $(UPGRADE) pyproject.toml -o locks/runtime.txt
	$(COMPILE) $(UPGRADE) -c locks/runtime.txt --group dev pyproject.toml -o locks/dev.txt
	$(COMPILE) $(UPGRADE) -c locks/dev.txt --group pyproject.toml:bench -o locks/bench.txt
	echo uv | $(COMPILE) -c locks/dev.txt - -o locks/uv.txt
