"""One-off commands and a followed log on a real engine: output, exit code, environment, and nothing that runs on."""

from __future__ import annotations

import os
import subprocess
import sys
import termios
import threading
from contextlib import suppress

from panel.cli.output import REFUSED
from tests.support.paths import ROOT
from tests.support.shop import Shop

SAYS = "import os, sys; print(os.environ['CHANGEOVER_APP'], sys.argv[1], os.environ['MORE']); sys.exit(5)"


COUNTS = "import sys; read = sys.stdin.read(); print(read.count(chr(10)), len(read))"


DUMPS = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 8000); print('a warning', file=sys.stderr)"


def sent(shop: Shop, content: str, place: str, *command: str) -> tuple[int, str]:
    """The exit code and the output of a command that is sent this as its input."""
    done = subprocess.run(
        [sys.executable, "-m", "panel.cli", place, "--stdin", "shop", "--", *command],
        cwd=ROOT, env=shop.stack.command_environment, input=content, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_run_and_exec_give_output_and_exit_code_of_a_command_in_the_live_release(shop: Shop) -> None:
    shop.deployed()
    container = shop.stack.app()["active"]["container"]
    for place in ("run", "exec"):
        done = shop.stack.command(place, "--env", "MORE=x=y", "shop", "--", "python", "-c", SAYS, "a b")

        assert (done.returncode, done.stdout) == (5, "shop a b x=y\n"), done.stderr
        # More than what is in a pipe, read to its end; and one that a command does not read at all.
        lines = "".join(f"line {number}\n" for number in range(20_000))
        assert sent(shop, lines, place, "python", "-c", COUNTS) == (0, f"20000 {len(lines)}\n")
        assert sent(shop, lines, place, "true") == (0, "")

        dump = subprocess.run(
            [sys.executable, "-m", "panel.cli", place, "shop", "--", "python", "-c", DUMPS],
            cwd=ROOT, env=shop.stack.command_environment, capture_output=True, timeout=120,
        )  # fmt: skip
        assert (dump.returncode, dump.stderr) == (0, b"a warning\n")
        assert dump.stdout == bytes(range(256)) * 8000

    late = shop.stack.command("exec", "--timeout", "0.5", "shop", "--", "sleep", "300")
    running = subprocess.run(["docker", "top", container], capture_output=True, text=True, check=True).stdout

    assert late.returncode == 137
    assert "sleep 300" not in running


ASKS = "import os; name = input('name? '); print(name[::-1], *os.get_terminal_size()); raise SystemExit(7)"


def test_a_command_that_asks_has_the_persons_terminal(shop: Shop) -> None:
    shop.deployed()
    for place in ("run", "exec"):
        here, there = os.openpty()
        termios.tcsetwinsize(there, (30, 100))
        at_terminal = [sys.executable, "-m", "panel.cli", place, "-t"]
        late = subprocess.run(
            [*at_terminal, "--timeout", "0.5", "shop", "--", "sleep", "300"],
            cwd=ROOT, env=shop.stack.command_environment, stdin=there, stdout=there, stderr=there, timeout=60,
        )  # fmt: skip
        assert late.returncode == 137
        with subprocess.Popen(
            [*at_terminal, "shop", "--", "python", "-c", ASKS],
            cwd=ROOT, env=shop.stack.command_environment, stdin=there, stdout=there, stderr=there,
        ) as command:  # fmt: skip
            os.close(there)
            screen = b""
            while not screen.endswith(b"name? "):
                screen += os.read(here, 1000)
            os.write(here, b"bax\x7fc\r")
            with suppress(OSError):  # the other side is closed
                while piece := os.read(here, 1000):
                    screen += piece
        os.close(here)
        assert command.returncode == 7, screen
        # What is typed is echoed by the terminal of the container, with the key that takes one back.
        assert screen.endswith(b"bax\b \bc\r\ncab 100 30\r\n"), screen


def test_a_command_that_is_under_way_has_ended_before_the_data_is_replaced(shop: Shop) -> None:
    shop.deployed()
    api = f"/apps/{shop.name}"
    backup = shop.stack.post(f"{api}/backups")["id"]
    for place in ("run", "exec"):
        with subprocess.Popen(
            [sys.executable, "-m", "panel.cli", place, "shop", "--", "sh", "-c", "echo begun; sleep 300"],
            cwd=ROOT, env=shop.stack.command_environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as command:  # fmt: skip
            assert command.stdout is not None
            assert command.stderr is not None
            assert command.stdout.readline() == "begun\n"
            ended = shop.stack.wait_ended(shop.stack.post(f"{api}/backups/{backup}/restore")["id"])
            told = command.stderr.read()

        assert ended["state"] == "live", ended["failure"]
        assert command.returncode == REFUSED, told
        assert f"changes in restore {ended['id']}" in " ".join(told.split())
        container = shop.stack.app()["active"]["container"]
        running = subprocess.run(["docker", "top", container], capture_output=True, text=True, check=True).stdout
        assert "sleep 300" not in running


def test_a_log_is_followed_while_it_is_written(shop: Shop) -> None:
    shop.deployed()
    command = [sys.executable, "-m", "panel.cli", "logs", "shop", "--follow", "--tail", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=shop.stack.command_environment, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        reader, said = following.stdout, threading.Event()

        def read() -> None:
            for line in reader:
                if line == "said\n":
                    said.set()

        threading.Thread(target=read, daemon=True).start()
        for _ in range(100):
            shop.stack.command("exec", "shop", "--", "sh", "-c", "echo said > /proc/1/fd/1")
            if said.wait(0.2):
                break
        following.terminate()

    assert said.is_set()
