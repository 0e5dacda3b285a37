# Everything runs in a virtual environment of its own, made on first use from hashed locks. Needs Python 3.11 or newer.
PYTHON ?= python3
PYTEST_ARGS ?= -n 2

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --extra kafka

.DEFAULT_GOAL := help
.PHONY: help demo test e2e charts lint format bench fuzz conformance lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(READY) ## simulate an organisation and show its metrics, end to end
	$(BIN)/leadline demo

# Prometheus and Alertmanager are installed on first use. Where that cannot be, it says so, and what needs them is skipped.
test: $(READY) ## run the test suite
	@tests/deploy/install.sh || true
	$(BIN)/pytest $(PYTEST_ARGS)

e2e: $(READY) ## run Leadline, Prometheus and Alertmanager as shipped, from a delivery to an alert and back
	@tests/deploy/install.sh || true
	$(BIN)/pytest $(PYTEST_ARGS) tests/deploy/test_end_to_end.py

# Helm is compiled on first use, which takes minutes; without it `make test` checks chart, image and compose file in part.
charts: $(READY) ## check the Helm chart, the image and the compose file with their own tools
	@tests/deploy/install_helm.sh $(VENV)
	CI=true $(BIN)/pytest $(PYTEST_ARGS) tests/deploy/test_helm.py tests/deploy/test_image.py tests/deploy/test_compose.py

lint: $(READY) ## check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## run the benchmarks; fails when one falls short of its goal
	$(BIN)/python -m tests.benchmarks

# atheris has wheels for Linux on x86-64 alone, and for each Python only in some of its releases. So it is not among the
# locked packages that everything else needs. Where there is none the fuzzer says so on each line of its report.
fuzz: $(READY) ## fuzz every connector for FUZZ_SECONDS (60) in all; what breaks one is kept in .fuzz/found
	@$(BIN)/python -c 'import atheris' 2>/dev/null || \
		$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --require-hashes -r requirements/fuzz.txt || \
		echo "atheris has no wheel for this Python and system" >&2
	$(BIN)/python -m tests.fuzz

conformance: $(READY) ## check against real data in the folder that LEADLINE_REAL_DATA names
	$(BIN)/python -m tests.conformance

lock: $(READY) ## resolve the dependencies anew; `make lock UPGRADE=--upgrade` takes newer versions
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(UPGRADE) --output-file requirements/runtime.txt pyproject.toml
	UV_CUSTOM_COMPILE_COMMAND="make lock" $(LOCK) $(UPGRADE) --group dev --constraints requirements/runtime.txt \
		--output-file requirements/dev.txt pyproject.toml
	echo hatchling | UV_CUSTOM_COMPILE_COMMAND="make lock" $(subst --extra kafka,,$(LOCK)) $(UPGRADE) \
		--constraints requirements/dev.txt --output-file requirements/build.txt -
	printf 'check-jsonschema\nhadolint-bin\nkubernetes-validate\n' | UV_CUSTOM_COMPILE_COMMAND="make lock" \
		$(subst --extra kafka,,$(LOCK)) $(UPGRADE) --constraints requirements/dev.txt --output-file requirements/deploy.txt -

clean: ## remove the environment, the caches and the demo
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .fuzz build dist demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The project itself is installed without build isolation: the locked hatchling builds it, not whatever is newest.
$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is older than Python 3.11; name a newer one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
