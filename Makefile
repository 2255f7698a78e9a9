# make up          start Changeover on this machine
# make down        stop it; the containers of apps go on
# make uninstall   remove everything of it from Docker, data and backups included; asks first
# make token       write a new token with scope admin to .changeover/token, when the one that was there is lost
# make test-unit   run the unit tests, without an engine, in two to five minutes of two idle cores
# make test        run every unit and component test and an eighth of those with whole stacks, another one each time
#                  and print the ten slowest; of the kill points of the unit tests it takes some, others each time.
#                  The choices of run 7 again: make test FIRST=7
# make test-all    run all of these, and every kill point of the unit tests: before a release
# make check       check format, lint and types before a commit
# make soak        run the long tests: every kill point, a backup of 1 GB, 200 random histories, in parts of at most 40
#                  minutes. One part of the histories: make soak PART="--histories 40 --first 160"; the tests of a file:
#                  make soak PART=tests/system/test_many_at_once.py; of it, those with one thread and a backlog of 5:
#                  make soak PART="tests/component/test_bursts.py -k 5-1-"
# make bench       measure, and compare with the same work without Changeover on this machine

SHELL := /bin/bash
PYTHON := .venv/bin/python
# Compiled modules are kept, whatever the shell says: the tests start Python hundreds of times.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: up down uninstall token engine venv check test-unit test test-all soak bench pictures

up: engine
	@tools/venv
	@tools/up

down:
	@tools/down

uninstall:
	@tools/uninstall

token:
	@tools/token

engine:
	@tools/engine
	@tools/base-image

venv:
	@tools/venv dev

check: venv
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

test-unit: venv
	.venv/bin/pytest -n 2 --dist loadgroup --durations=10 tests/unit

test: engine venv
	tools/test-packages
	$(PYTHON) -m tests $(if $(FIRST),--first $(FIRST))

test-all: engine venv
	tools/test-packages
	$(PYTHON) -m tests all

soak: engine venv
	tools/test-packages
	$(PYTHON) -m tests soak $(PART)

pictures: engine venv
	tools/test-packages
	$(PYTHON) -m tests.pictures

bench: engine venv
	tools/bench-packages
	$(PYTHON) -m bench
