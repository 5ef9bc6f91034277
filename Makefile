# make figures · make evening · make plan · make slurm · make test · make bench: an environment of its own (.venv) and one command each.
PYTHON ?= python3
BIN := .venv/bin
# Files of tests in as many processes as there are cores, in the order given: the longest first. A file stays in one process.
PARALLEL := --numprocesses auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

.PHONY: figures evening plan slurm test test-code test-talk test-slurm test-conda test-faults bench \
	lint ruff-check ruff-format snakefmt mypy reference clean

# ARGS go to snakemake: make figures ARGS="--config mirror=../copies"
figures: .venv/installed
	$(BIN)/snakemake $(ARGS)

# The same case studies on real text with a real model, training included; two hours on two cores. Stopped, it goes on where it was.
evening: .venv/installed
	$(BIN)/snakemake --configfile config/evening.yaml --resources mem_mb=12000 $(ARGS)

# What a run would cost, before it starts: make plan SCALE=talk
plan: .venv/installed
	PYTHONPATH=workflow $(BIN)/snakemake --dry-run --logger plan --workflow-profile none --cores all $(if $(SCALE),--configfile config/$(SCALE).yaml) $(ARGS)

# On a cluster, from its login node; see config/README.md: make slurm SCALE=talk
slurm: .venv/slurm
	$(BIN)/snakemake --workflow-profile profiles/slurm $(if $(SCALE),--configfile config/$(SCALE).yaml) $(ARGS)

# Lint beside the tests. The finished run that several suites look at stays in build/runs until something changes.
test: .venv/installed
	$(MAKE) --no-print-directory --jobs 2 lint test-code

test-code: .venv/installed
	$(BIN)/pytest $(PARALLEL) tests/workflow tests/unit tests/claims tests/hub

# Needs root and Debian packages; starts a cluster of its own and takes it down. Much of it is waiting.
test-slurm: .venv/slurm
	$(BIN)/pytest tests/slurm

# The talk's configuration against a stand-in of the Hub with tiny random models, one of each kind.
test-talk: .venv/installed
	$(BIN)/pytest tests/talk

# Environments of envs/ made by snakemake, from a channel that is made of wheels.
test-conda: .venv/installed .venv-conda/installed
	$(BIN)/pytest tests/conda

# Kills, full disks, damaged files: a tiny run that is killed twenty times, and copies of the finished one.
test-faults: .venv/installed
	$(BIN)/pytest $(PARALLEL) tests/faults/test_kills.py tests/faults/test_faults.py

bench: figures
	for benchmark in benchmarks/*.py; do echo "== $$benchmark"; PYTHONPATH=workflow $(BIN)/python $$benchmark || exit 1; done

lint: ruff-check ruff-format snakefmt mypy
	$(BIN)/snakemake --lint

# One check each: .pre-commit-config.yaml names these targets, so that a commit is checked as `make lint` checks, and `make lint`
# needs no git.
ruff-check: .venv/installed
	$(BIN)/ruff check

ruff-format: .venv/installed
	$(BIN)/ruff format --check

snakefmt: .venv/installed
	$(BIN)/snakefmt --check Snakefile workflow

mypy: .venv/installed
	$(BIN)/mypy

.venv/installed: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 14) else "Python 3.11, 3.12 or 3.13 is needed")'
	$(PYTHON) -m venv --upgrade-deps .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.txt
	touch $@

.venv/slurm: .venv/installed requirements-slurm.txt
	$(BIN)/python -m pip install --quiet --requirement requirements-slurm.txt
	touch $@

.venv-conda/installed: tests/conda/requirements.txt requirements.txt
	$(PYTHON) -m venv --upgrade-deps .venv-conda
	.venv-conda/bin/python -m pip install --quiet --constraint requirements.txt --requirement tests/conda/requirements.txt
	touch $@

# Commit a finished run as the one that the README shows: make reference, make reference SCALE=evening
reference: .venv/installed
	PYTHONPATH=workflow $(BIN)/python -m overtime.pipeline.reference_run results/$(or $(SCALE),mini)

clean:
	rm -rf .venv .venv-conda .snakemake build workflow/overtime.egg-info results/mini results/evening
