"""What the command and the panel say fits the case."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from rich.text import Text

from panel.cli.deploy import what_it_takes
from panel.client import events
from panel.client.answers import unreachable
from panel.client.client import Client
from panel.client.model import Deployment
from panel.text.history import record
from panel.version import release
from panel.widgets.events.log import event_line
from tests.support import api_answers as answers
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def test_the_command_has_a_version() -> None:
    done = changeover("--version")

    assert (done.exit_code, done.stdout.strip()) == (0, f"changeover {release()}")


@pytest.mark.parametrize(
    ("command", "what"),
    [
        (("remove",), "containers, data, images and backups are removed for ever"),
        (("migrate", "accept"), "the data is accepted as it is"),
        (("rollback",), "the traffic goes back, or data is replaced (--restore)"),
        (("backup", "restore"), "data is replaced"),
        (("token", "revoke"), "the token is revoked"),
        (("session", "end"), "the session is ended"),
    ],
)
def test_yes_says_which_question_it_leaves_out(command: tuple[str, ...], what: str) -> None:
    done = changeover(*command, "--help")

    assert f"Do not ask before {what}" in " ".join(done.stdout.replace("│", " ").split())


@pytest.mark.parametrize(
    ("changes", "ref", "says"),
    [
        ({}, "", True),
        ({}, "a" * 40, True),
        ({}, "aaaaaaa", True),
        ({}, "b" * 40, False),
        ({}, "main", False),
        ({"configuration_changed": True}, "", False),
        ({"health": "stopped"}, "", False),
        ({"active": None}, "", False),
    ],
)
async def test_a_dry_run_says_that_it_is_live_already(
    api: FakeApi, changes: dict[str, Any], ref: str, says: bool
) -> None:
    slot = answers.slot("v1.0.0", "blue") | {"revision": "a" * 40}
    api.gives("GET", "/v1/apps/shop", answers.app(**({"active": slot, "health": "healthy"} | changes)))
    api.gives("POST", "/v1/apps/shop/update/check", None)

    async with Client(api.url, "co_secret") as client:
        found = "\n".join(await what_it_takes(client, "shop", ref, again=False))

    assert ("v1.0.0 is live already" in found) is says
    assert bool(found) is says


@pytest.mark.parametrize(
    ("ref", "again", "offered", "says"),
    [
        (
            "",
            False,
            False,
            ["! v2 failed. Without --ref, the deployment takes the newest release of the source nevertheless."],
        ),
        ("v1", False, False, []),
        ("", True, False, []),
        ("", False, True, []),
    ],
    ids=["newest", "ref", "again", "another is offered"],
)
async def test_a_dry_run_says_that_it_would_take_what_is_not_offered(
    api: FakeApi, ref: str, again: bool, offered: bool, says: list[str]
) -> None:
    """It may be a newer one than that of which it is said: one that is skipped or too young."""
    held = {"version": "v2", "revision": "b" * 40, "says": "v2 failed.", "remedy": ""}
    api.gives("GET", "/v1/apps/shop", answers.app(held_back=held))
    api.gives("POST", "/v1/apps/shop/update/check", answers.update() if offered else None)

    async with Client(api.url, "co_secret") as client:
        assert await what_it_takes(client, "shop", ref, again=again) == says


async def test_a_dry_run_with_an_update_says_nothing_more(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop", answers.app())
    api.gives("POST", "/v1/apps/shop/update/check", answers.update())

    async with Client(api.url, "co_secret") as client:
        assert await what_it_takes(client, "shop", "", again=False) == []


async def test_a_dry_run_of_an_app_without_a_release_says_what_its_source_says(api: FakeApi) -> None:
    """It said: whether it is live already is not known. Nothing was live."""
    api.gives("GET", "/v1/apps/shop", answers.app(active=None))
    cause = "The repository https://git.test/shop could not be read: no server has the name in its address."
    api.refuses("POST", "/v1/apps/shop/update/check", 502, detail=cause, remedy="Check how the name is written.")

    async with Client(api.url, "co_secret") as client:
        (said,) = await what_it_takes(client, "shop", "", again=False)

    assert said == f"Which release it would be is not known: {cause} Check how the name is written."


def test_why_retiring_was_interrupted_is_shown_with_the_deployment() -> None:
    step = {"name": "retire", "state": "failed", "started_at": answers.before(), "note": "interrupted by a rollback"}
    one = Deployment.model_validate(answers.deployment(steps=[step]))

    assert "interrupted by a rollback" in record(one, None, NOW)


def test_what_is_done_later_is_no_failure_among_the_events() -> None:
    fields = {"step": "retire", "state": "skipped", "note": "interrupted by a rollback"}
    event = events.Event(id=1, at=NOW, kind="step", app="shop", deployment="d1", fields=fields)

    assert "– retire interrupted by a rollback" in Text.from_markup(event_line(event)).plain


@pytest.mark.parametrize(("rollback", "says"), [(True, "rolled back, live"), (False, "live")])
def test_the_panel_tells_a_rollback_from_a_deployment(rollback: bool, says: str) -> None:
    fields = {"seconds": 0.06, "colour": "blue", "rollback": rollback}
    event = events.Event(id=1, at=NOW, kind="live", app="shop", deployment="d1", fields=fields)

    assert f"[bold green3]{says}[/] on blue after 0.06 s" in event_line(event)


def test_what_a_connection_says_ends_with_one_full_stop() -> None:
    error = httpx.RemoteProtocolError("Server disconnected without sending a response.")

    says = unreachable("http://127.0.0.1:1", error).cause

    assert says == "Nothing answers at http://127.0.0.1:1: Server disconnected without sending a response."


@pytest.mark.parametrize(
    ("revision", "says"),
    [("4d1f0a24" * 5, "Commit 4d1f0a244d1f, container shop-green"), ("0.65.5", "Source revision 0.65.5, container")],
)
def test_a_record_calls_a_commit_what_is_one(revision: str, says: str) -> None:
    assert says in record(Deployment.model_validate(answers.deployment(revision=revision)), None, NOW)
