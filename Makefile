# make figures · make plan · make test · make bench: an environment of its own (.venv) and one command each.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: figures plan test bench lint reference clean

# ARGS go to snakemake: make figures ARGS="--config mirror=../copies"
figures: .venv/installed
	$(BIN)/snakemake $(ARGS)

# What a run would cost, before it starts: make plan SCALE=talk
plan: .venv/installed
	PYTHONPATH=workflow $(BIN)/snakemake --dry-run --logger plan $(if $(SCALE),--configfile config/$(SCALE).yaml) $(ARGS)

test: .venv/installed lint
	$(BIN)/pytest

bench: .venv/installed
	for benchmark in benchmarks/*.py; do echo "== $$benchmark"; PYTHONPATH=workflow $(BIN)/python $$benchmark || exit 1; done

lint: .venv/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

# Commit a finished mini run as the one that the README shows.
reference: .venv/installed
	PYTHONPATH=workflow $(BIN)/python -m overtime.reference results/mini

clean:
	rm -rf .venv .snakemake results/mini
