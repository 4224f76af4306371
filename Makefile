# `make run` and `make test` need Python >= 3.11 and the package index; all else goes into .venv.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.DEFAULT_GOAL := run
.PHONY: run test check bench messages lock clean

run: $(INSTALLED)
	@$(BIN)/python manage.py run

test: $(INSTALLED)
	@$(BIN)/python -m pytest --numprocesses logical --maxprocesses 4 --dist loadscope $(ARGS)

# What CI runs beside the tests. The last line looks at the settings as they are behind a TLS proxy.
check: $(INSTALLED)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python manage.py makemigrations --check --dry-run
	@HTTPS=1 DEBUG=0 $(BIN)/python manage.py check --deploy --fail-level WARNING
	@test "$$(wc -l < README.md)" -le 100 || { echo "README.md: 100 lines at most"; exit 1; }

# Purchases per second, in process, into a database of its own.
bench: export WUTONG_VAR = var/bench
bench: $(INSTALLED)
	@rm -rf $(WUTONG_VAR)
	@env -u DATABASE_URL $(BIN)/python manage.py migrate --verbosity 0
	@env -u DATABASE_URL $(BIN)/python manage.py replay --rule A --baskets 5000 --workers 2 $(ARGS)

# The English catalogue: collect what the code says, keep what is translated, compile. Babel does it, for gettext is
# not on every machine; for the same reason the compiled files are committed.
messages: BABEL := $(BIN)/python -m babel.messages.frontend --quiet
messages: $(INSTALLED)
	@$(BABEL) extract --mapping-file pyproject.toml --sort-by-file --add-location file --no-wrap \
		--output-file var/django.pot .
	@$(BABEL) update --domain django --locale en --input-file var/django.pot --output-dir locale \
		--no-wrap --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	@$(BABEL) compile --domain "django djangojs" --directory locale

# Hashes and no addresses: any index that has the same files will do.
lock: $(INSTALLED)
	@$(BIN)/uv pip compile pyproject.toml --quiet --extra demo --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
		--output-file requirements.lock

clean:
	rm -rf .venv var .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Wutong needs Python 3.11 or newer: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear .venv \
		|| { rm -rf .venv; echo "Python's venv module is missing (Debian: apt install python3-venv)"; exit 1; }
	@echo "Installing into .venv (about a minute, once) …"
	@$(BIN)/pip install -qq --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@
