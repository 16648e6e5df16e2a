# Two commands do all the set-up on a fresh machine with python3 >= 3.11, git and make:  make demo   make test
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 2

.PHONY: demo serve demo-server demo-incident test check format docs tables lock bench clean

demo: .venv/ready
	@$(BIN)/python -m demo.run

# The service with its console on loopback; the first start prints the admin's password once.
serve: .venv/ready
	@$(BIN)/tidegate serve

# The same beside a forge of its own with open changes, all on loopback and thrown away at the end.
demo-server: .venv/ready
	@$(BIN)/python -m demo.server

# A small real system in production, with a bad deployment. Needs Debian's prometheus and prometheus-alertmanager.
demo-incident: .venv/ready
	@$(BIN)/python -m demo.incident.run

test: .venv/ready
	@$(BIN)/python -m pytest -n $(JOBS)

check: .venv/ready
	$(BIN)/ruff format --check src tests bench demo tools
	$(BIN)/ruff check src tests bench demo tools
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs

format: .venv/ready
	$(BIN)/ruff check --fix-only -q src tests bench demo tools
	$(BIN)/ruff format -q src tests bench demo tools

# Writes the documents that follow from the code.
docs: .venv/ready
	@$(BIN)/python -m tests.docs.generate

# Distils public facts about clouds into src/tidegate/infra/tables; each tool installs its source into a scratch folder.
tables: .venv/ready
	@$(BIN)/python -m tools.tables.cloudformation
	@$(BIN)/python -m tools.tables.iam

bench: .venv/ready
	@$(BIN)/python -m bench.run

# Pins every dependency with its hash; run it after a change to pyproject.toml.
lock: .venv/ready
	$(BIN)/python -m pip install -q uv
	$(BIN)/uv pip compile -q pyproject.toml --extra mcp --extra server --group dev --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-annotate --upgrade -o requirements/dev.lock

.venv/ready: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tidegate needs Python 3.11 or later" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

clean:
	rm -rf .venv build dist .mypy_cache .ruff_cache .hypothesis
