"""How long a deployment takes with 100 apps configured and live, of the time that it takes with one.

Two ways, in one run. In turn: a stack with one app and a stack with 100 deploy one after the other, so that whatever
else the machine does meets both; both have all the containers on their engine. One after the other: one stack with one
app, on an engine that has no other containers of these stacks, and the same stack after it got 99 more.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from bench.rest import ticks
from bench.status import configuration, make_live, small_app
from tests.support.images import build_image
from tests.support.repository import Repository
from tests.support.stack import Stack

ROUNDS = 15
MANY = 100
APP = "app0"


@dataclass
class Took:
    """Seconds from the request to live, and to the end of the retirement, of each round.

    `used`: what the orchestrator used of a processor meanwhile; other work on the machine does not change it.
    """

    live: list[float] = field(default_factory=list)
    ended: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)

    def __str__(self) -> str:
        steps = ", ".join(f"{name} {1000 * statistics.median(each):.0f}" for name, each in self.steps.items())
        live, ended = statistics.median(self.live), statistics.median(self.ended)
        used = statistics.median(self.used)
        return f"live after {live:.3f} s, retired after {ended:.3f} s, {used:.2f} s of a processor ({steps} ms)"


@dataclass(frozen=True)
class Measured:
    alone: Took
    one: Took
    many: Took

    @property
    def in_turn(self) -> float:
        return statistics.median(self.many.live) / statistics.median(self.one.live)

    @property
    def one_after_the_other(self) -> float:
        return statistics.median(self.many.live) / statistics.median(self.alone.live)

    def __str__(self) -> str:
        return (
            f"deployments, medians of {ROUNDS} rounds:\n  one app, alone on the engine: {self.alone}\n"
            f"  one app, in turn with {MANY}: {self.one}\n  {MANY} apps: {self.many}"
        )


def measure() -> Measured:
    alone, one, many = Took(), Took(), Took()
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / name for name in ("many", "one")]
        for folder in folders:
            folder.mkdir()
        first, second = (small_app(folder) for folder in folders)
        with Stack(folders[0], configuration(first.path, 1)) as large:
            make_live(large, first.path, 1)
            for number in range(-1, ROUNDS):
                _deploy(large, first, alone, number)
            make_live(large, first.path, MANY)
            with Stack(folders[1], configuration(second.path, 1)) as small:
                make_live(small, second.path, 1)
                turns = [(small, second, one), (large, first, many)]
                for number in range(-1, ROUNDS):
                    for turn in turns:
                        _deploy(*turn, number)
                    turns.reverse()
    return Measured(alone, one, many)


def _deploy(stack: Stack, repository: Repository, took: Took, number: int) -> None:
    """One round; that with a negative number is not counted: what is asked for the first time takes longer."""
    text = (repository.path / "app.py").read_text().partition("# round")[0]
    repository.write("app.py", f"{text}# round {number}, {len(took.live)}, {id(took)}\n")
    repository.commit(f"feat: round {number}")
    assert stack.process is not None
    process = Path(f"/proc/{stack.process.pid}")
    before = ticks(process)
    ended = stack.wait_ended(stack.post(f"/apps/{APP}/deployments")["id"])
    used = (ticks(process) - before) / os.sysconf("SC_CLK_TCK")
    assert ended["state"] == "live", ended["failure"]
    if number < 0:
        return
    asked, live, end = (datetime.fromisoformat(ended[key]) for key in ("requested_at", "live_at", "ended_at"))
    took.used.append(used)
    took.live.append((live - asked).total_seconds())
    took.ended.append((end - asked).total_seconds())
    for step in ended["steps"]:
        took.steps.setdefault(step["name"], []).append(step["seconds"])


if __name__ == "__main__":
    for target in ("proxy", "orchestrator"):
        build_image(target)
    print(found := measure())
    print(f"in turn {found.in_turn:.3f}, one after the other {found.one_after_the_other:.3f}")
