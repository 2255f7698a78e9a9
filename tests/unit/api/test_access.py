"""Who may use which route: every route, with every scope, and with tokens for other apps."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import pytest

from orchestrator.access.caller import Caller
from orchestrator.api.while_allowed import while_allowed
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.journal.tokens import digest_of
from tests.unit.api.conftest import Api

READ, DEPLOY, ADMIN = Scope.READ, Scope.DEPLOY, Scope.ADMIN
ALL, SOME, OWN = "all", "some", "own"
"""What a token that is for some apps may do: nothing here (ALL), see its own part (SOME), use it for its app (OWN)."""

TABLE: dict[str, tuple[Scope | None, str]] = {
    "GET /healthz": (None, SOME),
    "GET /readyz": (None, SOME),
    "GET /metrics": (READ, SOME),
    "GET /v1/apps": (READ, SOME),
    "GET /v1/apps/{app}": (READ, OWN),
    "GET /v1/apps/{app}/logs": (READ, OWN),
    "GET /v1/apps/{app}/logs/containers": (READ, OWN),
    "GET /v1/apps/{app}/logs/follow": (READ, OWN),
    "POST /v1/apps/{app}/run": (ADMIN, OWN),
    "POST /v1/apps/{app}/exec": (ADMIN, OWN),
    "POST /v1/apps/{app}/terminals/{number}/keys": (ADMIN, OWN),
    "POST /v1/apps/{app}/terminals/{number}/size": (ADMIN, OWN),
    "GET /v1/apps/{app}/update": (READ, OWN),
    "POST /v1/apps/{app}/update/check": (READ, OWN),
    "POST /v1/apps/{app}/update/dismiss": (DEPLOY, OWN),
    "POST /v1/apps/{app}/update/skip": (DEPLOY, OWN),
    "GET /v1/apps/{app}/update/versions": (READ, OWN),
    "GET /v1/apps/{app}/update/checks": (READ, OWN),
    "GET /v1/apps/{app}/update/checks/{check_id}": (READ, OWN),
    "POST /v1/apps/{app}/push-secret": (ADMIN, OWN),
    "POST /v1/apps/{app}/notices/test": (ADMIN, OWN),
    "POST /v1/notices/test": (ADMIN, ALL),
    "GET /v1/apps/{app}/deployments": (READ, OWN),
    "POST /v1/apps/{app}/deployments": (DEPLOY, OWN),
    "POST /v1/apps/{app}/archives": (DEPLOY, OWN),
    "POST /v1/apps/{app}/rollback": (DEPLOY, OWN),
    "GET /v1/apps/{app}/plan": (READ, OWN),
    "POST /v1/apps/{app}/pause": (DEPLOY, OWN),
    "POST /v1/apps/{app}/hold": (DEPLOY, OWN),
    "POST /v1/apps/{app}/resume": (DEPLOY, OWN),
    "POST /v1/apps/{app}/release": (DEPLOY, OWN),
    "GET /v1/traffic": (READ, SOME),
    "GET /v1/apps/{app}/traffic": (READ, OWN),
    "GET /v1/alerts": (READ, SOME),
    "PUT /v1/apps/{app}/mute": (DEPLOY, OWN),
    "DELETE /v1/apps/{app}/mute": (DEPLOY, OWN),
    "GET /v1/apps/{app}/configuration": (READ, OWN),
    "DELETE /v1/apps/{app}/backups/{backup}": (ADMIN, OWN),
    "GET /v1/apps/{app}/backups": (READ, OWN),
    "POST /v1/apps/{app}/backups": (DEPLOY, OWN),
    "POST /v1/apps/{app}/backups/{backup}/verify": (READ, OWN),
    "GET /v1/apps/{app}/backups/{backup}/extract": (ADMIN, OWN),
    "POST /v1/apps/{app}/backups/{backup}/restore": (ADMIN, OWN),
    "GET /v1/apps/{app}/backups/{backup}/configuration": (ADMIN, ALL),
    "POST /v1/apps/{app}/backups/{backup}/configuration": (ADMIN, ALL),
    "GET /v1/apps/{app}/migrations": (READ, OWN),
    "POST /v1/apps/{app}/migrations/accept": (DEPLOY, OWN),
    "GET /v1/deployments/{deployment_id}": (READ, OWN),
    "GET /v1/deployments/{deployment_id}/events": (READ, OWN),
    "POST /v1/deployments/{deployment_id}/cancel": (DEPLOY, OWN),
    "GET /v1/events": (READ, SOME),
    "GET /v1/config": (READ, ALL),
    "POST /v1/config/validate": (READ, SOME),
    "GET /v1/tokens": (ADMIN, ALL),
    "POST /v1/tokens": (ADMIN, ALL),
    "DELETE /v1/tokens": (ADMIN, ALL),
    "DELETE /v1/tokens/{name}": (ADMIN, ALL),
    "POST /v1/sessions": (READ, SOME),
    "GET /v1/sessions/current": (READ, SOME),
    "DELETE /v1/sessions/current": (READ, SOME),
    "GET /v1/sessions": (ADMIN, ALL),
    "DELETE /v1/sessions/{session_id}": (ADMIN, ALL),
    "GET /v1/leftovers/{app}": (ADMIN, OWN),
    "DELETE /v1/leftovers/{app}": (ADMIN, OWN),
    "GET /v1/audit": (ADMIN, ALL),
    "GET /v1/doctor": (READ, ALL),
}
"""The scope that each route needs. A new route is added here, with a decision: what removes or replaces data, or shows
what only admins may see, needs `admin`."""

NEEDED = {route: scope for route, (scope, _) in TABLE.items() if scope}


def test_every_route_stands_in_the_table(api: Api) -> None:
    in_document = {
        f"{method.upper()} {path}" for path, methods in api.app.openapi()["paths"].items() for method in methods
    }
    hidden = {"POST /v1/apps/{app}/hold", "POST /v1/apps/{app}/release"}

    assert set(TABLE) == in_document | hidden


def concrete(route: str, app: str = "ghost") -> tuple[str, str]:
    """A request for this route. No such app is configured, so that nothing is done if it is let through."""
    method, path = route.split(" ")
    path = path.replace("{app}", app).replace("{backup}", "20261125-120000-abc").replace("{deployment_id}", "d1")
    path = path.replace("{check_id}", "0123456789abcdef")
    return method, path.replace("{name}", "nobody").replace("{session_id}", "0123456789ab")


async def test_each_route_is_for_the_scopes_of_the_table_and_no_others(api: Api) -> None:
    tokens = {scope: api.token(scope) for scope in Scope}
    callers = [(scope, secret) for scope, token in tokens.items() for secret in (token, await api.session(token))]

    wrong = []
    # What ends the session of the request comes last.
    for route, needed in sorted(NEEDED.items(), key=lambda one: one[0] == "DELETE /v1/sessions/current"):
        for scope, secret in callers:
            status = await api.status(*concrete(route), secret)
            if (status not in (401, 403)) is not (scope.covers(needed) and not _only_for_tokens(route, secret)):
                wrong.append((route, scope, secret[:3], status))

    assert wrong == []


def _only_for_tokens(route: str, caller: str) -> bool:
    """A session of the panel makes no sessions."""
    return caller.startswith("cs_") and route == "POST /v1/sessions"


async def test_each_route_refuses_whoever_has_no_valid_token(api: Api) -> None:
    revoked, expired = api.token(ADMIN, revoked=True), api.token(ADMIN, lasts=timedelta(seconds=-1))

    for secret in ("", revoked, expired):
        answers = {route: await api.status(*concrete(route), secret) for route in NEEDED}
        assert answers == dict.fromkeys(NEEDED, 401)


async def test_a_token_for_some_apps_is_for_these_apps_only(api: Api) -> None:
    stored(api, "d1", "ghost")
    other, own = api.token(ADMIN, "shop"), api.token(ADMIN, "ghost")

    others_refused = {route for route in NEEDED if await api.status(*concrete(route), other) == 403}
    own_refused = {route for route in NEEDED if await api.status(*concrete(route), own) == 403}

    assert others_refused == {route for route, (_, kind) in TABLE.items() if kind in (ALL, OWN)}
    assert own_refused == {route for route, (_, kind) in TABLE.items() if kind == ALL}


def stored(api: Api, deployment_id: str, app: str) -> Deployment:
    made = Deployment(deployment_id, app, Kind.DEPLOY, State.FAILED, "ci", now())
    api.orchestrator.journal.add(made)
    return made


async def test_a_deploy_token_may_roll_back_but_not_replace_data(api: Api) -> None:
    restore = {"restore": "20261125-120000-abc"}

    plain = await api.status("POST", "/v1/apps/shop/rollback", api.token(DEPLOY))
    refused = await api.json("POST", "/v1/apps/shop/rollback", api.token(DEPLOY, name="ci"), restore)
    admin = await api.status("POST", "/v1/apps/shop/rollback", api.token(ADMIN), restore)

    assert plain == 409  # there is no standby
    assert refused["status"] == 403
    assert refused["detail"] == "Token 'ci' has scope 'deploy'; a rollback that restores a backup needs 'admin'."
    assert admin in (404, 409)  # there is no such backup, or no standby


async def test_a_list_of_apps_has_those_of_the_token(api: Api) -> None:
    api.orchestrator.config_file.refuse("c.yaml:7: apps.till: what others do")
    all_apps = await api.json("GET", "/v1/apps", api.token(READ))
    own = await api.json("GET", "/v1/apps", api.token(READ, "shop"))

    assert [app["name"] for app in all_apps["apps"]] == ["panel", "shop"]  # type: ignore[attr-defined]
    assert [app["name"] for app in own["apps"]] == ["shop"]  # type: ignore[attr-defined]
    assert "what others do" in str(all_apps["troubles"])
    assert own["troubles"] == []


async def test_the_event_stream_has_the_events_of_the_tokens_apps(api: Api) -> None:
    stored(api, "d1", "shop")
    stored(api, "d2", "panel")
    api.orchestrator.journal.append_events(
        [
            NewEvent(EventKind.LINE, "", "d2", {"line": "of the panel"}),
            NewEvent(EventKind.CONFIG_LOADED, "", "", {"apps": ["panel", "shop"]}),
            NewEvent(EventKind.LIVE, "panel", "d2", {}),
            NewEvent(EventKind.LINE, "", "gone", {"line": "of nobody"}),
            NewEvent(EventKind.LINE, "", "d1", {"line": "of the shop"}),
        ]
    )

    async with api.request("GET", "/v1/events?after=0", api.token(READ, "shop")) as stream:
        text = ""
        while "data:" not in text:
            text += await stream.chunk()
    foreign = await api.status("GET", "/v1/events?deployment=d2", api.token(READ, "shop"))
    unknown = [
        await api.status("GET", "/v1/events?deployment=zzzzzzzz", api.token(READ, *apps)) for apps in ((), ("shop",))
    ]

    assert text.count("data:") == 1
    assert "of the shop" in text
    assert foreign == 403
    assert unknown == [404, 404]


@pytest.mark.parametrize("as_session", [False, True])
async def test_revoking_a_token_ends_its_event_streams_at_once(api: Api, as_session: bool) -> None:
    secret = api.token(READ, name="ci")
    caller = await api.session(secret) if as_session else secret
    other = api.token(READ)

    async with api.request("GET", "/v1/events", caller) as stream, api.request("GET", "/v1/events", other) as kept:
        await stream.chunk()
        await kept.chunk()
        revoked = await api.status("DELETE", "/v1/tokens/ci", api.token(ADMIN))
        rest = await stream.text()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(kept.chunk(), 0.05)
    again = await api.status("GET", "/v1/events", caller)

    assert (revoked, rest, again) == (200, "", 401)


async def test_signing_out_ends_the_sessions_streams_and_no_others(api: Api) -> None:
    secret = api.token(READ)
    mine, another = await api.session(secret), await api.session(secret)

    async with api.request("GET", "/v1/events", mine) as stream:
        await stream.chunk()
        ended = await api.status("DELETE", "/v1/sessions/current", mine)
        rest = await stream.text()

    assert (ended, rest) == (200, "")
    assert await api.status("GET", "/v1/apps", mine) == 401
    assert await api.status("GET", "/v1/apps", another) == 200
    assert await api.status("GET", "/v1/apps", secret) == 200


async def test_an_admin_sees_the_open_sessions_and_ends_one(api: Api) -> None:
    admin, secret = api.token(ADMIN), api.token(READ, name="ann")
    mine, another, expired = [await api.session(secret) for _ in range(3)]
    rewrite(api, expired, expires=timedelta(seconds=-1))
    listed = (await api.json("GET", "/v1/sessions", admin))["sessions"]
    ids = {digest_of(session)[:12]: session for session in (mine, another)}

    async with api.request("GET", "/v1/events", mine) as stream:
        await stream.chunk()
        ended = await api.json("DELETE", f"/v1/sessions/{digest_of(mine)[:12]}", admin)
        rest = await stream.text()

    assert {(one["id"], one["token"]) for one in listed} == {(one, "ann") for one in ids}  # type: ignore[attr-defined]
    assert not any(session in str(listed) or digest_of(session) in str(listed) for session in (mine, another))
    assert (ended, rest) == ({"ended": digest_of(mine)[:12]}, "")
    assert [await api.status("GET", "/v1/apps", one) for one in (mine, another)] == [401, 200]
    assert await api.status("DELETE", f"/v1/sessions/{digest_of(mine)[:12]}", admin) == 409


@pytest.mark.parametrize("pause_s", [0, 3600], ids=["busy", "silent"])
async def test_a_stream_ends_when_its_token_expires_however_much_it_has_to_tell(api: Api, pause_s: float) -> None:
    api.token(READ, name="ci")
    soon = Caller("ci", READ, ends_at=now() + timedelta(milliseconds=50))

    async def following() -> AsyncIterator[int]:
        while True:
            await asyncio.sleep(pause_s)
            yield 1

    async with asyncio.timeout(30):
        items = [item async for item in while_allowed(api.orchestrator.gate, soon, following())]

    assert set(items) <= {1}


async def test_whoever_is_let_in_has_until_the_token_or_the_session_ends_whichever_is_first(api: Api) -> None:
    hour, gate = timedelta(hours=1), api.orchestrator.gate
    for_ever, short = api.token(READ), api.token(READ, lasts=hour)
    of_both = [for_ever, short, await api.session(for_ever), await api.session(short), await api.session(for_ever)]
    rewrite(api, of_both[-1], expires=hour / 2)

    found = [(await gate.admit(secret, "203.0.113.7", "")).ends_at for secret in of_both]

    in_hours = [round((one - now()) / hour, 1) if one else None for one in found]
    assert in_hours == [None, 1, 7 * 24, 1, 0.5]


async def test_a_stream_ends_with_what_it_tells(api: Api) -> None:
    api.token(READ, name="ci")

    async def following() -> AsyncIterator[int]:
        yield 1
        yield 2

    assert [item async for item in while_allowed(api.orchestrator.gate, Caller("ci", READ), following())] == [1, 2]


async def test_a_session_is_stored_as_a_digest_and_makes_neither_tokens_nor_sessions(api: Api) -> None:
    session = await api.session(api.token(ADMIN))
    wanted = {"name": "lasting", "scope": "admin"}

    made = [
        await api.status("POST", "/v1/tokens", session, wanted),
        await api.status("POST", "/v1/sessions", session),
    ]

    assert made == [403, 403]
    assert session.encode() not in b"".join(file.read_bytes() for file in api.orchestrator.settings.state.glob("*.db*"))


async def test_a_session_ends_when_it_is_not_used_and_after_its_time(api: Api) -> None:
    journal = api.orchestrator.journal
    idle, used, old = [await api.session(api.token(READ)) for _ in range(3)]
    rewrite(api, idle, used=timedelta(hours=-13))
    rewrite(api, used, used=timedelta(hours=-11))
    rewrite(api, old, expires=timedelta(seconds=-1))

    answers = [await api.json("GET", "/v1/sessions/current?used=true", secret) for secret in (idle, used, old)]

    assert [one.get("detail", "") for one in answers] == [
        "The session of the panel has ended because it was not used.",
        "",
        "The session of the panel has expired.",
    ]
    kept = journal.panel_session(used)
    assert kept
    assert now() - kept.used_at < timedelta(minutes=1)


def rewrite(api: Api, secret: str, *, used: timedelta = timedelta(0), expires: timedelta = timedelta(days=7)) -> None:
    """Move the session's times: to so long from now."""
    moments = [str((now() + distance).replace(tzinfo=None)) for distance in (used, expires)]
    with sqlite3.connect(api.orchestrator.settings.state / "journal.db") as database:
        database.execute(
            "UPDATE panel_sessions SET used_at = ?, expires_at = ? WHERE digest = ?", (*moments, digest_of(secret))
        )


@pytest.mark.parametrize("name", ["a/b", "..", "a b", "ä", "", "-x", "x" * 65, "a\nb", "?x", "%2F"])
async def test_a_name_that_could_not_be_revoked_is_refused_and_one_of_before_can_be_revoked(
    api: Api, name: str
) -> None:
    admin = api.token(ADMIN)
    refused = await api.status("POST", "/v1/tokens", admin, {"name": name, "scope": "read"})
    secret = f"co_{name!r}"
    api.orchestrator.journal.add_token(name, secret, READ)

    revoked = await api.json("DELETE", f"/v1/tokens?name={quote(name, safe='')}", admin)

    assert refused == 422
    assert revoked == {"revoked": name}
    assert await api.status("GET", "/v1/apps", secret) == 401


async def test_a_token_is_created_for_apps_and_for_a_time(api: Api) -> None:
    admin = api.token(ADMIN, name="boss")
    wanted = {"name": "ci", "scope": "deploy", "apps": ["shop"], "expires_in": 90 * 24 * 3600}

    made = await api.json("POST", "/v1/tokens", admin, wanted)
    unknown = await api.status("POST", "/v1/tokens", admin, {**wanted, "name": "x", "apps": ["ghost"]})
    listed = await api.json("GET", "/v1/tokens", admin)

    assert unknown == 404
    (ci,) = [one for one in listed["tokens"] if one["name"] == "ci"]  # type: ignore[attr-defined]
    assert (ci["scope"], ci["apps"], ci["valid"]) == ("deploy", ["shop"], True)
    assert ci["expires_at"] == made["expires_at"]
    assert str(made["token"]) not in str(listed)
    assert await api.status("GET", "/v1/apps/shop", str(made["token"])) == 200
    assert await api.status("GET", "/v1/apps/panel", str(made["token"])) == 403


async def test_of_many_who_create_a_token_of_one_name_at_once_one_does(api: Api) -> None:
    admin = api.token(Scope.ADMIN)
    wanted = {"name": "ci", "scope": "read"}

    statuses = await asyncio.gather(*(api.status("POST", "/v1/tokens", admin, wanted) for _ in range(12)))

    assert sorted(statuses) == [201] + [409] * 11
