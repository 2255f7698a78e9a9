"""The processes of many pages: what each takes of memory and processor time, and that none stays behind."""

from __future__ import annotations

import json
import signal
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate

from tests.component.test_web import WAIT_S, Web, children, migrated, serving_apps, started, until_painted
from tests.support.results import keep_result

PAGES = 20
MOST_OWN_MB = 30
"""Measured are 25 MB with Python 3.11."""
LIMITS = {
    "PANEL_MAX_PAGES": "40",
    "PANEL_MAX_PAGES_OF_TOKEN": "40",
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
WORDS = ("shop", "till", "v1.0.0")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    database = migrated(tmp_path_factory.mktemp("panel"))
    with serving_apps() as api, started(api, database, "v1.2.3", **LIMITS) as web:
        web.until_readyz("ready")
        web.until_processes(1)
        yield web


def own_mb(process: int) -> float:
    """What would be free again if it ended."""
    lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private")) / 1024


def wakings(process: int) -> int:
    """How often its threads have begun to wait. One that does nothing at all does not begin again."""
    return sum(
        int(line.split()[1])
        for status in Path(f"/proc/{process}/task").glob("*/status")
        for line in status.read_text().splitlines()
        if line.startswith("voluntary_ctxt_switches")
    )


def test_a_page_takes_little_memory_of_its_own(web: Web) -> None:
    with ExitStack() as pages:
        for number in range(5):
            until_painted(pages.enter_context(web.session(f"s{number}")), *WORDS)
        web.until_processes(6)
        found = [own_mb(process) for process in web.processes]
    web.until_processes(1)

    assert statistics.median(found) < MOST_OWN_MB


def test_a_picture_is_compressed_on_its_way(web: Web) -> None:
    with web.session("compressed") as socket:
        until_painted(socket, *WORDS)

        assert any(isinstance(one, PerMessageDeflate) for one in socket.protocol.extensions)
    web.until_processes(1)


def test_a_page_that_nobody_looks_at_costs_nothing_and_shows_what_is_new_when_it_is_shown(web: Web) -> None:
    waiting = web.processes
    with web.session("hidden") as socket:
        until_painted(socket, *WORDS)
        web.until_processes(2)
        (its,) = waiting
        socket.send(json.dumps(["hidden"]))
        quiet = _until_quiet(its)
        socket.send(json.dumps(["shown"]))
        until_painted(socket, *WORDS)
    web.until_processes(1)

    assert quiet


def _until_quiet(process: int) -> bool:
    """Whether it does nothing at all for two seconds, at last."""
    for _ in range(10):
        before = wakings(process)
        time.sleep(2)
        if wakings(process) == before:
            return True
    return False


@pytest.mark.timeout(3600)
def test_as_many_processes_run_after_many_pages_as_before(web: Web, soak: bool, rounds: int) -> None:
    rounds, at_once = (rounds or 50, 30) if soak else (2, 10)
    began = time.monotonic()
    for number in range(rounds):
        with ExitStack() as pages:
            for page in range(PAGES if soak else 5):
                pages.enter_context(web.session(f"round{number}-{page}"))
        web.until_processes(1)
    with ExitStack() as pages, ThreadPoolExecutor(at_once) as opening:
        sockets = [pages.enter_context(web.session(f"once{page}")) for page in range(at_once)]
        painted = list(opening.map(lambda socket: until_painted(socket, *WORDS), sockets))
        web.until_processes(at_once + 1)
        most = max(own_mb(process) for process in web.processes)
    web.until_processes(1)
    if soak:
        keep_result("pages", rounds=rounds, at_once=at_once, own_mb=round(most, 1), s=round(time.monotonic() - began))

    assert len(painted) == at_once
    assert most < MOST_OWN_MB


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_panel(tmp_path: Path, how: signal.Signals) -> None:
    with serving_apps() as api, started(api, migrated(tmp_path), "v1.2.3") as web:
        web.until_readyz("ready")
        with web.session("open") as socket:
            until_painted(socket, *WORDS)
            web.until_processes(2)
            templates = children(web.process.pid)
            everything = web.processes | templates
            web.process.send_signal(how)
            web.process.wait(WAIT_S)
            deadline = time.monotonic() + WAIT_S
            while any(Path(f"/proc/{one}").exists() for one in everything):
                assert time.monotonic() < deadline
                time.sleep(0.02)

    assert len(everything) == 3
