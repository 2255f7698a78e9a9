"""A configuration full of canaries goes through a good and a failing deployment: none of them is written anywhere."""

from __future__ import annotations

import asyncio
import io
import logging
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import structlog
from fastapi import FastAPI

from border.secrets import Secrets
from orchestrator.access import tokens
from orchestrator.domain.access import Scope
from orchestrator.domain.changelog import Changelog
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.log_line import LogLine
from orchestrator.domain.release import Change
from orchestrator.engine.image_build import ImageBuild
from orchestrator.errors import StepFailed
from orchestrator.host import process_log
from orchestrator.server import Orchestrator
from orchestrator.settings import Settings
from tests.support.asgi import Request, api_of
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.proxy import FakeProxy
from tests.support.fakes.source import FakeSource
from tests.support.fakes.world import FakeProber

MARK = "canary"
IN_ENV, IN_FILE, IN_ARGS = "canary-in-env-1x", "canary in env file 2x", "canary-in-args-3x"
IN_SECRET, IN_REMOTE, IN_COMMAND = "canary-in-secret-4x", "canary/in@remote-5x", "canary-in-command-6x"
IN_QUERY, IN_JOURNAL, IN_KEY = "canary-in-query-7x", "canary-in-journal-8x", "canary-line-of-key-9x"
ALL = (IN_ENV, IN_FILE, IN_ARGS, IN_SECRET, IN_REMOTE, IN_COMMAND, IN_QUERY, IN_JOURNAL, IN_KEY)
CONFIG = f"""
apps:
  shop:
    update: {{git: {{remote: "https://shop:{quote(IN_REMOTE, safe="")}@git.test/shop.git?private_token={IN_QUERY}"}}}}
    build: {{args: {{NAME: {IN_ARGS}}}, secrets: {{npm: secrets/npm}}}}
    run: {{env: {{NAME: {IN_ENV}}}, env_file: secrets/shop.env, data: /data}}
    route: {{host: shop.test}}
    health: {{answers: 1, timeout: 0.05}}
    migrate: {{command: "up postgresql://shop:{IN_COMMAND}@db/shop", status: status, down: "down {{revision}}"}}
"""
SAYS = "\n".join(f"it is {one} and {quote(one, safe='')}" for one in ALL)


class TalkingEngine(FakeEngine):
    """Everything that runs on it prints every canary."""

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        for line in SAYS.splitlines():
            on_line(line)
        if "build" in self.failing:
            raise StepFailed(f"The build failed: {SAYS}", SAYS, log=tuple(SAYS.splitlines()), exit_code=1)
        return await super().build(image, on_line)

    async def logs(self, name: str, tail: int = 50) -> tuple[str, ...]:
        return tuple(SAYS.splitlines())

    def log_of(self, name: str) -> list[LogLine]:
        return [LogLine("", line) for line in SAYS.splitlines()]


class TalkingSource(FakeSource):
    async def changelog(self, since: str, until: str) -> Changelog:
        return Changelog((Change("abc", "feat", "shop", SAYS),), notes=(SAYS,))

    async def origin(self) -> str:
        return SAYS


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs; the logs are as before afterwards."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    handlers, level = logging.root.handlers[:], logging.root.level
    settings = structlog.get_config()
    yield io.StringIO()
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.configure(**settings)


class Bench:
    def __init__(self, folder: Path, empty_journal: Path, log: io.StringIO) -> None:
        known = Secrets()
        process_log.write_to(log, known)
        self.log = log
        (folder / "secrets").mkdir()
        (folder / "secrets" / "shop.env").write_text(f'DATABASE="{IN_FILE}"\n')
        (folder / "secrets" / "npm").write_text(f"{IN_SECRET}\n{IN_KEY}\n")
        settings = Settings(state=folder, config=folder / "control-panel-config.yaml", proxy=folder / "proxy")
        settings.panel_database_url = f"postgresql://panel:{IN_JOURNAL}@db/panel"
        settings.config.write_text(CONFIG)
        shutil.copy(empty_journal, folder / "journal.db")
        self.engine = TalkingEngine()
        self.orchestrator = Orchestrator(settings, self.engine, FakeProxy(self.engine), known)
        self.orchestrator.load()
        self.orchestrator.health.fresh_within_s = 0.0  # nothing probes
        self.orchestrator.ready = True
        self.orchestrator.scheduler.lane_of("shop").recovered.set()
        self.source = TalkingSource()
        contexts = self.orchestrator.apps._contexts
        contexts["shop"] = replace(contexts["shop"], source=self.source, prober=FakeProber(self.engine))
        self.api: FastAPI = api_of(self.orchestrator)
        self.secret = tokens.create(self.orchestrator.journal, "admin", Scope.ADMIN)

    async def deploy(self) -> Deployment:
        self.source.publish()
        asked = await self.ask("POST", "/v1/apps/shop/deployments")
        journal = self.orchestrator.journal
        for _ in range(3000):
            found = journal.deployment(asked.json()["id"])
            if found.ended_at:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError("it does not end")

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.api)
        headers = {"Authorization": f"Bearer {self.secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as client:
            return await client.request(method, path, json=body)

    async def stream(self, query: str) -> str:
        """What the event stream has until now: it has no end."""
        deployment = query.rpartition("=")[2] if query else ""
        last = self.orchestrator.journal.events(0, deployment, 10_000)[-1].id
        headers = {"authorization": f"Bearer {self.secret}"}
        text = ""
        async with Request(self.api, "GET", f"/v1/events?after=0{query}", headers) as stream:
            while f"id: {last}\n" not in text:
                text += await stream.chunk()
        return text

    def readable(self, deployment: str) -> list[str]:
        """Every route that can be read, but for the event stream: see `stream`."""
        paths = (path for path, methods in self.api.openapi()["paths"].items() if "get" in methods)
        return [
            path.format(app="shop", deployment_id=deployment, backup="none", name="x", check_id="0123456789abcdef")
            for path in paths
            if path != "/v1/events"
        ]

    def written(self) -> str:
        """The whole journal as text."""
        found: list[Any] = []
        with self.orchestrator.journal._engine.connect() as connection:
            tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
            for table in tables:
                found += connection.exec_driver_sql(f"SELECT * FROM {table}").all()
        return "\n".join(map(str, found))


def test_no_canary_is_written_logged_or_answered(tmp_path: Path, empty_journal: Path, log: io.StringIO) -> None:
    bench = Bench(tmp_path, empty_journal, log)

    async def story() -> tuple[list[Deployment], list[httpx.Response], dict[str, str]]:
        good = await bench.deploy()
        bench.engine.failing.add("build")
        failed = await bench.deploy()
        bench.engine.failing.remove("build")
        bench.engine.broken.add("v3")
        unready = await bench.deploy()
        bench.engine.failing.add("up")
        answers = [await bench.ask("GET", path) for one in (good, failed, unready) for path in bench.readable(one.id)]
        answers.append(await bench.ask("POST", "/v1/apps/shop/update/check"))
        answers.append(await bench.ask("POST", "/v1/config/validate", {"text": CONFIG.replace("{", "[")}))
        answers.append(await bench.ask("POST", "/v1/config/validate", {"text": CONFIG.replace("run:", "runs:")}))
        answers.append(await bench.ask("POST", "/v1/config/validate", {"txt": CONFIG}))
        structlog.get_logger().error("said", what=SAYS)
        logging.getLogger("another").warning("said %s", SAYS)
        try:
            raise RuntimeError(SAYS)
        except RuntimeError:
            structlog.get_logger().exception("failed")
            logging.getLogger("another").exception("failed")
            sys.excepthook(*sys.exc_info())
        streams = {
            path: await bench.stream(path) for path in ("", *(f"&deployment={one.id}" for one in (good, failed)))
        }
        await bench.orchestrator.scheduler.stop()
        return [good, failed, unready], answers, streams

    deployments, answers, streams = asyncio.run(story())

    assert [one.state for one in deployments] == [State.LIVE, State.FAILED, State.FAILED]
    said = {str(answer.url): answer.text for answer in answers} | {"journal": bench.written(), "log": log.getvalue()}
    said |= {f"event stream {path}": text for path, text in streams.items()}
    assert len(said) > 15
    assert "[hidden]" in said["journal"]
    assert all("[hidden]" in text and "event: line" in text for text in streams.values())
    assert "Traceback" in said["log"]
    found = {where: text[max(0, text.find(MARK) - 200) :][:300] for where, text in said.items() if MARK in text}
    assert found == {}
    # What a container gets is not touched.
    assert any(one.spec.env.get("NAME") == IN_ENV for one in bench.engine.running.values())


def test_a_traceback_has_no_values_of_local_variables(log: io.StringIO) -> None:
    process_log.write_to(log, Secrets())
    password = " ".join(["canary", "that nobody knows of"])  # so that no line of this file has it
    try:
        len(password) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")

    assert "ZeroDivisionError" in log.getvalue()
    assert password not in log.getvalue()


def test_an_entry_of_the_log_is_one_line_without_control_characters(log: io.StringIO) -> None:
    process_log.write_to(log, Secrets())

    structlog.get_logger().info("said", what="a\n2026-01-01 [error] forged\x1b[2J\x9b6n")

    assert log.getvalue().count("\n") == 1
    assert "\x1b" not in log.getvalue()
