# Two commands do everything: `make sync` shows the sync at work, `make test` runs the whole suite.
# They need Python >= 3.10 and make; everything else goes into this checkout.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLUGINS := tap-customcrm tap-tripletex target-customcrm target-tripletex
MEMBERS := $(patsubst %/pyproject.toml,%,$(wildcard packages/*/pyproject.toml)) $(PLUGINS) sandbox
READY := $(VENV)/.ready
TESTS ?=
DIST ?= dist
CREDENTIALS := CUSTOMCRM_API_URL CUSTOMCRM_API_KEY TRIPLETEX_CONSUMER_TOKEN TRIPLETEX_EMPLOYEE_TOKEN
export MELTANO_SEND_ANONYMOUS_USAGE_STATS := false

.PHONY: setup sync test test-backends soak bench check lock dist clean

setup: $(READY)

# The environment is made anew where the lock or a package's description changed.
$(READY): requirements.lock $(addsuffix /pyproject.toml,$(MEMBERS)) pyproject.toml Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "This Python cannot make environments. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@grep -A 60 '^uv==' requirements.lock | awk 'NR>1 && /^[a-z]/{exit} {print}' > $(VENV)/uv.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r $(VENV)/uv.lock
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps $(addprefix --editable ./,$(MEMBERS))
	@touch $@

# With credentials in .env the real systems are synchronised, without them the sandbox. A byte order mark, as Windows'
# editors write it, would hide the first line of .env from Meltano.
BYTE_ORDER_MARK := $(shell printf '\357\273\277')
sync: setup
	@if [ "$$(head -c 3 .env 2>/dev/null)" = "$(BYTE_ORDER_MARK)" ]; then \
	  echo "Taking the byte order mark off .env, which hides its first line from other programs."; \
	  (umask 077; tail -c +4 .env > $(VENV)/env && cat $(VENV)/env > .env; rm -f $(VENV)/env); \
	fi
	@given() { grep -Eqs "^ *(export +)?$$1 *= *[\"']?[^\"'#[:space:]]" .env; }; \
	missing=; for name in $(CREDENTIALS); do \
	  case $$name in TRIPLETEX_*_TOKEN) given TRIPLETEX_REFRESH_TOKEN && continue;; esac; \
	  given $$name || missing="$$missing $$name"; \
	done; \
	case "$$missing" in \
	  "") \
	    echo "Credentials found in .env: synchronising the real systems (Meltano environment production)."; \
	    $(BIN)/meltano --environment=production run two-way;; \
	  " $(CREDENTIALS)") \
	    $(BIN)/sandbox sync;; \
	  *) \
	    echo "Missing in .env:$$missing. Fill them in (see .env.example), or empty .env to see the sandbox."; exit 1;; \
	esac

# The tests make thousands of small files. Where there is room for them in memory, nobody waits for a disk.
MEMORY = $(shell test -w /dev/shm && ! grep -q ' /dev/shm .*noexec' /proc/mounts 2>/dev/null && \
  test "$$(df -Pk /dev/shm | awk 'NR == 2 {print $$4}')" -gt 4000000 && echo /dev/shm)
IN_MEMORY = PYTEST_DEBUG_TEMPROOT=$${PYTEST_DEBUG_TEMPROOT:-$(MEMORY)}
test: setup check
	@$(IN_MEMORY) $(BIN)/python -m pytest -n logical --dist worksteal $(TESTS)

# The shipped profiles on the CRMs they are for, installed by npm and pip into var/backends and started on loopback:
# make test-backends, or make test-backends BACKENDS="directus strapi oauth2"
test-backends: setup
	@BACKENDS="$${BACKENDS:-all}" $(BIN)/python -m pytest tests/backends

# Random histories for as long as one likes, in memory and over HTTP:
# make soak SYNC_HISTORIES=100000 SYNC_MACHINES=20000 SYNC_SEED=42
soak: setup
	@$(IN_MEMORY) SYNC_HISTORIES=$${SYNC_HISTORIES:-50000} SYNC_MACHINES=$${SYNC_MACHINES:-5000} SYNC_STEPS=$${SYNC_STEPS:-50} \
	  SYNC_SEED=$${SYNC_SEED:-$$(date +%s)} $(BIN)/python -m pytest -n logical tests/sync -s

# Beside the peers, about 25 minutes; make bench BENCH=tap-tripletex for one measure. To try: BENCH_RECORDS=1000 BENCH_RUNS=1
bench: setup
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m benchmarks $(BENCH)

check: setup
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy

# No index lines and no download addresses: the lock works with whichever package index is set up.
lock:
	@test -x $(BIN)/uv || { $(PYTHON) -m venv $(VENV) && $(BIN)/python -m pip install --quiet uv; }
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-annotate \
	  --python-version 3.10 --custom-compile-command 'make lock' \
	  $(addprefix --no-emit-package ,$(shell sed -n 's/^name = "\(.*\)"/\1/p' $(addsuffix /pyproject.toml,$(MEMBERS)))) \
	  requirements.in $(addsuffix /pyproject.toml,$(MEMBERS)) --all-extras -o requirements.lock

dist: setup
	@mkdir -p $(DIST) && rm -f $(DIST)/*.whl
	@for member in $(MEMBERS); do $(BIN)/uv build --quiet --wheel --out-dir $(DIST) $$member || exit 1; done
	@ls $(DIST)

clean:
	rm -rf $(VENV) dist .meltano .pytest_cache .mypy_cache .ruff_cache
