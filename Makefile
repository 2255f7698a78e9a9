# make up      start Changeover on this machine
# make test-unit   decisions, without an engine: under a minute
# make test    run every test, and name the ten slowest
# make check   what must hold before a commit: format, lint, types
# make soak     the same promises for longer and with more: 200 random histories, a backup of 1 GB (about two hours)
# make bench   measure, against the floor of this machine

SHELL := /bin/bash
PYTHON := .venv/bin/python

.PHONY: up down engine venv check test-unit test soak bench

up: engine venv
	@tools/up

down:
	docker compose down

engine:
	@tools/engine
	@tools/base-image

venv:
	@tools/venv

check: venv
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy

test-unit: venv
	.venv/bin/pytest --durations=10 tests/unit

test: engine venv
	tools/test-packages
	.venv/bin/pytest --durations=10

soak: engine venv
	tools/test-packages
	.venv/bin/pytest -s --soak --large-mb 1024 --histories 200 tests/system/test_large_backup.py tests/system/test_histories.py

bench: engine venv
	tools/bench-packages
	$(PYTHON) -m bench
