"""`make down` says what goes on, and `make uninstall` removes what is the stack's, after it was confirmed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

DOCKER = """#!/bin/sh
echo "$*" >> "$ORDERS"
case "$*" in
    "compose down") echo " Network words Resource is still in use";;
    "ps --all --quiet"*|"ps --quiet"*)
        if [ -n "$DEPLOYED_MEANWHILE" ] && grep -qx "compose down" "$ORDERS"; then echo c2; echo c3
        else echo c1; echo c2; fi;;
    "inspect --format"*) echo words-shop-data; echo; echo deadbeef; echo other-data;;
    "volume ls"*compose.project*) echo words_state;;
    "volume ls"*backups*) echo words-backups;;
    "images"*) echo words/shop:1; echo "words/shop:<none>";;
esac
"""


def ran(tool: str, folder: Path, typed: str = "", *, deployed_meanwhile: bool = False) -> tuple[int, str, list[str]]:
    """The exit code, the output and the orders to Docker."""
    docker, orders = folder / "docker", folder / "orders"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    orders.write_text("")
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "ORDERS": str(orders)}
    environment["CHANGEOVER_STACK"] = "words"
    environment["DEPLOYED_MEANWHILE"] = "yes" if deployed_meanwhile else ""
    ended = subprocess.run(
        ["bash", str(ROOT / "tools" / tool)], env=environment, capture_output=True, text=True, input=typed
    )
    return ended.returncode, ended.stdout + ended.stderr, orders.read_text().splitlines()


def test_down_says_that_containers_of_apps_go_on(tmp_path: Path) -> None:
    code, said, orders = ran("down", tmp_path)

    assert code == 0
    told = [order for order in orders if order.startswith("compose")]
    assert told == ["compose stop orchestrator", "compose down"], "it would tell that the proxy is gone"
    assert "Containers of apps that go on in the network words: 2." in said
    assert "still in use" not in said


@pytest.mark.parametrize("typed", ["", "y\n", "changeover\n"])
def test_uninstall_removes_nothing_until_the_name_of_the_stack_is_typed(tmp_path: Path, typed: str) -> None:
    code, said, orders = ran("uninstall", tmp_path, typed)

    assert code == 1
    assert "Nothing was removed." in said
    assert not [order for order in orders if " rm" in order or order == "compose down"]


def test_uninstall_removes_what_is_the_stacks(tmp_path: Path) -> None:
    code, said, orders = ran("uninstall", tmp_path, "words\n")

    assert code == 0, said
    assert [order for order in orders if order == "compose down" or "rm" in order.split()[:2]] == [
        "compose down",
        "rm --force --volumes c1 c2",
        "volume rm words-backups words-shop-data words_state",
        "network rm words",
        "image rm words/shop:1",
    ]


def test_uninstall_removes_also_what_was_made_while_the_question_stood(tmp_path: Path) -> None:
    """A container that it did not know kept its volumes: it ended half-way, before the network and the images."""
    code, said, orders = ran("uninstall", tmp_path, "words\n", deployed_meanwhile=True)

    assert code == 0, said
    assert "rm --force --volumes c2 c3" in orders
