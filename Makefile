# make demo   grades an invented class on real files and says where to look
# make test   lint, types and tests
# Each does all of its own set-up; nothing is installed outside .venv but Debian packages that are missing (as root).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint soak bench release clean debian-demo debian-test

demo: $(READY) debian-demo
	$(BIN)/stepgrade demo

test: $(READY) debian-test lint
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -m "not soak" -n 2 --dist loadfile --durations=15

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Long proof: everything that `make test` samples, and runs of thousands of submissions.
soak: $(READY) debian-test
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pytest -m soak --durations=15 -s --timeout=0

bench: $(READY) debian-demo
	for file in benchmarks/*.py; do echo "== $$file"; PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python $$file || exit 1; done

# release/ is committed: it is what nbgrader makes of source/.
release: $(READY)
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/nbgrader generate_assignment optimization --force --create

$(READY): pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -c constraints.txt -e ".[dev]"
	touch $(READY)

# The sandbox wants bubblewrap; the browser tests want Chromium, and MathJax as pages of feedback load it.
debian-demo:
	@command -v bwrap >/dev/null || sh tools/debian.sh bubblewrap

debian-test:
	@command -v bwrap >/dev/null && command -v chromium >/dev/null && test -d /usr/share/javascript/mathjax \
	    || sh tools/debian.sh bubblewrap chromium libjs-mathjax

clean:
	rm -rf demo .pytest_cache .mypy_cache .ruff_cache
