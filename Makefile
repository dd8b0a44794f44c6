# Two commands on a bare Debian: `make run`, `make test`. They need git, make and python3-venv; Node comes from a wheel.
# The lock files are the hashed requirements*.txt; `make lock` renews them, `make check-lock` fails when they are stale.
UV_VERSION := 0.13.9
UV := .tools/bin/uv
BIN := .venv/bin
INSTALL := $(UV) pip install -q --python $(BIN)/python
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
CONSOLE := pyproject.toml hatch_build.py $(shell find web -name node_modules -prune -o -type f -print)

.PHONY: run test lock check-lock clean
.DELETE_ON_ERROR:

run: .venv/run.stamp .venv/project.stamp
	$(BIN)/one-api

test: .venv/test.stamp .venv/project.stamp
	$(BIN)/pytest

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

# The project itself, editable; hatch_build.py builds the console on the way. The build's own packages are hashed too.
.venv/project.stamp: requirements-build.txt $(CONSOLE) | $(BIN)/python
	$(INSTALL) --no-deps --build-constraints requirements-build.txt -e .
	touch $@

lock: | $(UV)
	$(COMPILE) pyproject.toml -o requirements.txt
	$(COMPILE) pyproject.toml --extra all --group dev -c requirements.txt -o requirements-dev.txt
	$(COMPILE) --group build -o requirements-build.txt
	echo "uv==$(UV_VERSION)" | $(COMPILE) - -o requirements-tools.txt

check-lock: lock
	git diff --exit-code -- 'requirements*.txt'

clean:
	rm -rf .venv .tools web/node_modules src/one_api/console
