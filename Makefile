# make figures · make test · make bench: an environment of its own (.venv) and one command each. make test-conda: see tests/conda.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: figures test test-conda bench lint reference clean

# ARGS go to snakemake: make figures ARGS="--config mirror=../copies"
figures: .venv/installed
	$(BIN)/snakemake $(ARGS)

test: .venv/installed lint
	$(BIN)/pytest

test-conda: .venv/installed .venv-conda/installed
	$(BIN)/pytest tests/conda

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

.venv-conda/installed: tests/conda/requirements.txt requirements.txt
	$(PYTHON) -m venv .venv-conda
	.venv-conda/bin/python -m pip install --quiet --constraint requirements.txt --requirement tests/conda/requirements.txt
	touch $@

# Commit a finished mini run as the one that the README shows.
reference: .venv/installed
	PYTHONPATH=workflow $(BIN)/python -m overtime.reference results/mini

clean:
	rm -rf .venv .venv-conda .snakemake results/mini
