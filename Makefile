# Two commands on a bare Debian: `make run` and `make test`. They need git, make and python3-venv; Node comes from a wheel.
# The lock files are the hashed requirements*.txt; `make lock` renews them, `make check-lock` fails when they are stale.
PORT ?= 3000
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
INSTALL := $(UV) pip install -q --python $(BIN)/python
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
CONSOLE := pyproject.toml hatch_build.py $(shell find web -name node_modules -prune -o -type f -print)
MODULES := web/node_modules/.package-lock.json tests/upstreams/node_modules/.package-lock.json

.PHONY: run test check check-lint check-format check-types check-imports check-dependencies check-console \
  check-console-types check-console-tests check-api fmt lock check-lock bench bench-api chaos conformance fuzz screenshots torture wheel clean test-packages bench-packages
.DELETE_ON_ERROR:
# Some containers set it: a thousand modules would be compiled anew at each start.
unexport PYTHONDONTWRITEBYTECODE

run: .venv/run.stamp .venv/project.stamp
	$(BIN)/one-api --port $(PORT)

# `make check` is one of the tests, so that a style error hides no other failure. PYTEST="tests/ledger -k hold" narrows it.
test: test-packages .venv/test.stamp .venv/project.stamp $(MODULES)
	$(BIN)/pytest $(PYTEST)

# Kills processes, fills disks and repeats for minutes; too long for every commit. What was measured is printed.
torture: test-packages .venv/test.stamp .venv/project.stamp $(MODULES)
	$(BIN)/pytest -m torture --timeout 3600 -rP $(PYTEST)

# Two nodes behind nginx while everything around them fails: CHAOS is for how many seconds, 600 unless said.
chaos: test-packages .venv/test.stamp .venv/project.stamp
	$(BIN)/python -m tests.chaos $(if $(CHAOS),--seconds $(CHAOS))

# Every page of the console in both languages and schemes, on a desk and on a phone; SHOTS=channel only pages so named.
screenshots: test-packages .venv/test.stamp .venv/project.stamp $(MODULES)
	$(BIN)/python -m tests.console.screenshots screenshots $(SHOTS)

bench: bench-packages .venv/test.stamp .venv/project.stamp bench/build/run.stamp
	$(BIN)/python -m bench $(BENCH)

check: .venv/test.stamp web/node_modules/.package-lock.json
	@$(MAKE) --no-print-directory --keep-going --jobs 4 --output-sync \
	  check-types check-console check-console-types check-console-tests check-lint check-format check-imports \
	  check-dependencies check-api

check-lint:
	@$(BIN)/ruff check -q --output-format concise
check-format:
	@$(BIN)/ruff format -q --check --output-format concise
check-types:
	@$(BIN)/mypy --no-error-summary
check-imports:
	@$(BIN)/lint-imports --no-logo > .venv/imports.log || { cat .venv/imports.log; false; }
check-dependencies:
	@$(BIN)/deptry . 2> .venv/deptry.log || { cat .venv/deptry.log; false; }
check-console:
	@cd web && ../$(BIN)/node node_modules/eslint/bin/eslint.js .
check-console-types:
	@cd web && ../$(BIN)/node node_modules/typescript/bin/tsc
check-console-tests:
	@cd web && ../$(BIN)/node node_modules/vitest/vitest.mjs run > ../.venv/vitest.log 2>&1 || { cat ../.venv/vitest.log; false; }
check-api:
	@scripts/gen-api --check

fmt: .venv/test.stamp
	$(BIN)/ruff check -q --fix-only
	$(BIN)/ruff format -q

# --- installing -------------------------------------------------------------------------------------------------------

$(UV): requirements-tools.txt
	python3 -m venv .tools
	.tools/bin/python -m pip install -q --require-hashes -r requirements-tools.txt
	touch $@

$(BIN)/python: | $(UV)
	$(UV) venv -q --no-python-downloads .venv

.venv/run.stamp: requirements.txt | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements.txt
	touch $@

.venv/test.stamp: requirements-dev.txt | $(BIN)/python
	$(INSTALL) --require-hashes -r requirements-dev.txt
	touch $@ .venv/run.stamp

# What `make run` installs and nothing else: some libraries load what else they find.
bench/build/run.stamp: requirements.txt | $(BIN)/python
	$(UV) venv -q --clear --python $(BIN)/python bench/build/run
	$(UV) pip install -q --python bench/build/run/bin/python --require-hashes -r requirements.txt
	touch $@

# The project itself, editable; hatch_build.py builds the console on the way. The build's own packages are hashed too.
.venv/project.stamp: requirements-build.txt $(CONSOLE) | $(BIN)/python
	$(INSTALL) --no-deps --build-constraints requirements-build.txt -e .
	touch $@

%/node_modules/.package-lock.json: %/package-lock.json | .venv/test.stamp .venv/project.stamp
	cd $* && $(abspath $(BIN))/npm ci --silent --ignore-scripts
	touch $@

# More of what the tests try a little of: anything may come in. By hypothesis and not by atheris, which has no wheel for
# each Python we support; FUZZ_EXAMPLES and FUZZ_SECONDS bound it.
FUZZ_EXAMPLES ?= 3000
FUZZ_SECONDS ?= 1800
fuzz: .venv/test.stamp .venv/project.stamp
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) timeout $(FUZZ_SECONDS) $(BIN)/pytest --timeout 0 tests/dialects/test_fuzz.py tests/lib

# What becomes of every feature between every two dialects; kept in docs/fidelity.md, whose freshness is a test.
conformance: .venv/test.stamp .venv/project.stamp
	@$(BIN)/python -m tests.conformance --write

bench-api: .venv/test.stamp .venv/project.stamp bench/build/run.stamp
	$(BIN)/python -m bench.api $(BENCH)

wheel: .venv/project.stamp
	$(UV) build -q --wheel --build-constraints requirements-build.txt --out-dir dist
	@ls dist/*.whl

test-packages: NEEDED := chromium fonts-noto-cjk mariadb-server-core mariadb-client-core nginx
bench-packages: NEEDED := nginx gcc libc6-dev
test-packages bench-packages:
	@missing=; for p in $(NEEDED); do dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || missing="$$missing $$p"; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get > /dev/null; then echo "not a Debian: please install what corresponds to$$missing"; exit 0; fi; \
	sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; \
	echo "installing Debian packages the tests use:$$missing ($${sudo:-as root} apt-get install)"; \
	$$sudo apt-get update -qq && \
	$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing < /dev/null > /dev/null

# --- locking ----------------------------------------------------------------------------------------------------------

lock: | $(UV)
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra all --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group build -o requirements-build.txt
	echo "uv==$(UV_VERSION)" | $(COMPILE) - -o requirements-tools.txt

check-lock: lock
	git diff --exit-code -- 'requirements*.txt'

clean:
	rm -rf .venv .tools dist web/node_modules tests/upstreams/node_modules src/one_api/console
