# make up      start Changeover on this machine
# make test    run every test
# make check   what must hold before a commit: format, lint, types
# make bench   measure, against the floor of this machine

SHELL := /bin/bash
PYTHON := .venv/bin/python

.PHONY: up down engine venv check test bench

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

test: engine venv
	tools/test-packages
	.venv/bin/pytest

bench: engine venv
	$(PYTHON) -m bench
