"""The audit log: failed tries, outcomes, who and from where; and guessing is slowed."""

from __future__ import annotations

from typing import Any

from orchestrator.access.audit import REFUSALS_A_MINUTE, AuditLog
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.errors import JournalError
from orchestrator.journal.store import Journal
from tests.unit.api.conftest import Api


async def entries(api: Api, query: str = "") -> list[Any]:  # Any: JSON
    page = await api.json("GET", f"/v1/audit{query}", api.token(Scope.ADMIN, name=f"auditor{len(query)}"))
    assert isinstance(page["entries"], list)
    return page["entries"]


async def test_what_was_done_and_what_was_refused_is_recorded_with_who_from_where_and_the_outcome(api: Api) -> None:
    ci, reader = api.token(Scope.DEPLOY, "shop", name="ci"), api.token(Scope.READ, name="ann")
    await api.status("POST", "/v1/apps/shop/update/dismiss", ci)
    await api.status("POST", "/v1/apps/panel/pause", ci)
    await api.status("POST", "/v1/apps/shop/rollback", ci, {"restore": "20261125-120000-abc"})
    await api.status("POST", "/v1/apps/shop/rollback", ci)
    await api.status("DELETE", "/v1/tokens/ci", reader)
    await api.status("GET", "/v1/apps", "co_guessed")
    await api.status("GET", "/v1/apps")
    await api.status("GET", "/v1/apps", reader)

    found = await entries(api)

    told = [(one["who"], one["action"], one["app"], one["outcome"], one["status"]) for one in reversed(found)]
    assert told == [
        ("ci", "POST /v1/apps/shop/update/dismiss", "shop", "done", 200),
        ("ci", "POST /v1/apps/panel/pause", "panel", "refused", 403),
        ("ci", "POST /v1/apps/shop/rollback", "shop", "refused", 403),
        ("ci", "POST /v1/apps/shop/rollback", "shop", "refused", 409),
        ("ann", "DELETE /v1/tokens/ci", "", "refused", 403),
        ("", "GET /v1/apps", "", "refused", 401),
        ("", "GET /v1/apps", "", "refused", 401),
        ("auditor0", "GET /v1/audit", "", "unknown", None),
    ]
    assert {one["origin"] for one in found} == {"203.0.113.7"}
    assert found[1]["reason"] == "No token was given."
    assert found[2]["reason"] == "The token is unknown or revoked."
    assert "is for app 'shop'; this needs one for 'panel'" in found[6]["reason"]


async def test_what_was_changed_is_recorded_wherever_the_request_names_it(api: Api) -> None:
    boss = api.token(Scope.ADMIN, name="boss")
    api.token(Scope.READ, name="ci")
    more = {"name": "more", "scope": "deploy", "apps": ["shop"], "expires_in": 60}
    assert await api.status("POST", "/v1/tokens", boss, more) == 201
    assert await api.status("POST", "/v1/tokens", boss, {"name": "all", "scope": "admin"}) == 201
    assert await api.status("DELETE", "/v1/tokens?name=ci", boss) == 200
    await api.status("DELETE", "/v1/leftovers/gone?keep_backups=true", boss)

    recorded = await entries(api, "?who=boss")

    assert [(one["action"], one["reason"]) for one in reversed(recorded)][:3] == [
        ("POST /v1/tokens", "token more, scope deploy, apps shop, for 60 s"),
        ("POST /v1/tokens", "token all, scope admin, all apps, without expiry"),
        ("DELETE /v1/tokens?name=ci", ""),
    ]
    assert recorded[0]["action"] == "DELETE /v1/leftovers/gone?keep_backups=true"


async def test_who_reads_the_audit_log_and_the_tokens_is_recorded(api: Api) -> None:
    boss = api.token(Scope.ADMIN, name="boss")
    await api.status("GET", "/v1/tokens", boss)
    await api.status("GET", "/v1/audit", boss)

    read = await entries(api, "?who=boss")

    assert [one["action"] for one in read] == ["GET /v1/audit", "GET /v1/tokens"]
    assert {one["outcome"] for one in read} == {"done"}


async def test_a_session_is_recorded_with_the_address_of_its_browser(api: Api) -> None:
    secret = api.token(Scope.DEPLOY, name="ann")
    browser = {"changeover-client": "198.51.100.9"}
    async with api.request("POST", "/v1/sessions", secret, headers=browser) as answer:
        assert answer.status == 201
    session = await api.session(secret)
    await api.status("POST", "/v1/apps/shop/pause", session)

    origins = [one["origin"] for one in await entries(api, "?who=ann")]

    assert origins == ["203.0.113.7 by 203.0.113.7", "203.0.113.7", "198.51.100.9 by 203.0.113.7"]


async def test_pages_and_filters_show_every_entry_once(api: Api) -> None:
    ann = api.token(Scope.DEPLOY, name="ann")
    for app in ("shop", "ghost", "shop"):
        await api.status("POST", f"/v1/apps/{app}/update/dismiss", ann)
    first = await api.json("GET", "/v1/audit?limit=2&who=ann", api.token(Scope.ADMIN))
    second = await api.json("GET", f"/v1/audit?limit=2&who=ann&before={first['before']}", api.token(Scope.ADMIN))
    of_shop = await entries(api, "?who=ann&app=shop")
    refused = await entries(api, "?who=ann&refused=true")

    pages = [one["id"] for page in (first, second) for one in page["entries"]]  # type: ignore[attr-defined]
    assert len(set(pages)) == 3
    assert pages == sorted(pages, reverse=True)
    assert second["before"] is None
    assert [one["app"] for one in of_shop] == ["shop", "shop"]
    assert [(one["app"], one["status"]) for one in refused] == [("ghost", 404)]


async def test_refusals_do_not_fill_the_disk_and_are_counted(journal: Journal) -> None:
    moment_s = 0.0
    audit = AuditLog(journal, lambda: moment_s)
    for _ in range(REFUSALS_A_MINUTE + 30):
        await audit.refused("", "203.0.113.7", "GET /v1/apps", "", 401, "No token was given.")
    moment_s = 61
    await audit.refused("", "203.0.113.7", "GET /v1/apps", "", 401, "No token was given.")

    found = journal.audit_entries(500)

    assert len(found) == REFUSALS_A_MINUTE + 1
    assert "Before it, 30 refused requests were not recorded" in found[0].reason
    assert [one.reason for one in found if "more refused requests in it are not recorded" in one.reason] == [
        found[1].reason
    ]


async def test_strangers_do_not_keep_what_was_refused_to_a_token_out_of_the_log(journal: Journal) -> None:
    audit = AuditLog(journal, lambda: 0.0)
    for _ in range(REFUSALS_A_MINUTE + 30):
        await audit.refused("", "203.0.113.7", "GET /v1/apps", "", 401, "No token was given.")
    await audit.refused("ci", "203.0.113.8", "POST /v1/tokens", "", 403, "Token 'ci' has scope 'deploy'.")

    (newest, *_) = journal.audit_entries(1)

    assert (newest.who, newest.status, newest.reason) == ("ci", 403, "Token 'ci' has scope 'deploy'.")


async def test_what_cannot_be_recorded_is_not_done_and_what_was_done_is_answered(api: Api) -> None:
    secret = api.token(Scope.DEPLOY, name="ci")
    journal = api.orchestrator.journal

    class Away(AuditLog):
        async def begun(self, *_: object) -> int:
            raise JournalError("The journal is away.")

    api.orchestrator.audit = Away(journal)
    status = await api.status("POST", "/v1/apps/shop/deployments", secret)

    assert status == 503
    assert journal.deployments("shop") == []


async def test_guessing_tokens_is_slowed_and_those_who_work_are_not(api: Api) -> None:
    ci = api.token(Scope.READ, name="ci")
    assert await api.status("GET", "/v1/apps", ci) == 200

    answers, waits = [], []
    for number in range(16):
        async with api.request("GET", "/v1/apps", f"co_guess{number}") as answer:
            answers.append(answer.status)
            waits += [int(answer.answered["retry-after"])] if answer.status == 429 else []
    working = await api.status("GET", "/v1/apps", ci)
    async with api.request("GET", "/v1/apps", "co_guess", address="198.51.100.9") as elsewhere:
        status_elsewhere = elsewhere.status

    assert answers[:10] == [401] * 10
    assert waits
    assert min(waits) >= 1
    assert (working, status_elsewhere) == (200, 401)


async def test_a_guesser_at_the_panel_does_not_slow_others_there_and_nobody_else_may_name_an_address(api: Api) -> None:
    panel = Deployment("p1", "panel", Kind.DEPLOY, State.LIVE, "first start", now(), address="172.30.1.2")
    api.orchestrator.journal.add(panel)
    api.orchestrator.journal.save_switch("panel", Slots("p1", ""), panel)

    async def guess(peer: str, browser: str) -> int:
        headers = {"changeover-client": browser}
        async with api.request("GET", "/v1/apps", "cs_guess", address=peer, headers=headers) as answer:
            return answer.status

    by_one = [await guess("172.30.1.2", "198.51.100.1") for _ in range(14)]
    by_another = await guess("172.30.1.2", "198.51.100.2")
    by_a_liar = [await guess("172.30.1.3", f"198.51.100.{number}") for number in range(10, 24)]

    assert 429 in by_one
    assert by_another == 401
    assert 429 in by_a_liar
