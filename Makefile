# Each goal sets up .venv itself, and again only if the package metadata change.
#   make demo   the whole workflow on simulated galaxies
#   make web    the web page on http://127.0.0.1:8000
#   make docs   the documentation   make test-lowest    quick tests with the oldest dependencies
#   make lint   style and types     make test-bounds    quick tests with array bounds checked
#   make test   all tests           make test-networks  tests that need PyTorch (installs it)
#   make bench  benchmarks          make test-image     what the Dockerfile makes, without an engine

PYTHON ?= python3
BIN := .venv/bin
LOWEST := .venv-lowest/bin
METADATA := setup.py setup.cfg pyproject.toml

# galfeat uses its own threads over images and folds; OpenMP threads would compete with them.
TESTING := OMP_NUM_THREADS=1

.PHONY: demo web docs test test-networks lint bench test-lowest test-bounds test-image wheel clean

demo: .venv/galfeat.stamp
	$(BIN)/galfeat demo

web: .venv/galfeat.stamp
	$(BIN)/galfeat serve

test: .venv/test.stamp
	$(BIN)/galfeat warmup
	$(TESTING) $(BIN)/python -m pytest -n 2

# The tests that `make test` skips if PyTorch is not installed.
test-networks: .venv/networks.stamp
	$(TESTING) $(BIN)/python -m pytest -n 2 -m network

lint: .venv/lint.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

# The tutorial runs while the site is built. A warning, such as a broken link, is an error.
docs: .venv/docs.stamp
	$(BIN)/galfeat warmup
	PATH="$(CURDIR)/$(BIN):$$PATH" $(TESTING) $(BIN)/python -m sphinx -W --keep-going --quiet \
	    -b html docs docs/_build/html
	$(BIN)/python docs/_scripts/commands.py docs/_build/html/reference/commands.html
	@echo "open docs/_build/html/index.html"

bench: .venv/bench.stamp
	$(BIN)/galfeat warmup
	$(TESTING) $(BIN)/python benchmarks/features.py
	$(TESTING) $(BIN)/python benchmarks/serving/serving.py

test-lowest: .venv-lowest/test.stamp
	$(LOWEST)/galfeat warmup
	$(TESTING) $(LOWEST)/python -m pytest -n 2 -m "not slow and not once"

test-bounds: export NUMBA_BOUNDSCHECK = 1
test-bounds: .venv/test.stamp
	$(BIN)/galfeat warmup
	$(TESTING) $(BIN)/python -m pytest -n 2 -m "not slow and not once" tests/features tests/frame

# Three minutes: installs everything again and compiles all kernels.
test-image:
	$(PYTHON) .ci/image.py

wheel: .venv/galfeat.stamp
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf .venv .venv-lowest build dist demo docs/_build galfeat.egg-info

.venv/galfeat.stamp: .venv/pip.stamp $(METADATA)
	$(BIN)/pip install --quiet --editable .
	@$(call need_openmp,$(BIN))
	@touch $@

# statmorph has no wheels, so test-lowest, which installs only wheels, omits it.
.venv/test.stamp: .venv/galfeat.stamp
	$(BIN)/pip install --quiet --editable '.[test,statmorph]'
	@touch $@

.venv/networks.stamp: .venv/test.stamp
	$(BIN)/pip install --quiet --editable '.[test,cnn]'
	@touch $@

# With the reference packages of the benchmark.
.venv/bench.stamp: .venv/galfeat.stamp
	$(BIN)/pip install --quiet --editable '.[bench]'
	@touch $@

.venv/docs.stamp: .venv/galfeat.stamp
	$(BIN)/pip install --quiet --editable '.[docs]'
	@touch $@

.venv/lint.stamp: .venv/test.stamp
	$(BIN)/pip install --quiet --editable '.[lint]'
	@touch $@

.venv-lowest/test.stamp: .venv-lowest/pip.stamp $(METADATA) .ci/lowest.py
	$(LOWEST)/python .ci/lowest.py setup.cfg > .venv-lowest/constraints.txt
	$(LOWEST)/pip install --quiet --only-binary :all: --constraint .venv-lowest/constraints.txt \
	    --editable '.[test]'
	@$(call need_openmp,$(LOWEST))
	@touch $@

%/pip.stamp:
	@command -v $(PYTHON) > /dev/null || { \
	    echo "galfeat: no $(PYTHON) here; install Python 3.11 or newer, or name it: make PYTHON=python3.12"; \
	    exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "galfeat: $$($(PYTHON) --version) is too old; name Python 3.11 or newer: make PYTHON=python3.12"; \
	    exit 1; }
	@$(PYTHON) -m venv --clear $* || { \
	    echo "galfeat: no virtual environment; on Debian and Ubuntu: sudo apt-get install python3-venv"; \
	    exit 1; }
	@touch $@

# LightGBM's wheel does not include an OpenMP library.
define need_openmp
$(1)/python -c 'import lightgbm' 2> /dev/null \
  || { apt-get update && apt-get install -y libgomp1 && $(1)/python -c 'import lightgbm'; } > /dev/null 2>&1 \
  || { echo "galfeat: LightGBM finds no OpenMP library; on Debian and Ubuntu: sudo apt-get install libgomp1"; \
       echo "         (macOS: brew install libomp)"; exit 1; }
endef
