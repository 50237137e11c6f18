# `make page`, `make quiz` and `make test` are all one needs; each sets everything up first.
PYTHON ?= python3
BIN := .venv/bin
CODE_EDITOR := grader/faces/web/static/editor.js
READY := .venv/.ready
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup quiz page test test-all test-long lint types proven tests tests-under-load verify book docs pictures bench format clean

setup: $(READY)

# torch comes first: the pinned version is then there before anything asks for a larger build of it.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("torch-grader needs Python 3.11 or newer, this is " + sys.version.split()[0] + \
	  "; try make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo "Setting up .venv; this takes a few minutes, once."
	@$(PYTHON) -m venv .venv
	@$(PIP) torch
	@$(PIP) --editable '.[dev]'
	@touch $@

quiz: $(READY)
	@$(BIN)/grader quiz tensors

page: $(READY) $(CODE_EDITOR)
	@$(BIN)/grader serve

# The editor for code on the page, by npm; without it code is written in a plain field.
$(CODE_EDITOR): $(READY) $(wildcard grader/faces/web/editor/*)
	@$(BIN)/python -m tests.support.editor

# What `verify` has run need not be run again for the tests: they look at the same observations.
proven: $(READY)
	rm -rf build/proven
	GRADER_CACHE=build/proven $(BIN)/grader verify

test: $(READY) $(CODE_EDITOR)
	@$(MAKE) --no-print-directory --jobs 3 --output-sync=line lint types proven
	GRADER_PROVEN=build/proven $(BIN)/python -m pytest --numprocesses auto -m "not slow"

# What takes longer and shows the same more often, or on foreign ground; CI runs it.
test-all: test
	GRADER_PROVEN=build/proven $(BIN)/python -m pytest --numprocesses auto -m "slow and not long"

# What shows the same at a larger size, or once more: by hand, before a release.
test-long: $(READY)
	@$(PIP) --editable '.[dev,foreign]'
	$(BIN)/python -m pytest --numprocesses auto -m long

lint: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/python -m tests.support.wording
	@found=$$($(BIN)/vulture); code=$$?; echo "$$found" | grep -v "unused attribute" | grep . && exit 1; [ $$code = 0 ] || [ $$code = 3 ]

format: $(READY)
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

types: $(READY)
	$(BIN)/mypy

tests: $(READY)
	$(BIN)/python -m pytest --numprocesses auto

# What waits or looks at a clock, beside four busy processes; ARGS="tests/kernels/test_warm_kernels.py" takes a part.
tests-under-load: $(READY)
	$(BIN)/python tests/support/under_load.py --numprocesses 2 $(ARGS)

verify: $(READY)
	$(BIN)/grader verify --no-cache

book: $(READY)
	$(BIN)/python -m sphinx -W --keep-going -q lessons build/book
	@echo "build/book/index.html"

docs: $(READY)
	$(BIN)/python -m sphinx -W --keep-going -q docs build/docs
	@echo "build/docs/index.html"

# What a learner sees, to be looked at; FACES="terminal" takes a part.
pictures: $(READY)
	$(BIN)/python -m tests.pictures $(FACES)

# The students of the class that is graded; 200 take an hour, most of it nbgrader's.
STUDENTS ?= 200

# The tools that we are measured against live in an environment of their own.
.venv-bench/.ready: pyproject.toml constraints.txt
	@echo "Setting up .venv-bench; this takes a few minutes, once."
	@$(PYTHON) -m venv .venv-bench
	@$(subst $(BIN),.venv-bench/bin,$(PIP)) torch
	@$(subst $(BIN),.venv-bench/bin,$(PIP)) --editable '.[bench]'
	@touch $@

# `make bench ONLY=programs,records` measures these sections and leaves the others of the page as they are. Only what compares with
# otter needs .venv-bench; tests/bench/page.py says what does, and says so of a wrong name before anything is set up.
bench:
	@$(PYTHON) -m tests.bench.page '$(ONLY)' > /dev/null
	@$(MAKE) --no-print-directory $$($(PYTHON) -m tests.bench.page '$(ONLY)')/.ready
	@$$($(PYTHON) -m tests.bench.page '$(ONLY)')/bin/python -m tests.bench --students $(STUDENTS) --only '$(ONLY)'

clean:
	rm -rf .venv .venv-bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
