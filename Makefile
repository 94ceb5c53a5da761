# The same targets serve the laptop, the hook and CI. `make help` lists them.

VENV     := .venv
PYTHON   := $(VENV)/bin/python
PLAN     := plans/three-members.yaml
PYTHON3  := python3
PACKAGES := python3-venv systemd-container debootstrap debian-archive-keyring gpgv iproute2 mount \
            openssh-client openssl curl tmux chromium poppler-utils
ZIPAPP   := build/orchestrator.pyz
NEEDED   := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"])
CHECKED  := orchestrator tests
AT_ONCE  := -n 3 --dist loadgroup  # a lab waits half of its time: one more than there are cores
SLOWEST  := --durations=10 --durations-min=1  # what a full run spends its time on

.DEFAULT_GOAL := help
.PHONY: help setup lab-setup packages zipapp lint check format test fuzz demo bench lab-up lab-down docs pictures \
        faults hosts

help:                 ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ready  ## Make .venv, which is all that a bastion needs (any user; PYTHON3=python3.11)
	@$(PYTHON) -m compileall -q orchestrator  # once, and not at each call where Python may keep nothing

lab-setup: packages setup  ## Install what the lab, demo and tests need too: Debian packages (root)

packages:
	@missing=$$(for package in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' "$$package" 2>/dev/null | grep -q 'ok installed' || echo "$$package"; done); \
	if [ -n "$$missing" ]; then \
	  echo "installing:" $$missing; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; fi

$(VENV)/.ready: requirements.lock pyproject.toml
	$(PYTHON3) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/pip install --quiet --no-deps --no-build-isolation --no-index -e .
	touch $@

lint: setup
	$(VENV)/bin/ruff format --check $(CHECKED)
	$(VENV)/bin/ruff check $(CHECKED)
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache --no-logo

check: lab-setup lint  ## Format, lint, types, architecture and unit tests: six minutes on two cores
	$(VENV)/bin/pytest -q $(AT_ONCE) -m "not lab and not exhaustive"

format: setup         ## Let ruff format the code and mend what it can
	$(VENV)/bin/ruff format $(CHECKED)
	$(VENV)/bin/ruff check --fix $(CHECKED)

fuzz: setup           ## Feed every reader of foreign text FUZZ_EXAMPLES random texts each (20000)
	FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-20000} $(VENV)/bin/pytest -v $(AT_ONCE) --timeout 0 tests/fuzz

test: lab-setup lint   ## Everything, on real hosts too (root)
	$(VENV)/bin/pytest -v $(AT_ONCE) $(SLOWEST)

demo: lab-setup       ## Migrate a real three-member cluster while a client writes (root)
	$(PYTHON) -m orchestrator rehearse $(PLAN)

bench: lab-setup      ## Measure, as ratios within one run: an hour (root)
	failed=; for bench in tests/bench/bench_*.py; do \
	  PYTHONPATH=$(CURDIR)/tests $(PYTHON) $$bench || failed="$$failed $$bench"; done; \
	[ -z "$$failed" ] || { echo "failed:$$failed"; exit 1; }

zipapp: setup         ## Make one file for a bastion without network: build/orchestrator.pyz
	mkdir -p $(dir $(ZIPAPP))
	$(PYTHON) -m pex $$($(PYTHON) -c '$(NEEDED)') --package orchestrator --entry-point orchestrator.__main__:main \
	  --venv-repository $(VENV) --no-pypi --output-file $(ZIPAPP)

docs: setup           ## Write the generated pages anew
	$(PYTHON) tests/documents.py

lab-up: lab-setup     ## Boot the hosts of $(PLAN) and leave them running (root)
	$(PYTHON) -m orchestrator lab up $(PLAN)

lab-down: setup       ## Take the lab's hosts down, completely
	$(PYTHON) -m orchestrator lab down

pictures: lab-setup   ## Take the pictures of terminals in docs/ anew, of a migration on real hosts (root)
	PYTHONPATH=tests $(PYTHON) tests/terminals.py

faults: lab-setup     ## Run every case of the fault matrix on real hosts, and write docs/faults.md (root)
	rm -f tests/results/faults.jsonl
	$(VENV)/bin/pytest -v $(AT_ONCE) tests/live/faults --record
	$(PYTHON) tests/documents.py

hosts: lab-setup      ## Try every layout on old and new etcds, on real hosts, and write docs/hosts.md (root)
	rm -f tests/results/hosts.jsonl
	$(VENV)/bin/pytest -v $(AT_ONCE) tests/live/test_sources.py tests/live/test_not_served_yet.py --record
	$(PYTHON) tests/documents.py
