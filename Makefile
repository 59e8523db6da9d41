# One environment for every target: .venv, made from the lock file, remade when the lock changes.
PYTHON ?= python3
BIN := .venv/bin
OFFICE ?= example_county

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.PHONY: audit test lint bench calibrate lock clean

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==0.13.*"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch .venv/ready

## The audit of the synthetic Example County (or OFFICE=path).
audit: .venv/ready
	$(BIN)/iiu audit $(OFFICE)

test: .venv/ready
	$(BIN)/python -m pytest

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint models --processes 2

bench: .venv/ready
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.paint

## How often intervals cover and findings are false, on worlds whose truth is known: some twenty minutes.
calibrate: .venv/ready
	$(BIN)/python -m tests.calibrate
	$(BIN)/python -m tests.null_counties

## Resolve every dependency anew; the lock is what everybody installs.
lock: .venv/ready
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --generate-hashes \
		--no-emit-index-url --no-header --output-file requirements.lock pyproject.toml

clean:
	rm -rf .venv .cache data/marts/*/
