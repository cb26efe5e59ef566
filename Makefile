# Two commands: `make run` (the main job on the embedded pack) and `make test`.
# Both set up their own virtual environment; nothing has to be installed by hand but Python ≥ 3.11.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(shell cat pyproject.toml | cksum | cut -d' ' -f1)

.PHONY: run test lint setup clean

run: $(STAMP)
	$(BIN)/siteselect run scenarios/reference.toml --out runs/reference

test: $(STAMP)
	$(BIN)/python -m pytest -n 2 --dist loadscope

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

setup: $(STAMP)

$(STAMP): pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	rm -f $(VENV)/.installed-*
	touch $@

clean:
	rm -rf $(VENV) runs build dist .pytest_cache .mypy_cache .ruff_cache

# Pages written from the code: the reference of scenarios, its JSON schema, the French catalogue.
.PHONY: pages
pages: $(STAMP)
	$(BIN)/siteselect scenario keys --markdown --out docs/scenario-reference.md
	$(BIN)/siteselect scenario schema --out docs/scenario.schema.json
	$(BIN)/python -m siteselect.i18n.update
