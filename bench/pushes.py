"""A push of one changed file over git's http-backend, from `git push` to live, against the same work with docker alone.

As a forge does: the repository takes the push, then announces it, and the answer comes at once.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx

from bench import update
from orchestrator.domain.push_check import Forge
from tests.support.forges import SECRET, delivery, git_push
from tests.support.git_server import GitServer
from tests.support.images import build_image
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import MIGRATE_BOTH_WAYS, Stack, shop_config
from tests.support.user import NO_TLS

ROUNDS = 9
LIVE_WITHIN_S = 120
SETTLED_S = 2.0
"""Before each of both ways, in seconds: by then Docker has cleaned up after the other one."""


@dataclass
class Pushed:
    """Seconds of each round. `by_hand` is the floor, `git` is `git push` alone, `answers` those of the hook."""

    by_hand: update.Update = field(default_factory=update.Update)
    git: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)
    live: list[float] = field(default_factory=list)
    """From the announcement to the moment that the record has as live, which is that of the switch: whoever asks for it
    again and again takes the processor time of what is measured."""

    @property
    def ratio(self) -> float:
        return statistics.median(live / floor for live, floor in zip(self.live, self._floors, strict=True))

    @property
    def beyond_s(self) -> float:
        """Of the same round: how fast the machine is changes from one to the next."""
        return statistics.median(live - floor for live, floor in zip(self.live, self._floors, strict=True))

    @property
    def beyond_with_backup_s(self) -> float:
        """As `beyond_s`, of the same work with a backup of the data, which each deployment of this app makes."""
        hand = self.by_hand
        rounds = zip(self.live, hand.build, hand.with_backup, hand.start, strict=True)
        return statistics.median(live - build - backup - start for live, build, backup, start in rounds)

    @property
    def _floors(self) -> list[float]:
        hand = self.by_hand
        return [sum(parts) for parts in zip(hand.build, hand.sidecar, hand.start, strict=True)]

    def __str__(self) -> str:
        git, live = statistics.median(self.git), statistics.median(self.live)
        answer, slowest = (1000 * seconds for seconds in (statistics.median(self.answers), max(self.answers)))
        each = ", ".join(f"{live - floor:+.2f}" for live, floor in zip(self.live, self._floors, strict=True))
        floor = statistics.median(self._floors)
        return (
            f"push of one changed file, medians of {ROUNDS} rounds: git push {git:.2f} s, answer of the hook "
            f"{answer:.1f} ms (slowest {slowest:.1f}), from it to live {live:.2f} s; floor {floor:.2f} s, "
            f"times {self.ratio:.2f}, {self.beyond_s:+.2f} s;\n  floor with a backup beside its sidecar "
            f"{self.by_hand.floor_with_backup:.2f} s, {self.beyond_with_backup_s:+.2f} s;\n"
            f"  beyond the floor, each round: {each}"
        )


def measure(folder: Path) -> Pushed:
    """Starts a stack and a server of its own in `folder`."""
    repository = Repository(folder / "repository", ROOT / "examples" / "shop")
    served = folder / "served"
    bare = served / "shop.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", str(repository.path), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "config", "http.receivepack", "true"], check=True)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "shop-hook").write_text(SECRET)
    with GitServer(served, token="") as server:
        url = f"{server.url}/shop.git"
        repository.git("remote", "add", "origin", url)
        config = shop_config(
            repository.path, drain_s=1, migrate=MIGRATE_BOTH_WAYS, extra="    push: {secret_file: secrets/shop-hook}"
        ).replace(json.dumps(str(repository.path)), json.dumps(url))
        with Stack(folder, config) as stack:
            assert stack.deploy()["state"] == "live"
            return _rounds(stack, repository)


def _rounds(stack: Stack, repository: Repository) -> Pushed:
    """The two ways turn about, so that whatever else the machine does meets both."""
    found = Pushed()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            time.sleep(SETTLED_S)
            update.by_hand(Path(folder), repository, number, found.by_hand)
            time.sleep(SETTLED_S)
            commit = repository.change(f"Push {number}")
            began = time.monotonic()
            repository.git("push", "--quiet", "origin", "main")
            pushed = time.monotonic()
            sent = delivery(Forge.GITHUB, git_push(after=commit))
            # Making a client takes as long as the answer. Each is connected anew, as forges are.
            with httpx.Client(verify=NO_TLS, timeout=30) as client:
                announced, moment = time.monotonic(), datetime.now(UTC)
                answer = sent.post(stack.url(""), client=client)
                answered = time.monotonic()
            assert answer.status_code == 202, answer.text
            found.live.append((_live_at(stack, commit) - moment).total_seconds())
            found.git.append(pushed - began)
            found.answers.append(answered - announced)
            stack.wait_idle()
    update.clean_up()
    return found


def _live_at(stack: Stack, commit: str) -> datetime:
    """When this commit was live. Asked for seldom."""
    deadline = time.monotonic() + LIVE_WITHIN_S
    while time.monotonic() < deadline:
        time.sleep(1)
        newest = stack.get(f"/apps/{stack.app_name}/deployments?limit=1")["deployments"][0]
        if newest["revision"] == commit and newest["live_at"]:
            return datetime.fromisoformat(newest["live_at"])
    raise AssertionError(f"not live within {LIVE_WITHIN_S} s: {commit}\n{stack.what_was_logged()}")


def main() -> int:
    """`python -m bench.pushes`: this figure alone."""
    for target in ("proxy", "orchestrator"):
        build_image(target)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(Path(folder))
    print(measured)
    return 0 if measured.beyond_s <= 0.5 else 1


if __name__ == "__main__":
    sys.exit(main())
