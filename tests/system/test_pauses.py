"""A standby that writes all the time is paused at random, beside an active release that writes all the time.

Both run on one database, as a container each, without a proxy. The pausing is the real one: its sidecar, on the engine.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.config.app_schema import App
from orchestrator.deploy.park import park
from orchestrator.deploy.routes import routes_of
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.engine.docker.engine import DockerEngine
from tests.support.addresses import create_network
from tests.support.fakes.world import APP, World
from tests.support.images import image
from tests.support.postgres import Postgres, gateway
from tests.support.results import keep_result

SLOWEST_S = 1.0
PAUSED_S = SLOWEST_S + 0.2
"""How long the standby stays paused: a lock that it held would delay a write for as long."""
WRITER = """
import os, random, sys, time
url = os.environ.get("DATABASE_URL", "")
if url:
    import psycopg
    base = psycopg.connect(url, autocommit=True)
    begin = ["BEGIN", "UPDATE counted SET n = n + 1 WHERE id = 1"]
else:
    import sqlite3
    base = sqlite3.connect("/data/app.db", isolation_level=None, timeout=60)
    begin = ["BEGIN IMMEDIATE", "UPDATE counted SET n = n + 1 WHERE id = 1"]
slowest = 0.0
while True:
    began = time.monotonic()
    for statement in begin: base.execute(statement)
    time.sleep(0.01)
    base.execute("COMMIT")
    took = time.monotonic() - began
    if took > slowest:
        slowest = took
        print(f"slowest {took:.3f}", flush=True)
    time.sleep(random.uniform(0.02, 0.1))
"""
PREPARE = """
import sqlite3
base = sqlite3.connect("/data/app.db", isolation_level=None)
base.execute("PRAGMA journal_mode=JOURNAL")
base.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY, n INTEGER)")
base.execute("INSERT INTO counted VALUES (1, 0)")
"""


class Place:
    """The app's two containers on the engine, and its context: journal and proxy in memory."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.stack = f"t{secrets.token_hex(3)}"
        self.client = docker.from_env()
        create_network(self.client, self.stack)
        self.engine = DockerEngine(self.stack, self.stack)
        run: dict[str, object] = {"env": {"DATABASE_URL": database_url}} if database_url else {"data": "/data"}
        config = App.model_validate({"route": {"host": "shop.test"}, "run": run})
        world = World(folder, config)
        self.said: list[str] = []
        self.context: AppContext = replace(
            world.context,
            engine=self.engine,
            tools_image=image("orchestrator"),
            say=lambda _deployment, line: self.said.append(line),
        )
        self._world = world

    async def start(self, journal_mode: str) -> None:
        config, env = self.context.config, self.context.config.run.env
        spec = ContainerSpec(
            name="",
            image=image("orchestrator"),
            labels={LABEL_APP: APP, LABEL_ROLE: Role.APP},
            network=self.stack,
            env=dict(env),
            owned=((self.context.volume, "/data"),) if config.run.data else (),
            user="10001:10001",
        )
        if config.run.data:
            prepare = PREPARE.replace("JOURNAL", journal_mode)
            await self.engine.ensure_volume(self.context.volume)
            name = f"{self.stack}-prepare"
            sidecar = replace(spec, name=name, command=("python", "-c", prepare), labels={LABEL_APP: APP})
            status, _ = await self.engine.run_to_end(sidecar, 60, print)
            assert status.exit_code == 0
        for colour in Colour:
            address = await self.engine.free_address(set())
            writer = replace(
                spec, name=f"{self.stack}-{colour}", address=address, command=("python", "-c", WRITER, str(colour))
            )
            await self.engine.start(writer)
            moment = now()
            release = Release(str(colour), "", image("orchestrator"))
            self.context.journal.add(
                Deployment(
                    id=str(colour),
                    app=APP,
                    kind=Kind.DEPLOY,
                    state=State.LIVE,
                    requested_by="test",
                    requested_at=moment,
                    live_at=moment,
                    ended_at=moment,
                    release=release,
                    colour=colour,
                    container=writer.name,
                    address=address,
                    port=8000,
                )
            )
        self.context.journal.save_switch(APP, Slots(active="blue", standby="green"))
        self._world.proxy.know(routes_of([self.context]))

    def slowest_s(self, colour: Colour) -> float:
        logs = self.client.containers.get(f"{self.stack}-{colour}").logs().decode().split("slowest ")
        return float(logs[-1].split()[0])

    def remove(self) -> None:
        label = f"changeover.stack={self.stack}"
        for container in self.client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
            container.remove(force=True)
        for volume in self.client.volumes.list(filters={"label": label}):
            volume.remove(force=True)
        self.client.networks.get(self.stack).remove()
        self.client.close()


@pytest.mark.alone
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("kept_in", ["sqlite-wal", pytest.param("sqlite-delete", marks=pytest.mark.soak), "postgresql"])
async def test_a_pause_at_random_delays_no_write_of_the_active_release(
    tmp_path: Path, proxy_image: None, postgres: Postgres, kept_in: str, soak: bool, rounds: int
) -> None:
    rounds = rounds or (500 if soak else 3)
    seed = secrets.randbelow(1_000_000)
    choices = random.Random(seed)
    url = ""
    if kept_in == "postgresql":
        import psycopg

        database = postgres.create()
        with psycopg.connect(postgres.url(database)) as connection:
            connection.execute("CREATE TABLE counted (id INTEGER PRIMARY KEY, n INTEGER)")
            connection.execute("INSERT INTO counted VALUES (1, 0)")
        url = postgres.url(database, gateway("bridge"))
    place = Place(tmp_path, url)
    stopped = 0
    try:
        await place.start(kept_in.partition("-")[2])
        standby = place.context.standby
        assert standby is not None
        took = []
        for _ in range(rounds):
            await asyncio.sleep(choices.uniform(0.0, 0.3))
            began = time.monotonic()
            await park(place.context, standby, said_by=standby)
            took.append(time.monotonic() - began)
            status = await place.engine.status(standby.container)
            assert status is not None
            stopped += not status.running
            await asyncio.sleep(PAUSED_S)
            await place.engine.wake(standby.container)
        slowest = place.slowest_s(Colour.BLUE)
    finally:
        place.remove()

    print(f"{rounds} pauses on {kept_in}, seed {seed}: slowest write {slowest:.2f} s, {stopped} stopped, {place.said}")
    if soak:
        median = sorted(took)[len(took) // 2]
        keep_result(
            "pauses",
            kept_in=kept_in,
            rounds=rounds,
            seed=seed,
            slowest_write_s=slowest,
            stopped=stopped,
            median_park_s=round(median, 2),
            slowest_park_s=round(max(took), 2),
        )
    assert slowest < SLOWEST_S
    assert stopped == 0, place.said
