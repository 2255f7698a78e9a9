"""`make bench`: every figure with its floor, its goal and whether it was met. Exit code 1 when one was not."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import checks, deployments, proxy, pushes, rest, rollback, status, update
from tests.support.images import build_image
from tests.support.paths import ROOT
from tests.support.repository import Repository
from tests.support.stack import MIGRATE_BOTH_WAYS, Stack, shop_config


@dataclass(frozen=True)
class Figure:
    what: str
    value: float
    unit: str
    goal: float
    at_least: bool = False
    """The goal is the least that is good, not the most."""

    @property
    def met(self) -> bool:
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def __str__(self) -> str:
        goal = f"at {'least' if self.at_least else 'most'} {self.goal:g}"
        return f"{'✓' if self.met else '✗'} {self.what:<64} {self.value:8.2f} {self.unit:<4} goal {goal}"


def proxy_figures(measured: proxy.Measured) -> list[Figure]:
    return [
        Figure(f"requests/s with {proxy.MANY} apps, of those with one app", measured.many_of_one, "×", 0.97, True),
        Figure(f"requests/s with {proxy.MANY} apps, of a bare HAProxy's", measured.many_of_bare, "×", 0.88, True),
        Figure(f"switch with {proxy.MANY} apps, times that with one", measured.switch_ratio, "×", 2),
    ]


def status_figures(measured: status.Measured) -> list[Figure]:
    few, many = status.COUNTS[1:]
    return [
        Figure(f"status of {many} apps, the median", measured.seconds[many] * 1000, "ms", 50),
        Figure(
            f"status per app with {many}, times that with {few}", measured.per_app(many) / measured.per_app(few), "×", 1
        ),
    ]


def deployment_figures(measured: deployments.Measured) -> list[Figure]:
    what = f"deployment with {deployments.MANY} apps, times that with one"
    return [
        Figure(f"{what}, in turn", measured.in_turn, "×", 1.1),
        Figure(f"{what}, one after the other", measured.one_after_the_other, "×", 1.1),
    ]


def check_figures(measured: checks.Measured) -> list[Figure]:
    what = f"checks of {checks.MANY} apps every {checks.INTERVAL_S} s"
    return [
        Figure(f"{what}: fetches at a time of one host", measured.most, "", 1),
        Figure(f"{what}: processor", measured.many.core_percent, "%", 2),
        Figure(f"{what}: memory beyond that of one app", measured.more_mb, "MB", 10),
    ]


def main() -> int:
    for target in ("proxy", "orchestrator"):
        build_image(target)
    routed = proxy.measure()
    print(routed)
    asked = status.measure()
    print(asked)
    deployed = deployments.measure()
    print(deployed)
    figures = [*proxy_figures(routed), *status_figures(asked), *deployment_figures(deployed)]
    with tempfile.TemporaryDirectory() as folder:
        repository = Repository(Path(folder) / "repository", ROOT / "examples" / "shop")
        with Stack(Path(folder), shop_config(repository.path, drain_s=1, migrate=MIGRATE_BOTH_WAYS)) as stack:
            measured = update.measure(stack, repository)
            print(measured)
            figures.append(Figure("update: from request to live, times the floor", measured.ratio, "×", 1.5))
            back = rollback.measure(stack)
            figures.append(Figure("rollback: API call to last new request on the old colour", back * 1000, "ms", 50))
            idle = rest.measure(stack)
            figures.append(Figure("orchestrator at rest: memory", idle.memory_mb, "MB", 90))
            figures.append(Figure("orchestrator at rest: processor", idle.core_percent, "%", 0.5))
    checked = checks.measure()
    print(checked)
    figures.extend(check_figures(checked))
    with tempfile.TemporaryDirectory() as folder:
        pushed = pushes.measure(Path(folder))
        print(pushed)
        figures.append(Figure("push over HTTP: from the hook to live, beyond the floor", pushed.beyond_s, "s", 0.5))
        figures.append(Figure("push: the slowest answer of the hook", 1000 * max(pushed.answers), "ms", 20))
    print("\n".join(map(str, figures)))
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
