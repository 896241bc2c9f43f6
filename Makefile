# Filemill's tasks; `make` alone lists them. Everything is installed into a virtual environment inside this folder.
#
#   make run PYTHON=python3.13                       build the environment with another Python
#   make test VENV=.venv-3.13 PYTHON=python3.13      a second environment beside the first
#   make test ARGS="tests/store -k claim"            arguments for pytest; make run ARGS=… likewise
#   make test ARGS='-m "not slow"'                   the quick ones only

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check --no-input
LOG := $(VENV)/install.log
HAS_VENV := $(VENV)/.stamp-venv
HAS_RUN := $(VENV)/.stamp-run
HAS_DEV := $(VENV)/.stamp-dev
HAS_PACKAGING := $(VENV)/.stamp-packaging
# The frozen program is built where nothing else is: it would take parts of it along.
FROZEN := $(VENV)-frozen
HAS_FROZEN := $(FROZEN)/.stamp-installer
# Each of these has to be covered by itself, branches included.
# How the tests are spread over the processors; ARGS=-n0 keeps them in one process, where --pdb works.
PARALLEL := -n auto --dist worksteal
COVERED := store queues processing services
MIN_COVERAGE := 95

# An environment whose Python is gone (the system's was replaced) is built again.
ifeq ($(shell { [ ! -e $(HAS_VENV) ] || $(PY) -c 'import pip'; } >/dev/null 2>&1 || echo gone),gone)
  $(shell rm -f $(HAS_VENV) $(HAS_RUN) $(HAS_DEV) $(HAS_PACKAGING) $(HAS_FROZEN))
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run run-sqs test lint types format check translations icons screenshots coverage bench desktop torture installer ci clean system

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Where Python is told to keep no bytecode (in a container, say), the tests would compile the program at each of its
# hundreds of starts.
unexport PYTHONDONTWRITEBYTECODE

# Everything but `run` keeps away from the screen.
run-sqs test lint types format check icons screenshots coverage bench torture installer: export QT_QPA_PLATFORM := offscreen

run: system $(HAS_RUN) ## start Filemill; without a display, do its main job offscreen on the samples
	@$(PY) -m desktop_app.tryout $(ARGS)

run-sqs: system $(HAS_DEV) ## do the main job through boto3, on a standard and on a FIFO queue of a moto server
	@$(PY) -m tests.end_to_end.run_sqs $(ARGS)

test: system $(HAS_DEV) ## run the tests
	@$(PY) -m pytest $(PARALLEL) $(ARGS)

lint: $(HAS_DEV) ## look for mistakes, and for code that is not formatted
	@$(PY) -m ruff check . build_installer.spec
	@$(PY) -m ruff format --check . build_installer.spec

types: $(HAS_DEV) ## check the types
	@$(PY) -m mypy

format: $(HAS_DEV) ## format the code, and mend what can be mended
	@$(PY) -m ruff check --fix-only --quiet . build_installer.spec
	@$(PY) -m ruff format . build_installer.spec

check: lint types test ## all that has to pass before a commit

translations: $(HAS_DEV) ## collect the texts of the code for the translators, and compile what they wrote
	@$(PY) resources/translations/build.py

icons: $(HAS_DEV) ## draw the program's icon in the forms that Linux, Windows and macOS want
	@$(PY) resources/icons/build.py

screenshots: system $(HAS_DEV) ## take pictures of the window in all its states, into resources/screenshots
	@$(PY) -m tests.gallery $(ARGS)

coverage: system $(HAS_DEV) ## run the tests, and measure what they reach
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest $(PARALLEL) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report --skip-covered
	@for part in $(COVERED); do \
	  $(PY) -m coverage report --include="desktop_app/$$part/*" --precision=1 --format=total \
	    --fail-under=$(MIN_COVERAGE) >$(VENV)/total.txt; ok=$$?; \
	  echo "$$part: $$(head -n 1 $(VENV)/total.txt) % covered, $(MIN_COVERAGE) % asked"; \
	  [ $$ok -eq 0 ] || exit 1; \
	done

bench: system $(HAS_DEV) ## run the benchmarks
	@for script in tests/benchmarks/[a-z]*.py; do \
	  echo "== $$script"; PYTHONPATH=. $(PY) "$$script" || exit 1; \
	done

desktop: system $(HAS_DEV) ## have a keyboard do what people want most, on a real window (needs xvfb openbox xdotool imagemagick xclip)
	@$(PY) -m tests.desktop $(ARGS)

torture: system $(HAS_DEV) ## kill it again and again behind a hostile network, on each kind of queue (15 minutes)
	@$(PY) tests/torture/run.py $(ARGS)
	@$(PY) tests/torture/run.py --fifo $(ARGS)
	@$(PY) tests/torture/run.py --embedded $(ARGS)

installer: system $(HAS_PACKAGING) $(HAS_FROZEN) ## build the frozen program and what this system can install it from, into dist
	@PATH="$(abspath $(VENV))/bin:$$PATH" $(FROZEN)/bin/python -m resources.packaging.build $(ARGS)

ci: ## all that is checked on every change, as on a new machine
	@.ci/run

clean: ## remove all that can be built again, the environment too
	@rm -rf $(VENV) $(FROZEN) build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

# What Qt needs from Debian or Ubuntu: named in one line if it is missing, installed when running as root.
system:
	@python='$(PYTHON)'; [ ! -e $(HAS_VENV) ] || python='$(PY)'; \
	command -v "$$python" >/dev/null 2>&1 || { \
	  echo "Filemill needs Python 3.11 or later, and there is no $$python here; name one with make PYTHON=…" >&2; exit 1; }; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Filemill needs Python 3.11 or later, and $$python is older; name another with make PYTHON=…" >&2; exit 1; }; \
	"$$python" resources/packaging/system_packages.py

# The stamps are made last: an installation that was interrupted is done again.

$(HAS_VENV): | system
	@echo "Building the virtual environment $(VENV) with $$($(PYTHON) --version) …"
	@log=$$(mktemp); $(PYTHON) -m venv --clear $(VENV) >"$$log" 2>&1 || { \
	  echo "The virtual environment could not be built; $$log says why." >&2; exit 1; }; rm -f "$$log"
	@touch $@

$(HAS_RUN): $(HAS_VENV) pyproject.toml
	@echo "Installing what Filemill needs; the first time this takes a minute or two …"
	@$(PIP) install -e . >$(LOG) 2>&1 || { $(say_why); }
	@touch $@

$(HAS_DEV): $(HAS_VENV) pyproject.toml
	@echo "Installing what Filemill and its tests need; the first time this takes a minute or two …"
	@$(PIP) install -e '.[dev]' >$(LOG) 2>&1 || { $(say_why); }
	@touch $(HAS_RUN) $@

$(HAS_PACKAGING): $(HAS_VENV) pyproject.toml
	@echo "Installing what packages are made with …"
	@$(PIP) install -e '.[packaging]' >$(LOG) 2>&1 || { $(say_why); }
	@touch $(HAS_RUN) $@

$(HAS_FROZEN): $(HAS_VENV) pyproject.toml
	@echo "Building the environment $(FROZEN) for the frozen program …"
	@{ $(PYTHON) -m venv --clear $(FROZEN) && \
	  $(FROZEN)/bin/python -m pip --disable-pip-version-check --no-input install -e '.[installer]'; } \
	  >$(LOG) 2>&1 || { $(say_why); }
	@touch $@

define say_why
grep -o 'ERROR: .*' $(LOG) | head -n 1 >&2; echo "The packages could not be installed; $(LOG) says why." >&2; exit 1
endef
