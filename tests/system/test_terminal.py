"""The panel in a person's terminal, driven through tmux."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.support.paths import ROOT
from tests.support.shop import Shop
from tests.support.stack import Stack

COLUMNS, ROWS = 130, 45


class Tmux:
    def __init__(self, stack: Stack) -> None:
        # Of its own for each: the server of the one before may still be ending.
        self.socket = f"changeover-{stack.name}-{secrets.token_hex(2)}"
        environment = {"CHANGEOVER_URL": f"http://127.0.0.1:{stack.api_port}", "CHANGEOVER_TOKEN": stack.token}
        settings = [word for name, value in environment.items() for word in ("-e", f"{name}={value}")]
        size = ["-x", str(COLUMNS), "-y", str(ROWS)]
        command = [sys.executable, "-m", "panel.cli", "panel"]
        self._run("new-session", "-d", *size, *settings, "-c", str(ROOT), *command)

    def press(self, key: str) -> None:
        self._run("send-keys", key)

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def wait_for(self, words: str, seconds: float = 90) -> str:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if words in (shown := self.screen()):
                return shown
            time.sleep(0.1)
        raise AssertionError(f"{words!r} was not shown within {seconds} s, but:\n{self.screen()}")

    def end(self) -> None:
        subprocess.run(["tmux", "-L", self.socket, "kill-server"], capture_output=True)

    def _run(self, *arguments: str) -> str:
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "COLUMNS", "LINES")}
        return subprocess.run(
            ["tmux", "-L", self.socket, *arguments], check=True, capture_output=True, text=True, env=environment
        ).stdout


@pytest.fixture
def tmux(shop: Shop) -> Iterator[Tmux]:
    shop.deployed()
    terminal = Tmux(shop.stack)
    yield terminal
    terminal.end()


def test_u_in_the_terminal_updates_an_app_and_shows_its_steps_and_changelog(shop: Shop, tmux: Tmux) -> None:
    before = shop.stack.app()["active"]["version"]
    tmux.wait_for(before)
    shop.repository.change("From the terminal")

    tmux.press("Down")
    tmux.press("u")
    tmux.wait_for("Proceed with update?")
    tmux.press("Enter")
    shown = tmux.wait_for("Successfully updated")

    after = shop.stack.app()["active"]["version"]
    assert after != before
    assert after in shown
    assert "greet with From the terminal" in shown
    assert "Step 9/9" in shown
    tmux.press("Enter")
    tmux.wait_for("live on")
    tmux.press("b")
    tmux.wait_for("Roll shop back? [y/N]")
    tmux.press("y")
    tmux.wait_for("Rolled back")
    assert shop.stack.app()["active"]["version"] == before


def test_an_update_that_fails_shows_why_in_the_terminal(shop: Shop, tmux: Tmux) -> None:
    tmux.wait_for(shop.stack.app()["active"]["version"])
    shop.repository.replace("shop.py", "app = FastAPI(", 'raise SystemExit("closed today")\napp = FastAPI(')
    shop.repository.commit("feat: close the shop")

    tmux.press("Down")
    tmux.press("u")
    tmux.wait_for("Proceed with update?")
    tmux.press("y")
    tmux.wait_for("UPDATE FAILED")
    tmux.wait_for("exited with code 1")

    assert "closed today" in tmux.wait_for("serves: it has")
