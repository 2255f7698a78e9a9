"""`make venv` makes an environment that works, whatever an earlier one left. Python is a program that notes orders."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PYTHON = """#!/bin/sh
echo "$*" >> "$ORDERS"
case "$*" in
    "-m venv .venv")
        mkdir -p .venv/bin
        cp "$0" .venv/bin/python
        echo "VIRTUAL_ENV='$(pwd)/.venv'" > .venv/bin/activate;;
    "-m pip --version") [ ! -e .venv/without-pip ];;
esac
"""


def make_venv(folder: Path, checkout: Path, *of: str) -> list[str]:
    """The orders to Python. `of`: `dev` for what tests and checks need, too."""
    orders = folder / "orders"
    orders.write_text("")
    environment = os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "ORDERS": str(orders)}
    ended = subprocess.run(
        ["bash", str(checkout / "tools" / "venv"), *of], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return orders.read_text().splitlines()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """With a finished environment."""
    made = tmp_path / "a check out"
    shutil.copytree(ROOT / "tools", made / "tools")
    (made / "requirements").mkdir()
    for name in ("build", "command", "dev"):
        (made / "requirements" / f"{name}.txt").write_text(f"{name}==1\n")
    (made / "pyproject.toml").write_text("")
    python = tmp_path / "python3.11"
    python.write_text(PYTHON)
    python.chmod(0o755)
    assert "-m venv .venv" in make_venv(tmp_path, made)
    return made


def test_one_that_works_is_left_as_it_is(tmp_path: Path, checkout: Path) -> None:
    assert not [order for order in make_venv(tmp_path, checkout) if order.startswith("-m")]


def test_changed_requirements_are_installed_into_it(tmp_path: Path, checkout: Path) -> None:
    (checkout / "requirements" / "command.txt").write_text("command==2\n")
    given = make_venv(tmp_path, checkout)
    assert "-m venv .venv" not in given
    assert any(order.startswith("-m pip install") for order in given)


def test_whoever_starts_it_gets_the_packages_of_the_command_and_whoever_works_on_it_those_of_the_tests(
    tmp_path: Path, checkout: Path
) -> None:
    """Type checkers, browsers and fuzzers took a newcomer with a slow machine a quarter of an hour."""
    shutil.rmtree(checkout / ".venv")
    (start,) = (order for order in make_venv(tmp_path, checkout) if "--require-hashes" in order)
    assert start.endswith("--requirement=requirements/build.txt --requirement=requirements/command.txt")
    (work,) = (order for order in make_venv(tmp_path, checkout, "dev") if "--require-hashes" in order)
    assert work.endswith("--requirement=requirements/dev.txt")
    for of in ((), ("dev",)):
        assert not [order for order in make_venv(tmp_path, checkout, *of) if "install" in order], (
            "it has what is wanted"
        )


def test_both_take_the_same_versions() -> None:
    def pins(name: str) -> set[str]:
        lines = (ROOT / "requirements" / f"{name}.txt").read_text().splitlines()
        return {line.split()[0] for line in lines if "==" in line and not line.lstrip().startswith("#")}

    assert pins("build") | pins("command") <= pins("dev")


@pytest.mark.parametrize("left", ["moved", "without pip", "without python"])
def test_one_that_does_not_work_is_made_again(tmp_path: Path, checkout: Path, left: str) -> None:
    """A checkout that was moved, a `make venv` that was interrupted, a Python that was replaced by a newer one."""
    if left == "moved":
        checkout = checkout.rename(tmp_path / "elsewhere")
    elif left == "without pip":
        (checkout / ".venv" / ".requirements").unlink()
        (checkout / ".venv" / "without-pip").touch()
    else:
        (checkout / ".venv" / "bin" / "python").unlink()
        (checkout / ".venv" / "bin" / "python").symlink_to(tmp_path / "gone")
    given = make_venv(tmp_path, checkout)
    assert "-m venv .venv" in given
    assert any(order.startswith("-m pip install") for order in given)
    assert not [order for order in make_venv(tmp_path, checkout) if order.startswith("-m")]
