"""The status of commits: told to a forge that answers, does not, or refuses, and never in a deployment's way."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from border.secrets import Secrets
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, State, StepName
from orchestrator.domain.events import Cancelled, Failed, Live, Occurrence, Started, Step, Unchanged
from orchestrator.domain.release import Release
from orchestrator.reports import commit_reports
from orchestrator.reports.commit_reports import MOST_WAITING, CommitReports
from orchestrator.reports.forges import LONGEST_WAIT_S, CommitStatus, Outcome, Verdict, status_request, verdict, wait_s
from tests.support import virtual_time
from tests.support.fakes.world import APP, World

COMMIT = "0123abcd" * 5
FETCHED = Step(StepName.FETCH, "done")


@dataclass
class Forge(httpx.AsyncBaseTransport):
    """Answers each request with the next of `answers`, then with 201."""

    answers: deque[int | Exception] = field(default_factory=deque)
    asked: list[httpx.Request] = field(default_factory=list)
    gate: asyncio.Event | None = None
    says: bytes = b'{"message": "as it is"}'

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        if self.gate:
            await self.gate.wait()
        answer = self.answers.popleft() if self.answers else 201
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, stream=httpx.ByteStream(self.says))

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(one.content) for one in self.asked]

    @property
    def states(self) -> list[str]:
        return [body["state"] for body in self.bodies]


class Limiting(Forge):
    """Answers that it was asked too often, as GitHub does."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        found = await super().handle_async_request(request)
        is_first = len(self.asked) == 1
        return httpx.Response(403, headers={"retry-after": "120"}, stream=found.stream) if is_first else found


class Bench:
    """An app whose commits are reported, and what was told."""

    def __init__(self, world: World, forge: Forge, kind: str = "forgejo", link: str = "") -> None:
        report = {"kind": kind, "token_file": "token", "api_url": "https://git.test/api", "repository": "team/shop"}
        world.configure(report=report | ({"link": link} if link else {}))
        (world.folder / "token").write_text("secret-token\n")
        self.world, self.forge = world, forge
        self.reports = CommitReports(
            world.journal, world.events, world.scheduler._context, Secrets(), forge, first_pause_s=0.01
        )

    def deployment(self, id: str = "d1", commit: str = COMMIT, **more: Any) -> Deployment:
        one = Deployment(id, APP, Kind.DEPLOY, State.RUNNING, "ci", now(), release=Release("v1", commit))
        return self.world.journal.add(replace(one, **more))

    def tell(self, deployment: Deployment, happened: Occurrence, **more: Any) -> None:
        changed = replace(deployment, **more)
        self.world.journal.save(changed)
        self.reports.notify(happened, APP, deployment.id)

    async def until_told(self) -> None:
        """Until nothing waits."""
        task = asyncio.create_task(self.reports.keep_sending())
        try:
            async with asyncio.timeout(5):
                while self.reports.waiting and not task.done():  # noqa: ASYNC110 (a fake has no event)
                    await asyncio.sleep(0.005)
                await asyncio.sleep(0.01)
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def failures(self) -> list[dict[str, object]]:
        return [one.fields for one in self.world.journal.events() if one.kind == "report_failed"]


REQUESTS = {
    "github": (
        "https://git.test/api/repos/team/shop/statuses/" + COMMIT,
        {"authorization": "Bearer t", "accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"},
        {
            "state": "success",
            "context": "changeover/shop",
            "description": "v1 is live.",
            "target_url": "https://x.test",
        },
    ),
    "gitea": (
        "https://git.test/api/repos/team/shop/statuses/" + COMMIT,
        {"authorization": "token t"},
        {
            "state": "success",
            "context": "changeover/shop",
            "description": "v1 is live.",
            "target_url": "https://x.test",
        },
    ),
    "gitlab": (
        "https://git.test/api/projects/team%2Fshop/statuses/" + COMMIT,
        {"private-token": "t"},
        {"state": "success", "name": "changeover/shop", "description": "v1 is live.", "target_url": "https://x.test"},
    ),
}
REQUESTS["forgejo"] = REQUESTS["gitea"]


@pytest.mark.parametrize("kind", REQUESTS)
def test_each_forge_gets_the_request_that_it_documents(kind: str) -> None:
    status = CommitStatus(APP, COMMIT, Outcome.SUCCESS, "v1 is live.", "https://x.test")

    found = status_request(kind, "https://git.test/api", "team/shop", "t", status)

    url, headers, body = REQUESTS[kind]
    assert found.url == url
    assert {name.lower(): value for name, value in found.headers.items()} == headers
    assert found.body == body
    assert "t" not in repr(found).replace("https://git.test", "").split("'")


def test_a_description_is_one_line_of_what_a_forge_shows() -> None:
    status = CommitStatus(APP, COMMIT, Outcome.FAILURE, "build failed: \x1b[31m" + "long\n" * 100)

    said = status_request("github", "https://git.test", "a/b", "t", status).body["description"]

    assert len(said) == 140
    assert said.startswith("build failed: long long")
    assert said.endswith("…")


@pytest.mark.parametrize(
    ("kind", "status", "text", "means"),
    [
        ("github", 201, "", Verdict.TAKEN),
        ("gitlab", 400, '{"message":"Cannot transition status via :run from :running"}', Verdict.TAKEN),
        ("github", 400, "Cannot transition status", Verdict.REFUSED),
        ("gitea", 302, "", Verdict.REFUSED),
        ("gitea", 401, "", Verdict.REFUSED),
        ("gitea", 404, "", Verdict.REFUSED),
        ("gitea", 429, "", Verdict.AGAIN),
        ("gitea", 500, "", Verdict.AGAIN),
        ("gitea", 503, "", Verdict.AGAIN),
    ],
)
def test_what_an_answer_means(kind: str, status: int, text: str, means: Verdict) -> None:
    assert verdict(kind, status, text, {}) is means


@pytest.mark.parametrize(
    ("status", "headers", "means", "waits"),
    [
        (403, {}, Verdict.REFUSED, 0.0),
        (403, {"x-ratelimit-remaining": "12"}, Verdict.REFUSED, 0.0),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1060"}, Verdict.AGAIN, 60.0),
        (429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "999"}, Verdict.AGAIN, 0.0),
        (429, {"x-ratelimit-remaining": "5", "x-ratelimit-reset": "1060"}, Verdict.AGAIN, 0.0),
        (403, {"retry-after": "30"}, Verdict.AGAIN, 30.0),
        (503, {"retry-after": "Thu, 01 Jan 1970 00:17:40 GMT"}, Verdict.AGAIN, 60.0),
        (503, {"retry-after": "99999999"}, Verdict.AGAIN, LONGEST_WAIT_S),
        (503, {"retry-after": "-5"}, Verdict.AGAIN, 0.0),
        (503, {"retry-after": "soon"}, Verdict.AGAIN, 0.0),
        (503, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "inf"}, Verdict.AGAIN, 0.0),
    ],
)
def test_a_forge_that_was_asked_too_often_is_left_alone_for_as_long_as_it_says(
    status: int, headers: dict[str, str], means: Verdict, waits: float
) -> None:
    """GitHub says so with status 403: it counted as a wrong token, and nothing was reported."""
    assert verdict("github", status, "", headers) is means
    assert wait_s(headers, 1000.0) == waits


@given(
    st.text() | st.from_regex(r"[0-9]{1,40} [A-Z][a-z]{2} [0-9]{1,40}( [0-9:]{1,9})?( [+-][0-9]{4})?", fullmatch=True)
)
@example("1 Jan 1 1:1:1 +99999999999999999999")
@example("Mon, 01 Jan 0001 00:00:00 +2359")
@example("Fri, 31 Dec 9999 23:59:59 -2359")
def test_any_text_of_a_forge_is_a_time_within_the_longest(said: str) -> None:
    for name in ("retry-after", "x-ratelimit-reset"):
        assert 0.0 <= wait_s({name: said, "x-ratelimit-remaining": "0"}, 1000.0) <= LONGEST_WAIT_S


def test_a_forge_that_names_a_time_is_not_asked_before_it(world: World) -> None:
    bench = Bench(world, Limiting())

    async def story() -> None:
        sending = asyncio.create_task(bench.reports.keep_sending())
        bench.tell(bench.deployment(), FETCHED)
        await asyncio.sleep(100)
        assert len(bench.forge.asked) == 1
        await asyncio.sleep(30)
        assert len(bench.forge.asked) == 2
        sending.cancel()

    virtual_time.run(story())


async def test_a_deployment_is_pending_then_live_with_a_link(world: World) -> None:
    bench = Bench(world, Forge(), link="https://panel.test/")
    one = bench.deployment()

    bench.tell(one, Started("ci", "deploy"))
    bench.tell(one, FETCHED)
    await bench.until_told()
    bench.tell(one, Live(2.5, "blue"), state=State.LIVE, live_at=now())
    await bench.until_told()

    assert bench.forge.states == ["pending", "success"]
    assert [body["target_url"] for body in bench.forge.bodies] == ["https://panel.test/"] * 2
    assert bench.forge.bodies[1]["description"].startswith("v1 is live")
    assert bench.forge.asked[0].headers["authorization"] == "token secret-token"


STOPPED = Failure(StepName.BUILD, "The orchestrator was stopped during build.", "Request it again.")


@pytest.mark.parametrize(
    ("state", "happened", "more", "told", "says"),
    [
        (State.FAILED, Failed("build", "it is late."), {"failure": Failure(StepName.BUILD, "it is late.")},
         "failure", "build failed: it is late."),
        (State.CANCELLED, Cancelled("build", ""), {}, "error", "The deployment was cancelled."),
        (State.FAILED, Failed("build", ""), {"interrupted_by": Interrupter.STOP, "failure": STOPPED}, "error",
         "The orchestrator was stopped during build. Request it again."),
        (State.FAILED, Failed("build", ""), {"interrupted_by": Interrupter.KILL, "failure": STOPPED}, "error",
         "The orchestrator was stopped during build. Request it again."),
        (State.UNCHANGED, Unchanged("v1"), {}, "success", "v1 is live already."),
    ],
)  # fmt: skip
async def test_each_end_has_its_status(
    world: World, state: State, happened: Occurrence, more: dict[str, Any], told: str, says: str
) -> None:
    bench = Bench(world, Forge())

    bench.tell(bench.deployment(), happened, state=state, **more)
    await bench.until_told()

    assert [(body["state"], body["description"]) for body in bench.forge.bodies] == [(told, says)]


@pytest.mark.parametrize(
    "more",
    [
        {"commit": "1.2.3"},
        {"commit": "archive:sha256:" + "0" * 64},
        {"kind": Kind.ROLLBACK},
        {"kind": Kind.RESTORE},
        {"release": None},
        {"state": State.SUPERSEDED},
    ],
)
async def test_what_is_no_deployment_of_a_commit_is_not_told(world: World, more: dict[str, Any]) -> None:
    bench = Bench(world, Forge())

    bench.tell(bench.deployment(**more), Live(1.0, "blue"))

    assert bench.reports.waiting == 0


async def test_a_forge_that_is_away_is_asked_again_and_gets_only_the_newest(world: World) -> None:
    gone = httpx.ConnectError("refused")
    bench = Bench(world, Forge(deque([gone, 503, 429, gone])))
    one = bench.deployment()

    bench.tell(one, FETCHED)
    bench.tell(one, Live(1.0, "blue"), state=State.LIVE)
    await bench.until_told()

    assert bench.forge.states == ["success"] * 5
    assert bench.failures() == []


async def test_what_becomes_of_a_commit_while_it_is_told_is_told_after_it(world: World) -> None:
    forge = Forge(gate=asyncio.Event())
    bench = Bench(world, forge)
    one = bench.deployment()
    bench.tell(one, FETCHED)
    told = asyncio.create_task(bench.until_told())
    while not forge.asked:  # noqa: ASYNC110 (a fake has no event)
        await asyncio.sleep(0.005)

    bench.tell(one, Live(1.0, "blue"), state=State.LIVE)
    assert forge.gate
    forge.gate.set()
    await told

    assert forge.states == ["pending", "success"]


@pytest.mark.parametrize("status", [401, 403, 404, 422, 302])
async def test_a_refused_status_is_an_event_and_not_sent_again(world: World, status: int) -> None:
    bench = Bench(world, Forge(deque([status])))

    bench.tell(bench.deployment(), FETCHED)
    await bench.until_told()

    assert len(bench.forge.asked) == 1
    (failure,) = bench.failures()
    assert f"answered with status {status}" in str(failure["cause"])
    assert "secret-token" not in str(failure)
    assert failure["remedy"]


@pytest.mark.parametrize("before", range(186, 202))
async def test_no_half_of_a_token_that_a_forge_repeats_is_told(world: World, before: int) -> None:
    bench = Bench(world, Forge(deque([422]), says=b"x" * before + b" secret-token"))

    bench.tell(bench.deployment(), FETCHED)
    await bench.until_told()

    assert " se" not in str(bench.failures()[0]["cause"]).partition("xxx")[2]


async def test_a_forge_that_stays_away_is_given_up_at_last(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit_reports, "GIVEN_UP_AFTER_S", 0.05)
    bench = Bench(world, Forge(deque([503] * 1000)))

    bench.tell(bench.deployment(), FETCHED)
    await bench.until_told()

    assert len(bench.failures()) == 1


async def test_a_token_that_cannot_be_read_is_an_event(world: World) -> None:
    bench = Bench(world, Forge())
    (world.folder / "token").unlink()

    bench.tell(bench.deployment(), FETCHED)
    await bench.until_told()

    assert "cannot be read" in str(bench.failures()[0]["cause"])
    assert bench.forge.asked == []


async def test_a_forge_that_does_not_answer_keeps_no_other_commit_waiting_and_fills_no_memory(world: World) -> None:
    bench = Bench(world, Forge(gate=asyncio.Event()))

    for number in range(MOST_WAITING + 5):
        bench.tell(bench.deployment(f"d{number}", f"{number:040x}"), FETCHED)

    assert bench.reports.waiting == MOST_WAITING


class OneIsAway(Forge):
    """`away.test` never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "away.test":
            await asyncio.Event().wait()
        return await super().handle_async_request(request)


async def test_a_forge_that_does_not_answer_keeps_no_status_for_another_forge_waiting(world: World) -> None:
    bench = Bench(world, OneIsAway())
    report = {"kind": "forgejo", "token_file": "token", "repository": "team/shop"}
    world.configure(report=report | {"api_url": "https://away.test/api"})
    for number in range(20):
        bench.tell(bench.deployment(f"d{number}", f"{number:040x}"), FETCHED)
    sending = asyncio.create_task(bench.reports.keep_sending())
    await asyncio.sleep(0.05)
    world.configure(report=report | {"api_url": "https://git.test/api"})
    bench.tell(bench.deployment("there", "f" * 40), FETCHED)
    await asyncio.sleep(0.5)
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending

    assert [one.url.path[-40:] for one in bench.forge.asked] == ["f" * 40]


async def test_after_a_restart_what_ended_a_short_time_ago_is_told_again(world: World) -> None:
    bench = Bench(world, Forge())
    bench.deployment("old", "1" * 40, state=State.LIVE, live_at=now() - timedelta(days=1), ended_at=now())
    bench.deployment("new", "2" * 40, state=State.LIVE, live_at=now(), ended_at=now())

    await bench.reports.tell_again([world.context])
    await bench.until_told()

    assert [(one.url.path[-40:], state) for one, state in zip(bench.forge.asked, bench.forge.states, strict=True)] == [
        ("2" * 40, "success")
    ]


async def test_an_app_that_reports_nothing_reads_nothing(world: World, tmp_path: Path) -> None:
    forge = Forge()
    reports = CommitReports(world.journal, world.events, world.scheduler._context, Secrets(), forge)

    reports.notify(FETCHED, APP, "there is none")
    reports.notify(FETCHED, "no such app", "d1")
    await reports.tell_again([world.context])

    assert reports.waiting == 0


@pytest.mark.parametrize("token", ["tökén-of-the-forge", "token-of-the-forge\nand another line", "token\x00of"])
async def test_a_token_that_no_header_can_have_is_refused_and_not_told(world: World, token: str) -> None:
    bench = Bench(world, Forge())
    (world.folder / "token").write_text(token)
    bench.tell(bench.deployment(), Live(1.0, "blue"), state=State.LIVE)

    await bench.until_told()

    (failure,) = bench.failures()
    assert "has something else than a token" in str(failure["cause"])
    assert token not in str(failure)
    assert bench.forge.asked == []


async def test_a_defect_at_one_report_ends_no_other(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = asyncio.Event()
    bench = Bench(world, Forge(gate=gate))
    other = "b" * 40
    once = bench.reports._once

    async def broken(key: tuple[str, str]) -> None:
        if key[1] == other:
            gate.set()
            raise ZeroDivisionError
        await once(key)

    monkeypatch.setattr(bench.reports, "_once", broken)
    bench.tell(bench.deployment(), Live(1.0, "blue"), state=State.LIVE)
    bench.tell(bench.deployment("d2", other), Live(1.0, "blue"), state=State.LIVE)
    await bench.until_told()

    assert bench.forge.states == ["success"]
    assert [one["remedy"] for one in bench.failures()] == ["Report this defect in Changeover."]
