# One environment for every target: .venv, made from the lock file, remade when the lock changes.
PYTHON ?= python3
BIN := .venv/bin
OFFICE ?= example_county

export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export GX_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1

.PHONY: audit spark test lint bench calibrate lock clean

.venv/ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==0.13.*"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch .venv/ready

## All of it, and Spark with its own dbt, in .venv-spark: half a gigabyte, and dbt starts slower with it. Wants Java 17.
spark: .venv-spark/ready

.venv-spark/ready: requirements.lock requirements-spark.lock pyproject.toml
	$(PYTHON) -m venv .venv-spark
	.venv-spark/bin/python -m pip install --quiet --disable-pip-version-check "uv==0.13.*"
	.venv-spark/bin/uv pip sync --quiet --python .venv-spark/bin/python requirements.lock requirements-spark.lock
	.venv-spark/bin/uv pip install --quiet --python .venv-spark/bin/python --no-deps --editable .
	touch .venv-spark/ready

## The audit of the synthetic Example County (or OFFICE=path).
audit: .venv/ready
	$(BIN)/iiu audit $(OFFICE)

test: .venv/ready
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

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

LOCKED := --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

## Resolve every dependency anew; the lock is what everybody installs.
lock: .venv/ready
	$(BIN)/uv pip compile $(LOCKED) --extra dev --extra linkage --extra notebooks \
		--output-file requirements.lock pyproject.toml
	$(BIN)/uv pip compile $(LOCKED) --all-extras --constraint requirements.lock --no-annotate \
		$$(sed -n 's/^\([a-z][^=]*\)==.*/--no-emit-package \1/p' requirements.lock) \
		--output-file requirements-spark.lock pyproject.toml

## Forget the environments. Audits stay: `iiu forget` is what removes them.
clean:
	rm -rf .venv .venv-spark .cache
