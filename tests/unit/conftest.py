"""What unit tests share: a journal that is made once and copied, since making one takes longer than most tests."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from orchestrator.config.app_schema import App
from orchestrator.journal.store import Journal
from orchestrator.server import Orchestrator
from orchestrator.settings import Settings
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.journal import UnreliableJournal
from tests.support.fakes.proxy import FakeProxy
from tests.support.fakes.world import World

SHOP = "apps:\n  shop:\n    update: {git: {remote: /srv/shop}}\n    route: {host: shop.test}\n"


@pytest.fixture(scope="session", autouse=True)
def plain_log() -> None:
    """structlog's own log draws tracebacks with source and local variables, which takes longer than most tests."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(),
        ]
    )


@pytest.fixture(scope="session")
def empty_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("journal") / "journal.db"
    Journal(f"sqlite:///{file}")
    return file


@pytest.fixture
def journal(empty_journal: Path, tmp_path: Path) -> UnreliableJournal:
    """Empty, and of this test alone."""
    shutil.copy(empty_journal, tmp_path / "journal.db")
    return UnreliableJournal(f"sqlite:///{tmp_path / 'journal.db'}")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """An app with data and migrations that go both ways; nothing is published yet."""
    config = {
        "route": {"host": "shop.test"},
        "run": {"data": "/data"},
        "migrate": {"command": "up", "status": "status", "down": "down {revision}"},
        "health": {"answers": 1, "timeout": 0.05},
        "drain": {"timeout": 5},
        "update": {"rollback": {"max_rollback_attempts": 1}},
    }
    return World(tmp_path, App.model_validate(config))


@pytest_asyncio.fixture
async def orchestrator(tmp_path: Path, empty_journal: Path) -> AsyncIterator[Orchestrator]:
    """Loaded with one app beside the panel, on fakes.

    What it has begun is ended before the loop is closed: that cancels also what must not be cancelled, and asyncio then
    waits for ever for the end of a process that is just being started (BaseSubprocessTransport._wait, to Python 3.13).
    """
    (tmp_path / "journal.db").write_bytes(empty_journal.read_bytes())
    settings = Settings(state=tmp_path, config=tmp_path / "control-panel-config.yaml", proxy=tmp_path / "proxy")
    settings.config.write_text(SHOP)
    engine = FakeEngine()
    found = Orchestrator(settings, engine=engine, proxy=FakeProxy(engine))
    found.load()
    found.health.fresh_within_s = 0.0  # nothing probes
    yield found
    await found.supervisor.stop()
