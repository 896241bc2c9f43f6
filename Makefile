# The tasks of Filemill; `make` alone lists them. Everything is installed into a virtual environment in this folder.
#
#   make run PYTHON=python3.13                       build the environment with another Python
#   make test VENV=.venv-3.13 PYTHON=python3.13      a second environment beside the first
#   make test ARGS="tests/store -k claim"            arguments for pytest; make run ARGS=… likewise
#   make test ARGS='-m "not slow"'                   only the quick tests

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
SANITIZED := $(VENV)/sanitized
# A separate environment, because PyInstaller would include other packages that it finds.
FROZEN := $(VENV)-frozen
HAS_FROZEN := $(FROZEN)/.stamp-installer
# Changes to these need a new installation.
BUILT_FROM := pyproject.toml hatch_build.py $(wildcard desktop_app/*/*.c)
# The tests use all processors; ARGS=-n0 runs them in one process, where --pdb works.
PARALLEL := -n auto --dist worksteal
# Each of these packages must reach this coverage, including branches.
COVERED := store queues processing services
MIN_COVERAGE := 95

# Rebuild the environment if its Python no longer works, for example after an upgrade of the system's Python.
ifeq ($(shell { [ ! -e $(HAS_VENV) ] || $(PY) -c 'import pip'; } >/dev/null 2>&1 || echo gone),gone)
  $(shell rm -f $(HAS_VENV) $(HAS_RUN) $(HAS_DEV) $(HAS_PACKAGING) $(HAS_FROZEN))
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help run run-sqs test lint types format check translations icons screenshots coverage bench desktop torture hostile sanitize installer ci clean system

help: ## list the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# Without bytecode files (as in some containers), each of the hundreds of programs that the tests start would be
# compiled again.
unexport PYTHONDONTWRITEBYTECODE

# Only `run` and `desktop` use a display.
run-sqs test lint types format check icons screenshots coverage bench torture hostile sanitize installer: export QT_QPA_PLATFORM := offscreen

run: system $(HAS_RUN) ## start Filemill; without a display, process the samples offscreen
	@$(PY) -m desktop_app.tryout $(ARGS)

run-sqs: system $(HAS_DEV) ## process files through boto3, on a standard and a FIFO queue of a moto server
	@$(PY) -m tests.end_to_end.run_sqs $(ARGS)

test: system $(HAS_DEV) ## run the tests
	@$(PY) -m pytest $(PARALLEL) $(ARGS)

lint: $(HAS_DEV) ## run the linter, and check the formatting
	@$(PY) -m ruff check . build_installer.spec
	@$(PY) -m ruff format --check . build_installer.spec

types: $(HAS_DEV) ## check the types
	@$(PY) -m mypy

format: $(HAS_DEV) ## format the code, and fix what can be fixed automatically
	@$(PY) -m ruff check --fix-only --quiet . build_installer.spec
	@$(PY) -m ruff format . build_installer.spec

check: lint types test ## everything that has to pass before a commit

translations: $(HAS_DEV) ## collect the texts for translation, and compile the translations
	@$(PY) resources/translations/build.py

icons: $(HAS_DEV) ## render the program's icon for Linux, Windows and macOS
	@$(PY) resources/icons/build.py

screenshots: system $(HAS_DEV) ## take screenshots of the window in all its states, into resources/screenshots
	@$(PY) -m tests.gallery $(ARGS)

coverage: system $(HAS_DEV) ## run the tests, and measure their coverage
	@$(PY) -m coverage erase
	@$(PY) -m coverage run -m pytest $(PARALLEL) $(ARGS)
	@$(PY) -m coverage combine --quiet
	@$(PY) -m coverage report --skip-covered
	@for part in $(COVERED); do \
	  $(PY) -m coverage report --include="desktop_app/$$part/*" --precision=1 --format=total \
	    --fail-under=$(MIN_COVERAGE) >$(VENV)/total.txt; ok=$$?; \
	  echo "$$part: $$(head -n 1 $(VENV)/total.txt) % covered, $(MIN_COVERAGE) % required"; \
	  [ $$ok -eq 0 ] || exit 1; \
	done

bench: system $(HAS_DEV) ## run the benchmarks, and write tests/benchmarks/RESULTS.md (15 minutes)
	@$(PY) -m tests.benchmarks $(ARGS)

desktop: system $(HAS_DEV) ## test the most common tasks in a real window (needs xvfb openbox xdotool imagemagick xclip x11-utils)
	@$(PY) -m tests.desktop $(ARGS)

torture: system $(HAS_DEV) ## kill the program repeatedly on an unreliable network, on each kind of queue, with 2 and 16 files at once (30 minutes)
	@for kind in '' --fifo --embedded; do for number in 2 16; do \
	  $(PY) tests/torture/run.py $$kind --concurrency $$number $(ARGS) || exit 1; \
	done; done
	@$(PY) tests/torture/commands.py

hostile: system $(HAS_DEV) ## mutate responses of a queue, and put foreign messages around files (15 minutes)
	@$(PY) tests/torture/fuzz.py
	@for scene in between front; do for kind in '' --fifo --embedded; do \
	  $(PY) tests/torture/foreign.py --scene $$scene $$kind || exit 1; \
	done; done

sanitize: system $(HAS_DEV) ## test the C modules with GCC's sanitizers for addresses and undefined behaviour
	@rm -rf $(SANITIZED) && mkdir -p $(SANITIZED) && cp -R desktop_app tests resources pyproject.toml $(SANITIZED)
	@include=$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("include"))'); \
	for source in desktop_app/*/*.c; do \
	  $(CC) -shared -fPIC -O1 -g -Wall -Wextra -fsanitize=address,undefined -fno-sanitize-recover=all \
	    -DPy_LIMITED_API=0x030b0000 -I"$$include" "$$source" -o "$(SANITIZED)/$${source%.c}.abi3.so" || exit 1; \
	done
	@cd $(SANITIZED) && PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0 \
	  LD_PRELOAD="$$($(CC) -print-file-name=libasan.so) $$($(CC) -print-file-name=libubsan.so)" \
	  $(abspath $(PY)) -m pytest -q -s tests/processing/test_line_feeds.py tests/processing/test_lines.py \
	  tests/sources/test_small_files.py $(ARGS)

installer: system $(HAS_PACKAGING) $(HAS_FROZEN) ## build the frozen program and packages for this system, into dist
	@PATH="$(abspath $(VENV))/bin:$$PATH" $(FROZEN)/bin/python -m resources.packaging.build $(ARGS)

ci: ## run the checks for every change, as on a new machine
	@.ci/run

clean: ## remove everything that can be built again, including the environment
	@rm -rf $(VENV) $(FROZEN) build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -prune -exec rm -rf {} +

# Check for the system packages that Qt needs on Debian and Ubuntu; as root, install missing ones.
system:
	@python='$(PYTHON)'; [ ! -e $(HAS_VENV) ] || python='$(PY)'; \
	command -v "$$python" >/dev/null 2>&1 || { \
	  echo "Filemill needs Python 3.11 or later, but $$python was not found; choose another with make PYTHON=…" >&2; exit 1; }; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Filemill needs Python 3.11 or later, but $$python is older; choose another with make PYTHON=…" >&2; exit 1; }; \
	"$$python" resources/packaging/system_packages.py

# Each stamp is created last, so that an interrupted installation is repeated.

$(HAS_VENV): | system
	@echo "Building the virtual environment $(VENV) with $$($(PYTHON) --version) …"
	@log=$$(mktemp); $(PYTHON) -m venv --clear $(VENV) >"$$log" 2>&1 || { \
	  echo "The virtual environment could not be built; see $$log." >&2; exit 1; }; rm -f "$$log"
	@touch $@

$(HAS_RUN): $(HAS_VENV) $(BUILT_FROM)
	@echo "Installing Filemill's dependencies; the first time this takes a minute or two …"
	@$(PIP) install -e . >$(LOG) 2>&1 || { $(say_why); }
	@touch $@

$(HAS_DEV): $(HAS_VENV) $(BUILT_FROM)
	@echo "Installing the dependencies of Filemill and its tests; the first time this takes a minute or two …"
	@$(PIP) install -e '.[dev]' >$(LOG) 2>&1 || { $(say_why); }
	@touch $(HAS_RUN) $@

$(HAS_PACKAGING): $(HAS_VENV) $(BUILT_FROM)
	@echo "Installing the packaging tools …"
	@$(PIP) install -e '.[packaging]' >$(LOG) 2>&1 || { $(say_why); }
	@touch $(HAS_RUN) $@

$(HAS_FROZEN): $(HAS_VENV) $(BUILT_FROM)
	@echo "Building the environment $(FROZEN) for the frozen program …"
	@{ $(PYTHON) -m venv --clear $(FROZEN) && \
	  $(FROZEN)/bin/python -m pip --disable-pip-version-check --no-input install -e '.[installer,all]'; } \
	  >$(LOG) 2>&1 || { $(say_why); }
	@touch $@

define say_why
grep -o 'ERROR: .*' $(LOG) | head -n 1 >&2; echo "The packages could not be installed; see $(LOG)." >&2; exit 1
endef
