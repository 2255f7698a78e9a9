"""`make up`, `down`, `uninstall` and `token` work on the stack of `.env`, as `docker compose` does."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.addresses import free_port
from tests.support.in_thread import InThread
from tests.support.paths import ROOT

DOCKER = """#!/bin/sh
echo "$COMPOSE_PROJECT_NAME: $*" >> "$ORDERS"
case "$*" in
    "compose ps --quiet --status running"*) [ -z "$RUNS" ] || echo c0ffee;;
    "compose up"*orchestrator) [ -n "$RUNS" ];;
esac
"""
SAYS = """# my settings
export CHANGEOVER_STACK='words' # of mine
CHANGEOVER_PORT = 1
CHANGEOVER_PORT={port}
CHANGEOVER_API_PORT="{api_port}"\r
OTHER=$(touch made)"""


def checkout(folder: Path, says: str) -> Path:
    made = folder / "a check out"
    shutil.copytree(ROOT / "tools", made / "tools")
    (made / ".env").write_text(says)
    docker = folder / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    return made


def ran(tool: str, folder: Path, made: Path, types: str = "nothing", **environment: str) -> tuple[str, str]:
    """The output, and the orders to Docker."""
    orders = folder / "orders"
    orders.write_text("")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CHANGEOVER_", "COMPOSE_"))}
    clean |= {"PATH": f"{folder}:{os.environ['PATH']}", "ORDERS": str(orders)} | environment
    ended = subprocess.run(
        ["bash", str(made / "tools" / tool)], env=clean, capture_output=True, text=True, input=f"{types}\n"
    )
    return ended.stdout + ended.stderr, orders.read_text()


@pytest.mark.parametrize("tool", ["up", "down", "uninstall", "token"])
@pytest.mark.parametrize("said_by", ["file", "environment"])
def test_a_tool_works_on_the_stack_that_compose_works_on(tool: str, said_by: str, tmp_path: Path) -> None:
    """Another stack's containers and volumes were offered for removal, and the port of another one was waited for."""
    says = SAYS.format(port=free_port(), api_port=free_port())
    made = checkout(tmp_path, says)
    environment = {"CHANGEOVER_STACK": "mine"} if said_by == "environment" else {"COMPOSE_PROJECT_NAME": "theirs"}

    said, orders = ran(tool, tmp_path, made, **environment)

    stack = "words" if said_by == "file" else "mine"
    assert {order.partition(":")[0] for order in orders.splitlines()} == {stack}, said
    assert "stack=changeover" not in orders
    assert not list(tmp_path.rglob("made"))


def test_uninstall_says_that_it_is_done(tmp_path: Path) -> None:
    said, _ = ran("uninstall", tmp_path, checkout(tmp_path, ""), types="mine", CHANGEOVER_STACK="mine")

    assert said.splitlines()[-1].startswith("Done: everything of the stack mine is removed from Docker.")


def test_up_looks_at_the_port_of_the_file(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said, _ = ran("up", tmp_path, checkout(tmp_path, f"CHANGEOVER_PORT={free_port()}\nCHANGEOVER_API_PORT={port}"))
    assert f"Port {port} of 127.0.0.1 is taken by another program." in said


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


def test_up_says_how_the_command_finds_an_api_at_another_port(tmp_path: Path) -> None:
    """It went to the usual port, with the token: to whichever program had it."""
    api = ThreadingHTTPServer(("127.0.0.1", 0), Ready)
    with InThread(api):
        port = api.server_port
        made = checkout(tmp_path, f"CHANGEOVER_PORT={free_port()}\nCHANGEOVER_API_PORT={port}")
        command = made / ".venv" / "bin" / "changeover"
        command.parent.mkdir(parents=True)
        command.write_text("#!/bin/sh\n")
        command.chmod(0o755)
        said, _ = ran("up", tmp_path, made, RUNS="yes", CHANGEOVER_TOKEN="a token")
    assert f"export CHANGEOVER_URL=http://127.0.0.1:{port}" in said
