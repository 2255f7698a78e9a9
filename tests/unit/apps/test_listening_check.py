"""An app whose port refuses connections is asked where it listens, and not only given up at its deadline."""

from __future__ import annotations

from pathlib import Path

from orchestrator.apps.listening_check import FIRST_LOOK_S, SURE_AFTER_S
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from tests.support import virtual_time
from tests.support.fakes import stories
from tests.support.fakes.world import World

LOOPBACK_3000 = "   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1"
FOUND = "it listens on 127.0.0.1:3000; it must listen on 0.0.0.0:8000"
SIX = "   0: 00000000000000000000000000000000:1F40 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 1 1"
NOTHING = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"


def deployed(folder: Path, timeout_s: float, *tables: str) -> Deployment:
    return timed(folder, timeout_s, *tables)[0]


def timed(folder: Path, timeout_s: float, *tables: str) -> tuple[Deployment, float]:
    """The deployment, and how long it took on the clock of its loop, in seconds."""
    app = stories.app()
    world = World(folder, app.model_copy(update={"health": app.health.model_copy(update={"timeout": timeout_s})}))
    world.engine.network_tables = list(tables)
    world.publish("0001")

    async def story() -> tuple[Deployment, float]:
        began = elapsed()
        return await world.deploy(), elapsed() - began

    return virtual_time.run(story())


def test_where_it_listens_is_the_reason_long_before_the_deadline(tmp_path: Path) -> None:
    ended, took = timed(tmp_path, 600, NOTHING, LOOPBACK_3000)

    assert ended.failure is not None
    assert (
        ended.failure.cause == "shop cannot be reached: it listens on 127.0.0.1:3000; it must listen on 0.0.0.0:8000."
    )
    assert "run.port" in ended.failure.tip
    assert took < 2 * (FIRST_LOOK_S + SURE_AFTER_S)


def test_an_app_that_listens_on_ipv6_only_is_told_so_and_not_to_take_more_time(tmp_path: Path) -> None:
    ended = deployed(tmp_path, 600, SIX)

    assert ended.failure is not None
    assert "it listens on [::]:8000, for IPv6 only" in ended.failure.cause
    assert "instead of ::" in ended.failure.tip


def test_where_it_listens_is_the_reason_when_its_time_is_short(tmp_path: Path) -> None:
    ended = deployed(tmp_path, 0.2, NOTHING, LOOPBACK_3000)

    assert ended.failure is not None
    assert ended.failure.cause == f"shop cannot be reached: {FOUND}."


def test_an_app_that_listens_nowhere_yet_has_its_whole_time(tmp_path: Path) -> None:
    ended = deployed(tmp_path, 60, NOTHING)

    assert ended.failure is not None
    assert "was not ready within 60 s (health.timeout)" in ended.failure.cause
    assert "nothing listens on a TCP port in its container" in ended.failure.cause
    assert "Let the app listen on 0.0.0.0:8000; a Unix socket cannot be reached." in ended.failure.tip
    assert "Raise health.timeout of shop if it needs longer." in ended.failure.tip
