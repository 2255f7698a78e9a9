"""Logs through the API: of any container, removed ones included, alone, merged, searched and followed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepState
from orchestrator.domain.events import HealthChanged
from orchestrator.domain.log_line import LogLine, LogPart
from orchestrator.domain.release import Release
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_NUMBER,
    LABEL_ROLE,
    ContainerSpec,
    Role,
)
from orchestrator.errors import EngineError
from tests.support.fakes.engine import FakeEngine
from tests.unit.api.conftest import Api

URL = "/v1/apps/shop/logs"
EVIL = "(a+)+$"


def line(second: int, text: str) -> LogLine:
    return LogLine(f"2026-11-28T08:00:{second:02d}.000000000Z", text)


def labels(number: int, colour: str) -> dict[str, str]:
    return {
        LABEL_APP: "shop", LABEL_ROLE: Role.APP, LABEL_DEPLOYMENT: f"d{number}", LABEL_COLOUR: colour,
        LABEL_NUMBER: str(number),
    }  # fmt: skip


@pytest.fixture
def engine(api: Api) -> FakeEngine:
    """d1 is removed, d2 is the standby and d3 is active; each has printed something."""
    engine, journal = api.orchestrator.engine, api.orchestrator.journal
    assert isinstance(engine, FakeEngine)
    for number, colour in ((1, Colour.BLUE), (2, Colour.GREEN), (3, Colour.BLUE)):
        name, release = f"shop-{colour}-d{number}", Release(f"v{number}", f"r{number}", f"sha256:{number}")
        made = Deployment(
            f"d{number}", "shop", Kind.DEPLOY, State.LIVE, "test", now(), release=release,
            colour=colour, container=name, address="10.0.0.9", port=8000, live_at=now(), ended_at=now(),
        )  # fmt: skip
        journal.add(made)
        engine.images[release.image] = []
        if number > 1:
            spec = ContainerSpec(name, release.image, labels(number, colour), "test")
            asyncio.run(engine.start(spec))
    journal.save_switch("shop", Slots(active="d3", standby="d2"))
    old = (line(1, "INFO: old"), line(2, "ERROR: old oops"), line(3, "  at line 5"))
    api.orchestrator.kept_logs.keep("shop-blue-d1", labels(1, "blue"), LogPart(old, left_out="9 lines not kept"))
    engine.printed["shop-green-d2"] = [line(4, "INFO: second"), line(8, "bye")]
    engine.printed["shop-blue-d3"] = [
        line(5, "INFO: third"),
        line(6, "WARNING: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
        line(9, "hi"),
    ]
    return engine


async def texts(api: Api, **query: object) -> list[str]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    answer = await api.json("GET", f"{URL}?{asked}", api.token(Scope.READ))
    assert "lines" in answer, answer
    return answer["lines"]  # type: ignore[return-value]


async def test_without_a_choice_it_is_the_active_containers(api: Api, engine: FakeEngine) -> None:
    answer = await api.json("GET", f"{URL}?tail=2", api.token(Scope.READ))

    assert answer["container"] == "shop-blue-d3"
    assert [str(one)[:8] for one in answer["lines"]] == ["WARNING:", "hi"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("which", "last"),
    [
        ("active", "hi"), ("standby", "bye"), ("previous", "bye"), ("blue", "hi"), ("green", "bye"), ("d2", "bye"),
        ("d1", "  at line 5"), ("shop-blue-d1", "  at line 5"), ("all", "hi"),
    ],
)  # fmt: skip
async def test_one_container_is_chosen_by_place_colour_deployment_or_name(
    api: Api, engine: FakeEngine, which: str, last: str
) -> None:
    assert (await texts(api, container=which))[-1] == last


async def test_all_of_them_are_one_stream_in_the_order_of_time_with_the_container_of_each_line(
    api: Api, engine: FakeEngine
) -> None:
    answer = await api.json("GET", f"{URL}?container=all&entries=true", api.token(Scope.READ))
    entries: Any = answer["entries"]

    assert [one["at"] for one in entries] == [line(second, "").at for second in (1, 2, 3, 4, 5, 6, 8, 9)]
    assert [one["container"][-2:] for one in entries] == ["d1", "d1", "d1", "d2", "d3", "d3", "d2", "d3"]
    assert [one["level"] for one in entries] == ["info", "error", "error", "info", "info", "warning", "", ""]
    assert answer["left_out"] == ["shop-blue-d1: 9 lines not kept"]


async def test_lines_are_chosen_by_level_text_expression_and_time(api: Api, engine: FakeEngine) -> None:
    assert await texts(api, container="all", level="error") == ["ERROR: old oops", "  at line 5"]
    assert await texts(api, container="all", search="INFO:%20T") == ["INFO: third"]
    assert await texts(api, container="all", search="^(HI|bye)$", regex="true") == ["bye", "hi"]
    assert await texts(api, container="all", until="2026-11-28T08:00:02Z") == ["INFO: old", "ERROR: old oops"]
    assert await texts(api, container="all", since="2026-11-28T09:00:08%2B01:00") == ["bye", "hi"]
    assert await texts(api, container="all", since="1s") == []
    assert await texts(api, container="all", tail=1) == ["hi"]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("search=(&regex=true", "not a regular expression"), ("since=yesterday", "since or until"),
        (f"search={EVIL.replace('+', '%2B')}&regex=true", "was not matched within"), ("level=loud", "level"),
        ("follow=true&until=1m", "has no end"),
        ("container=../x", "container"),
    ],
)  # fmt: skip
async def test_what_cannot_be_searched_for_is_refused_in_time(
    api: Api, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, query: str, says: str
) -> None:
    monkeypatch.setattr("orchestrator.logs.search.MATCHED_WITHIN_S", 0.5)
    async with asyncio.timeout(20), api.request("GET", f"{URL}?{query}", api.token(Scope.READ)) as answer:
        assert answer.status == 422
        assert says in await answer.text()


async def test_an_unknown_container_is_told_with_those_that_there_are(api: Api, engine: FakeEngine) -> None:
    answer = await api.json("GET", f"{URL}?container=d9", api.token(Scope.READ))

    assert answer["status"] == 404
    assert "shop-blue-d3, shop-green-d2, shop-blue-d1" in str(answer["detail"])


async def test_a_secret_cannot_be_found_by_a_search(api: Api, engine: FakeEngine) -> None:
    """The engine gives lines without secrets; what is kept was written so. One that became known since is hidden."""
    api.orchestrator.known_secrets.know(["old oops of long ago"])
    assert "[hidden]" not in " ".join(await texts(api, container="all"))
    api.orchestrator.known_secrets.know(["ERROR: old"])
    assert "[hidden] oops" in await texts(api, container="d1")


async def test_while_the_engine_is_away_what_is_kept_is_shown_and_the_rest_told_missing(
    api: Api, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise EngineError("Docker does not answer.", "Start it.")

    monkeypatch.setattr(engine, "placed", away)
    answer = await api.json("GET", f"{URL}?container=all", api.token(Scope.READ))

    assert answer["lines"] == ["INFO: old", "ERROR: old oops", "  at line 5"]
    assert "Docker does not answer" in str(answer["left_out"])
    assert await api.status("GET", f"{URL}?container=blue", api.token(Scope.READ)) == 200  # the one that is kept


async def test_the_logs_of_an_app_are_listed_with_place_version_and_what_is_removed(
    api: Api, engine: FakeEngine
) -> None:
    journal = api.orchestrator.journal
    journal.step_started("d3", StepName.BUILD)
    journal.step_ended("d3", StepName.BUILD, StepState.DONE, "")
    answer: Any = await api.json("GET", f"{URL}/containers", api.token(Scope.READ))

    listed = [(one["container"], one["place"], bool(one["removed_at"])) for one in answer["logs"]]
    assert listed == [
        ("shop-blue-d3", "active", False), ("steps-d3", "steps", False), ("shop-green-d2", "standby", False),
        ("shop-blue-d1", "earlier", True),
    ]  # fmt: skip


async def test_the_output_of_a_deployments_steps_is_part_of_its_log(api: Api, engine: FakeEngine) -> None:
    api.orchestrator.journal.step_started("d3", StepName.BUILD)
    api.orchestrator.events.say("d3", "ERROR: no such package")
    await api.orchestrator.events.stop()

    assert await texts(api, container="steps-d3") == ["ERROR: no such package"]
    assert await texts(api, container="d3", level="error") == ["ERROR: no such package"]


async def test_a_log_that_is_followed_says_of_each_line_what_printed_it(api: Api, engine: FakeEngine) -> None:
    secret = api.token(Scope.READ)
    async with api.request("GET", f"{URL}?follow=true&tail=1&container=green", secret) as answer:
        (told,) = [json.loads(one) for one in (await answer.text()).splitlines()]

    assert told == {
        "line": "bye", "at": line(8, "").at, "container": "shop-green-d2", "deployment": "d2", "stream": "stdout",
        "level": "",
    }  # fmt: skip


@pytest.mark.parametrize("search", ["new", "n.w&regex=true"])
async def test_all_logs_are_followed_a_container_that_comes_later_included(
    api: Api, engine: FakeEngine, search: str
) -> None:
    secret = api.token(Scope.READ)
    async with (
        asyncio.timeout(20),
        api.request("GET", f"{URL}?follow=true&container=all&search={search}", secret) as answer,
    ):
        await asyncio.sleep(0.2)
        engine.printed["shop-green-d4"] = [line(10, "new"), line(11, "other"), line(12, "newer")]
        await engine.start(ContainerSpec("shop-green-d4", "sha256:3", labels(4, "green"), "test"))
        await api.orchestrator.events.publish(HealthChanged("healthy"), "shop")
        told: list[Any] = []
        while len(told) < 2:
            values = [json.loads(one) for one in (await answer.chunk()).splitlines()]
            told += [one for one in values if not one.get("note")]

    assert [one["line"] for one in told] == ["new", "newer"]
