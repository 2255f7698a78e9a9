"""Text from outside is kept and shown without control characters, whichever way it comes in."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from border.secrets import Secrets
from orchestrator.access import tokens
from orchestrator.apps.answer_text import said
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Failure, Kind, State, StepName, StepState
from orchestrator.domain.events import EventKind, Failed, Line, NewEvent, Queued, UpdateFound
from orchestrator.domain.release import Change, Release
from orchestrator.domain.schema_history import Direction, Outcome, SchemaRevision
from orchestrator.host.output import Output
from orchestrator.server import Orchestrator
from orchestrator.sources.changelog import parse_commit
from tests.support.asgi import api_of
from tests.support.hostile import QUESTION, forbidden_anywhere, forbidden_in, hostile_text

FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
ID = "d4711"


class Bench:
    """An orchestrator on fakes, whose journal has one deployment; and its API."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        orchestrator.ready = True
        self.orchestrator = orchestrator
        self.journal = orchestrator.journal
        self.journal.add(Deployment(ID, "shop", Kind.DEPLOY, State.QUEUED, "test", now()))
        self.secret = tokens.create(self.journal, "admin", Scope.ADMIN)

    async def ask(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=api_of(self.orchestrator))
        headers = {"Authorization": f"Bearer {self.secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as client:
            return await client.get(path)

    def stored(self) -> list[Any]:
        """Every text in every row of the database, as it is on the disk; JSON as its values."""
        found: list[Any] = []
        with self.journal._engine.connect() as connection:
            for table in ("deployments", "steps", "events", "migrations", "audit"):
                for row in connection.exec_driver_sql(f"SELECT * FROM {table}").all():
                    found += [_decoded(value) for value in row]
        return found

    def strange_deployment(self, text: str) -> Deployment:
        return Deployment(
            ID, "shop", Kind.DEPLOY, State.FAILED, requested_by=text, requested_at=now(), ref=text,
            release=Release(text, "abc", ""), container=text, changes=(Change("abc", text, text, text),),
            pending=(SchemaRevision(text, text, True, text),),
            failure=Failure(StepName.VERIFY, text, text, (text, text), 1, False, (text,)),
        )  # fmt: skip


def _decoded(value: Any) -> Any:  # Any: a column's value
    try:
        return json.loads(value) if isinstance(value, str) and value[:1] in '[{"' else value
    except ValueError:
        return value


@pytest.fixture
def bench(orchestrator: Orchestrator) -> Bench:
    return Bench(orchestrator)


@FEW
@given(text=hostile_text())
def test_nothing_that_a_deployment_brings_is_stored_or_answered_with_control_characters(
    bench: Bench, text: str
) -> None:
    journal, events = bench.journal, bench.orchestrator.events

    async def write_and_ask() -> list[httpx.Response]:
        journal.save(bench.strange_deployment(text))
        journal.step_started(ID, StepName.BUILD)
        journal.step_ended(ID, StepName.BUILD, StepState.FAILED, text)
        run = journal.migration_started("shop", ID, Direction.UP, (SchemaRevision(text, text, True, text),))
        journal.migration_ended(run, Outcome.FAILED, (), text)
        journal.audit(text, text, text, "shop")
        for happened in (Queued(text), Failed(text, text), UpdateFound(text)):
            await events.publish(happened, "shop", ID)
        events.say(ID, text)
        await asyncio.sleep(0.1)
        return [
            await bench.ask(path)
            for path in (
                f"/v1/deployments/{ID}",
                f"/v1/deployments/{ID}/events",
                "/v1/apps/shop/deployments",
            )
        ]

    answers = asyncio.run(write_and_ask())

    assert forbidden_anywhere(bench.stored()) == set()
    assert [answer.status_code for answer in answers] == [200] * len(answers)
    assert forbidden_anywhere([answer.json() for answer in answers]) == set()


def test_what_an_older_version_kept_is_answered_without_control_characters(bench: Bench) -> None:
    strange = f"<b>{QUESTION}\x9b6n\u202e\ud800[bold]"
    plainly_stored = NewEvent(EventKind.LINE, "", ID, Line("x").as_json())
    bench.journal.append_events([plainly_stored])
    with bench.journal._engine.begin() as connection:
        failure = json.dumps({"step": "verify", "cause": strange, "log": [strange]})
        connection.execute(sa.text("UPDATE deployments SET failure = :failure"), {"failure": failure})
        connection.execute(sa.text("UPDATE events SET fields = :fields"), {"fields": json.dumps({"line": strange})})
    bench.journal._known_deployments.clear()

    async def ask() -> list[httpx.Response]:
        return [await bench.ask(path) for path in (f"/v1/deployments/{ID}", f"/v1/deployments/{ID}/events")]

    deployment, events = (answer.json() for answer in asyncio.run(ask()))

    assert forbidden_anywhere([deployment, events]) == set()
    assert deployment["failure"]["cause"] == "<b>\ufffd[bold]"
    assert events["events"][0]["fields"]["line"] == "<b>\ufffd[bold]"


@given(hostile_text())
def test_no_error_is_answered_with_control_characters(text: str) -> None:
    secrets = Secrets()

    assert forbidden_anywhere(secrets.values({"detail": text, "log": [text], text: {"name": text}})) == set()
    assert forbidden_in(said(text, secrets)) == set()
    assert "\n" not in said(text, secrets)


@given(hostile_text())
def test_output_of_commands_is_plain(text: str) -> None:
    lines: list[str] = []
    output = Output(lines.append)

    output.feed(text.encode(errors="surrogatepass"))
    output.close()

    assert forbidden_anywhere(lines) == set()


def test_a_page_of_html_is_told_in_one_line() -> None:
    page = """<!doctype html>
    <html><head><title>Server Error (500)</title><style>b { color: red }</style></head>
    <body>\n<h1>Oh&nbsp;no</h1>\n<p>It &lt;broke&gt;</p><script>alert(1)</script></body></html>"""

    assert said(page, Secrets()) == "Server Error (500): Oh no It <broke>"


@given(hostile_text())
def test_a_commit_is_parsed_whatever_its_message_is(text: str) -> None:
    change = parse_commit("abc", Secrets().text(f"feat(x): {text}\n\n{text}"))

    assert forbidden_in(change.subject + change.scope) == set()


def test_a_page_whose_heading_is_its_title_is_told_once_and_ends_within_the_sentence() -> None:
    """As http.server of Python answers an error."""
    page = """<html><head><title>Error response</title></head><body>
    <h1>Error response</h1><p>Error code: 500</p><p>Message: trouble.</p></body></html>"""

    assert said(page, Secrets()) == "Error response Error code: 500 Message: trouble"


@pytest.mark.parametrize(
    "part", ["<title>", "<title ", "<script>", "<script ", "<!--", "<a ", "</script ", "<head><title>x"]
)
def test_an_answer_of_any_tags_is_told_in_a_moment(part: str) -> None:
    """It is asked for again and again while its app becomes ready, and the event loop waits."""
    began = time.monotonic()

    for _ in range(10):
        said(part * (64 * 1024 // len(part)), Secrets())

    assert time.monotonic() - began < 10
