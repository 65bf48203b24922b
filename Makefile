# State by State. `make book` and `make test` do all set-up; it is skipped when nothing changed.
# Only make, git and a Python >= 3.11 are assumed (another one: make book PYTHON=/path/to/python3).

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help book test lint check serve lab notebooks ladder playground bench clean distclean setup setup-test FORCE

# The programs of .venv first; recipes name it by this relative path, so folders may have spaces.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON
PY := .venv/bin/python
# One thread a process: chapters and tests run in parallel, and sums keep their order.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export PYTHONUTF8 := 1
export JUPYTER_PREFER_ENV_PATH := 1
export PYDEVD_DISABLE_FILE_VALIDATION := 1
# Or each of a hundred processes compiles the library and the tests again.
unexport PYTHONDONTWRITEBYTECODE
JOBS ?= 2
PORT ?= 8000

help:  ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

book: setup  ## build the site into _build/html
	@$(PY) tools/build_book.py --jobs $(JOBS)

# nbval first: what it ran and found right, the book shows; no chapter runs twice.
# Last, one process more than cores: these tests often wait, for a page or a sandbox's time limit.
# Not with Sphinx beside them: that is a fourth process, and tests of time limits then failed.
test: setup-test lint  ## everything that CI checks: lint, JavaScript, notebooks, book, Python
	@$(PY) tools/quietly.py .stamps/node-test.log "JavaScript tests" sh -c \
		"find course_lib tests -name '*.test.*js' -exec node --test {} +"
	@$(PY) -m pytest -n $(JOBS) --dist loadfile -q --nbval --nbval-current-env book/notebooks
	@$(PY) tools/build_book.py --jobs $(JOBS)
	@$(PY) -m pytest -n $$(($(JOBS) + 1)) --dist loadfile -q tests

check: test

lint: setup  ## ruff, and notebooks against their sources
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) tools/build_notebooks.py --check

serve: book  ## show the site on http://localhost:8000 (another port: PORT=8001)
	@$(PY) -m http.server --bind 127.0.0.1 --directory _build/html $(PORT)

lab: setup  ## open the chapters in JupyterLab
	@$(PY) tools/build_book.py --demos-only
	@$(PY) -m jupyterlab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/book/notebooks $(LAB_OPTIONS)

notebooks: setup  ## run the chapters again (one of them: make notebooks CHAPTER=02)
	@$(PY) tools/build_notebooks.py --jobs $(JOBS) $(CHAPTER)
	@$(PY) tools/build_assignments.py
	@$(PY) tools/build_back.py

ladder: setup  ## train what is missing on the ladder of tasks (some of it: make ladder ONLY=parity/gru)
	@$(PY) -m course_lib.ladder --jobs $(JOBS) $(if $(ONLY),--only '$(ONLY)')

playground: setup  ## train what is missing of the sentence playground's readers
	@$(PY) -m course_lib.playground

bench: setup-test book  ## speed against named peers, pages and build, as tables
	@$(PY) -m benchmarks

clean:  ## remove what was built; .venv and node_modules stay
	rm -rf _build .pytest_cache .ruff_cache .hypothesis course_lib/demos/static course_lib/book_ext/static
	find book course_lib tests tools benchmarks deploy -name __pycache__ -o -name .ipynb_checkpoints \
		| while IFS= read -r folder; do rm -rf "$$folder"; done

distclean: clean  ## remove the set-up too
	rm -rf .venv node_modules .stamps *.egg-info

# Set-up. A stamp is older than what it depends on only if that changed.
setup: .stamps/node  ## set-up only: Python packages and Node
setup-test: setup .stamps/browser

.stamps/python: .stamps/where requirements.txt constraints.txt pyproject.toml tools/setup_python.sh
	@sh tools/setup_python.sh
	@touch $@

.stamps/node: .stamps/python package.json tools/setup_node.py
	@$(PY) tools/setup_node.py
	@touch $@

.stamps/browser: .stamps/python tools/setup_browser.py
	@$(PY) tools/setup_browser.py
	@touch $@

# Changes when the folder was moved or .venv is gone.
.stamps/where: FORCE
	@mkdir -p .stamps
	@if [ ! -x .venv/bin/python ] || [ "$$(cat $@ 2>/dev/null)" != "$$PWD" ]; then \
		printf '%s\n' "$$PWD" >$@; fi
FORCE:
