"""Logs on a real engine: of what runs, of what is removed, merged, searched, and followed over a switch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import Stack

SAYS = "\nprint('INFO: this is {}', flush=True)\nprint('ERROR: trouble of {}', flush=True)\n"


def says(repository: Repository, name: str) -> None:
    """A release of the shop that prints its name when it starts."""
    shop = repository.path / "shop.py"
    repository.write("shop.py", shop.read_text().partition("\nprint('INFO")[0] + SAYS.format(name, name))
    repository.commit(f"feat: {name}")


def test_what_a_removed_container_printed_is_still_there_when_later_releases_have_taken_its_place(
    stack: Stack, repository: Repository
) -> None:
    containers = []
    for name in ("first", "second", "third"):
        says(repository, name)
        stack.deploy()
        containers.append(stack.app()["active"]["container"])
    first, second, third = containers

    assert first not in {one.name for one in stack.containers()}
    listed = stack.get("/apps/shop/logs/containers")["logs"]
    places = {one["container"]: (one["place"], bool(one["removed_at"])) for one in listed if one["place"] != "steps"}
    assert places == {third: ("active", False), second: ("standby", False), first: ("earlier", True)}

    def logs(*options: str) -> list[str]:
        done = stack.command("logs", "shop", *options)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    assert "INFO: this is first" in logs("--container", first)
    assert "INFO: this is second" in logs("--previous")
    merged = [one for one in logs("--container", "all", "--level", "error") if "trouble" in one]
    assert merged == [f"{container} | ERROR: trouble of {name}" for container, name in zip(
        containers, ("first", "second", "third"), strict=True)]  # fmt: skip
    assert logs("--container", "all", "--search", "THIS IS F.RST$", "--regex") == ["INFO: this is first"]
    kept = [file for file in Path(stack.state / "logs").rglob("*") if file.is_file()]
    assert [file.stat().st_mode & 0o777 for file in kept] == [0o600]

    options = ["--container", "all", "--follow", "--tail", "1", "--json"]
    follows = [sys.executable, "-m", "panel.cli", "logs", "shop", *options]
    with subprocess.Popen(
        follows, cwd=ROOT, env=stack.command_environment, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        following.stdout.readline()  # from now on it follows
        says(repository, "fourth")
        stack.deploy_to_live()
        for told in map(json.loads, following.stdout):
            if told.get("line") == "INFO: this is fourth":
                break
        following.terminate()

    assert told["container"] == stack.app()["active"]["container"]
    assert told["level"] == "info"
