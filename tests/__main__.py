"""`python -m tests`: by two workers where the machine has two cores; then those tests that put load on it.

Every unit and component test, and an eighth of the tests with whole stacks (tests/system), another one in each run;
`python -m tests all` runs all of these. `python -m tests --first 7` repeats the choices of run 7.
`python -m tests soak` runs in parts what takes long; `python -m tests soak --histories 40 --first 160` one part of the
random histories; `python -m tests soak tests/system/test_many_at_once.py` the tests of a file. The last line of the
output stands for the whole, and so does the exit code.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tests.support.paths import ROOT
from tests.support.results import keep_result

WORKERS = min(2, os.cpu_count() or 1)
SIDE_BY_SIDE = ("-n", str(WORKERS), "--dist", "loadgroup", "--no-loadscope-reorder")
HISTORIES, IN_A_PART = 200, 40
"""Forty take half an hour on two cores."""


@dataclass(frozen=True)
class Outcome:
    passed: int
    failed: int
    seconds: float

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.seconds + other.seconds)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def pytest(*arguments: str) -> Outcome:
    """One run, with its own closing line. A run that ends otherwise than by its tests' outcome counts as a failure."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "--durations=10", f"--junitxml={report}", *arguments]
        code = subprocess.run(command, cwd=ROOT).returncode
        suite = ElementTree.parse(report).getroot().find("testsuite") if report.exists() else None
    seconds = time.monotonic() - began
    if suite is None:
        return Outcome(0, 1, seconds)
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    passed = int(suite.get("tests", 0)) - failed - int(suite.get("skipped", 0))
    return Outcome(passed, max(failed, int(code != 0)), seconds)


def tests_in_turn(number: int) -> Outcome:
    print(f"run {number}: make test FIRST={number} repeats its choices, make test-all makes none", flush=True)
    return _tests("--in-turn", f"--first={number}")


def every_test() -> Outcome:
    return _tests("--thorough", f"--first={_some_number()}")


def _tests(*options: str) -> Outcome:
    side_by_side = pytest(*SIDE_BY_SIDE, "-m", "not alone", *options, "tests")
    return side_by_side + pytest("-m", "alone", *options, *_files_with_tests_that_run_alone())


def _files_with_tests_that_run_alone() -> list[str]:
    """Only these are collected again, when nothing else runs: that of all tests takes longer than most of them."""
    return sorted(str(file) for file in (ROOT / "tests").rglob("test_*.py") if "mark.alone" in file.read_text())


def _some_number() -> int:
    """Other histories, and another eighth, in each run; the number is part of the histories' names."""
    return secrets.randbelow(1_000_000)


def soak(part: list[str]) -> Outcome:
    system = "tests/system"
    points = [
        f"{system}/test_{name}.py" for name in ("interruptions", "schema_changes", "backups", "random_interrupts")
    ]
    points += ["tests/unit/deploy", "tests/component/test_random_interrupts.py"]
    load = [f"{system}/test_{name}.py" for name in ("traffic", "large_backup")]
    crashes = [f"{system}/test_{name}.py" for name in ("failover", "pauses", "engine_restart")]
    # With a short backlog most bursts last as long as their clients wait: half an hour for each number of threads.
    bursts = [["tests/component/test_bursts.py", "-k", which] for which in ("5-1-", "5-4-", "not 5-1- and not 5-4-")]
    histories = [
        ["--histories", str(IN_A_PART), "--first", str(first), f"{system}/test_histories.py"]
        for first in range(0, HISTORIES, IN_A_PART)
    ]
    many = [f"{system}/test_{name}.py" for name in ("many_at_once", "installation")]
    pages = ["tests/component/test_page_processes.py"]
    each = [points, ["--large-mb", "1024", *load], crashes, *bursts, many, pages, *histories]
    is_named = any(one.startswith("tests/") for one in part)
    parts = [part if is_named else [*part, f"{system}/test_histories.py"]] if part else each
    whole = Outcome(0, 0, 0)
    for one in parts:
        outcome = pytest("-s", "--soak", *one)
        print(f"{' '.join(one)}: {outcome}", flush=True)
        keep_result("soak", part=one, passed=outcome.passed, failed=outcome.failed, seconds=round(outcome.seconds))
        whole += outcome
    return whole


def main(arguments: list[str]) -> int:
    match arguments:
        case ["soak", *part]:
            outcome = soak(part)
        case ["all"]:
            outcome = every_test()
        case ["--first", number]:
            outcome = tests_in_turn(int(number))
        case []:
            outcome = tests_in_turn(_some_number())
        case _:
            sys.exit(f"{__doc__}\nThis is none of these: {' '.join(arguments)}")
    print(f"took {outcome.seconds:.0f} s")
    print(outcome)
    return 1 if outcome.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
