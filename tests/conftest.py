"""What all tests share: the options of the command line, who runs beside whom, and a database server."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import Postgres, running
from tests.support.turns import Takes, Turns, of_other_runs

# No test is about how fast this machine is.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As whatever a shell runs in the background. Processes that the tests start would ignore Ctrl-C as well.
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = ("test_schema_changes", "machine", "test_installation", "test_migrations", "test_interruptions")
"""What takes longest is begun first, so that no worker is left alone with it at the end."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--soak", action="store_true", help="everything: all kill points, all rounds, promises of speed")
    parser.addoption("--in-turn", action="store_true", help="one in eight system tests, chosen by --first")
    parser.addoption("--thorough", action="store_true", help="unit tests: every kill point, not a part of them")
    parser.addoption("--histories", type=int, default=1, help="how many random histories to go through")
    parser.addoption("--first", type=int, default=0, help="the first one's number, which its choices come from")
    parser.addoption("--rounds", type=int, default=0, help="how many kills, pauses or interrupts; 0: as many as usual")
    parser.addoption("--large-mb", type=int, default=50, help="how much data the large backup has")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--soak"):
        _leave_out(config, items, {item for item in items if item.get_closest_marker("soak") or _on_another(item)})
    if config.getoption("--in-turn"):
        _leave_out(config, items, _of_other_turns(items, config.getoption("--first")))
    for item in items:
        if _is(item, "alone") and _is_unit(item):
            raise pytest.UsageError(f"{item.nodeid} is marked alone, and make test runs no unit test alone.")
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(_group(item)))
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """The thousands of tests themselves need not be looked through by each garbage collection: a seventh of the time of
    those that make many objects, such as the panel's screens."""
    gc.collect()
    gc.freeze()


def _leave_out(config: pytest.Config, items: list[pytest.Item], left_out: set[pytest.Item]) -> None:
    config.hook.pytest_deselected(items=[item for item in items if item in left_out])
    items[:] = [item for item in items if item not in left_out]


def _of_other_turns(items: list[pytest.Item], first: int) -> set[pytest.Item]:
    """What this run leaves to others."""
    taking = {
        item: Takes(_file(item), item.nodeid, alone=_is(item, "alone"), whole=_is(item, "whole_in_turn"))
        for item in items
        if item.nodeid.startswith("tests/system/") or _is(item, "in_turn")
    }
    others = of_other_runs(taking.values(), first)
    return {item for item, takes in taking.items() if takes.test in others}


def _is(item: pytest.Item, marker: str) -> bool:
    return item.get_closest_marker(marker) is not None


def _file(item: pytest.Item) -> str:
    return item.nodeid.split("::")[0]


def _on_another(item: pytest.Item) -> bool:
    """Whether the test is of a database on which it runs with `make soak` only."""
    return _database(item) in _soaked(item)


def _database(item: pytest.Item) -> str | None:
    """The one that the test runs on, where it runs on each of several."""
    parameters = getattr(item, "callspec", None)
    return parameters.params.get("database") if parameters else None


def _soaked(item: pytest.Item) -> set[str]:
    return {str(database) for marker in item.iter_markers("soak_on") for database in marker.args}


def _group(item: pytest.Item) -> str:
    """Tests of a group run one after another on one worker: those of a module on one database share a stack.

    Unit tests share nothing: each is a group of its own.
    """
    if _is_unit(item):
        return item.nodeid
    module = _file(item).rsplit("/", 1)[-1].removesuffix(".py")
    database = _database(item)
    return f"{module}-{database}" if database else module


def _is_unit(item: pytest.Item) -> bool:
    return item.nodeid.startswith("tests/unit/")


def _turn(item: pytest.Item) -> int:
    marker = item.get_closest_marker("xdist_group")
    assert marker is not None
    group = str(marker.args[0])
    return next((turn for turn, name in enumerate(LONGEST) if group.startswith(name)), len(LONGEST))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests; each makes a database of its own in it."""
    with running() as server:
        yield server


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def turns(request: pytest.FixtureRequest) -> Turns:
    """Which points of a long row this run tries."""
    return Turns(request.config, request.node.nodeid)


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many kills or pauses were asked for; 0: as many as usual."""
    return int(request.config.getoption("--rounds"))
