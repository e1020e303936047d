VENV ?= .venv
BIN = $(VENV)/bin
PYTEST = $(BIN)/python -m pytest -n auto --dist loadfile
INSTALLED = $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup check test lint bench model docs

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(INSTALLED)  ## virtual environment in .venv (VENV=... for elsewhere) with everything that developing needs

check: lint  ## before every commit, under 2 minutes: style, types, fast tests, kernels also without numba's compiler
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests -m kernel
	$(PYTEST) -m "not slow"

test: $(INSTALLED)  ## every test, slow ones and kernels without the compiler included, under 8 minutes
	NUMBA_DISABLE_JIT=1 $(PYTEST) tests -m kernel
	$(PYTEST)

lint: $(INSTALLED)  ## style and types alone
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(INSTALLED)  ## speed here: beside skopi and the floor, whole runs, start-up; PAGE=docs/benchmarks.md rewrites the page
	$(BIN)/python -m benchmarks.peers $(if $(PAGE),--write $(PAGE))
	$(BIN)/python -m benchmarks.throughput $(if $(PAGE),--write $(PAGE))
	$(BIN)/python -m benchmarks.classify build/classify $(if $(PAGE),--write $(PAGE))
	$(BIN)/python -m benchmarks.terms $(if $(PAGE),--write $(PAGE))
	$(BIN)/python -m benchmarks.accuracy build/accuracy $(if $(PAGE),--write docs/classifier.md)
	$(BIN)/python -m benchmarks.embedding build/embedding $(if $(PAGE),--write docs/embedding.md)

model: $(INSTALLED)  ## the default model anew, a long training; OUT=build/model for elsewhere, PAGE=docs/classifier.md
	$(BIN)/xfel study model --out $(or $(OUT),src/xfelspi/models) --overwrite
	$(BIN)/python -m benchmarks.box build/box --models $(or $(OUT),src/xfelspi/models) $(if $(PAGE),--write $(PAGE))

docs: $(INSTALLED)  ## do the documents' links, commands and snippets still hold?
	$(PYTEST) tests/test_docs.py

$(INSTALLED): pyproject.toml constraints.txt
	python3 -m venv $(VENV)
	$(BIN)/pip install -c constraints.txt -e '.[dev]'
	@touch $@
