"""What befalls a machine while somebody works with it: kills, a full disk, jumps of a clock, broken configurations."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.postgres import Postgres
from tests.support.whole_machine import Machine

WHAT = (
    "nothing", "nothing", "nothing", "orchestrator", "proxy", "candidate", "active", "sidecar", "engine", "journal",
    "disk", "clock", "clock", "configuration", "configuration", "cancel", "cancel", "rename",
)  # fmt: skip
DISTURBS_NOTHING = ("nothing", "clock", "configuration", "rename")
"""Whatever is under way ends as if it had not been."""
SPARES_REQUESTS = (*DISTURBS_NOTHING, "cancel", "orchestrator", "candidate", "sidecar", "journal")
"""What may not fail a request."""
JOURNAL_AWAY_S = DISK_FULL_S = BROKEN_S = 1.0
FARTHEST_S = 40 * 24 * 3600
"""How far a clock jumps, ahead and back."""
BROKEN: dict[str, Callable[[bytes], bytes | None]] = {
    "not UTF-8": lambda text: b"\xff\xfe" + text,
    "empty": lambda text: b"",
    "half-written": lambda text: text[: len(text) // 2] + b"\n  x: [",
    "marks of a merge": lambda text: b"<<<<<<< HEAD\n" + text + b"=======\napps: {}\n>>>>>>> theirs\n",
    "a date as a key": lambda text: text + b"2026-01-01: x\n",
    "an alias to itself": lambda text: b"apps: &apps [*apps]\n",
    "an unknown key": lambda text: text + b"appps: {}\n",
    "missing": lambda text: None,
}
"""What an editor, a merge or a person leaves in the file; None: no file."""


@dataclass(frozen=True)
class Accident:
    """`how`: the seconds of a jump of the clock, the kind of a broken configuration; empty for others."""

    what: str
    after_s: float
    how: str = ""

    def __str__(self) -> str:
        return f"{' '.join(filter(None, (self.what, self.how)))} after {self.after_s} s"


def some_accident(dice: random.Random, what: str = "") -> Accident:
    what = what or dice.choice(WHAT)
    hows = {"clock": str(dice.randint(-FARTHEST_S, FARTHEST_S)), "configuration": dice.choice(sorted(BROKEN))}
    return Accident(what, round(dice.uniform(0, 2), 2), hows.get(what, ""))


class Accidents:
    """Lets them happen to one app on the machine. `server`: that of the journal, if it has one."""

    def __init__(self, machine: Machine, app: str, server: Postgres | None) -> None:
        self._machine, self._app, self._server = machine, app, server
        self._names = 0
        self.killed: Counter[str] = Counter()
        """How often each container of the app was killed."""

    @contextmanager
    def happening(self, accident: Accident) -> Iterator[None]:
        """It happens that long after the block has begun, or as soon as there is somebody for it to happen to."""
        before = self._machine.app(self._app)
        over = threading.Event()

        def strike() -> None:
            time.sleep(accident.after_s)
            while not self._strikes(accident, before) and not over.is_set():
                time.sleep(0.05)

        thread = threading.Thread(target=strike, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(timeout=60)

    @contextmanager
    def broken_configuration(self, how: str) -> Iterator[None]:
        file = self._machine.config
        good = file.read_bytes()
        broken = BROKEN[how](good)
        if broken is None:
            file.unlink()
        else:
            file.write_bytes(broken)
        try:
            yield
        finally:
            file.write_bytes(good)

    def rename(self, container: str) -> bool:
        """By hand, to a name that says nothing."""
        self._names += 1
        return self._machine.rename(container, f"{self._app}-by-hand-{self._names}")

    def _strikes(self, accident: Accident, before: Any) -> bool:
        machine = self._machine
        known = {slot["container"] for slot in (before["active"], before["standby"]) if slot}
        match accident.what:
            case "nothing":
                return True
            case "engine":
                machine.kill_engine()
                return True
            case "journal":
                if self._server:
                    self._server.stop(signal.SIGQUIT)
                    time.sleep(JOURNAL_AWAY_S)
                    self._server.start()
                return True
            case "disk":
                machine.fill_disk()
                time.sleep(DISK_FULL_S)
                machine.free_disk()
                return True
            case "clock":
                machine.set_clock(int(accident.how))
                return True
            case "configuration":
                with self.broken_configuration(accident.how):
                    time.sleep(BROKEN_S)
                return True
            case "cancel":
                return self._cancels()
            case "rename":
                return any([self.rename(one) for one in machine.containers(self._app, "app")])
            case "active":
                return self._kills(before["active"]["container"])
            case "candidate":
                # One that has become active meanwhile is a candidate no more.
                known.add(machine.app(self._app)["active"]["container"])
                return any([self._kills(one) for one in machine.containers(self._app, "app") - known])
            case "sidecar":
                return any([machine.kill_process_of(one) for one in machine.sidecars(self._app)])
            case _:
                return machine.kill_process_of(f"changeover-{accident.what}-1")

    def _kills(self, container: str) -> bool:
        is_killed = self._machine.kill_process_of(container)
        self.killed[container] += is_killed
        return is_killed

    def _cancels(self) -> bool:
        under_way = self._machine.app(self._app)["deployment"]
        if under_way is None:
            return False
        try:
            return self._machine.request("POST", f"/deployments/{under_way['id']}/cancel").is_success
        except httpx.TransportError:
            return False
