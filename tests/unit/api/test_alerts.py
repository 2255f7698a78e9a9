"""Alerts and mutes by the API: paged, only of the token's apps, and only for those who may."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.domain.alert import Alert, AlertKind
from orchestrator.domain.mute import Mute
from tests.unit.api.conftest import Api


def alerts_of(api: Api, *apps: str) -> None:
    made = [Alert(AlertKind.OUTAGE, app, now(), f"cause {number}") for number, app in enumerate(apps)]
    api.orchestrator.journal.save_alerts(made, 0, forget_before=now() - timedelta(days=90))


async def apps_in(api: Api, secret: str, query: str = "") -> list[str]:
    found = await api.json("GET", f"/v1/alerts{query}", secret)
    assert isinstance(found["alerts"], list)
    return [one["app"] for one in found["alerts"]]


async def test_a_page_has_the_newest_and_the_cursor_of_the_next(api: Api) -> None:
    alerts_of(api, *["shop"] * 23)
    secret, causes, before = api.token(Scope.READ), [], ""
    for _ in range(3):
        page = await api.json("GET", f"/v1/alerts?limit=10{before}", secret)
        assert isinstance(page["alerts"], list)
        causes += [one["cause"] for one in page["alerts"]]
        before = f"&before={page['before']}"

    assert causes == [f"cause {number}" for number in reversed(range(23))]
    assert before == "&before=None"


async def test_a_token_of_an_app_sees_its_alerts_and_none_of_the_host(api: Api) -> None:
    alerts_of(api, "shop", "", "till")
    of_shop = api.token(Scope.READ, "shop")

    assert await apps_in(api, api.token(Scope.READ)) == ["till", "", "shop"]
    assert await apps_in(api, of_shop) == ["shop"]
    assert await apps_in(api, of_shop, "?app=shop") == ["shop"]
    assert await api.status("GET", "/v1/alerts?app=till", of_shop) == 403


async def test_since_leaves_out_what_was_over_by_then(api: Api) -> None:
    over = Alert(AlertKind.OUTAGE, "shop", now(), "over", ended_at=now() - timedelta(hours=2))
    goes_on = Alert(AlertKind.OUTAGE, "till", now() - timedelta(days=2), "goes on")
    api.orchestrator.journal.save_alerts([over, goes_on], 0, forget_before=now() - timedelta(days=90))
    secret = api.token(Scope.READ)

    def since(moment: datetime) -> str:
        return f"?since={moment.isoformat().replace('+', '%2B')}"

    assert await apps_in(api, secret, since(now() - timedelta(hours=1))) == ["till"]
    assert await apps_in(api, secret, since(now() - timedelta(hours=3))) == ["till", "shop"]
    for wrong in ("2026-11-28T10:00:00", "0001-01-01T00:00:00%2B14:00", "soon"):
        assert await api.status("GET", f"/v1/alerts?since={wrong}", secret) == 422, wrong


async def muted_until(api: Api) -> object:
    return (await api.json("GET", "/v1/apps/shop", api.token(Scope.READ)))["muted_until"]


async def test_an_app_is_muted_until_then_and_unmuted_at_once(api: Api) -> None:
    deployer = api.token(Scope.DEPLOY, name="ann")
    assert await muted_until(api) is None

    answer = await api.json("PUT", "/v1/apps/shop/mute", deployer, {"hours": 0.5})
    assert answer["muted_until"] == await muted_until(api)
    mute = api.orchestrator.journal.mute("shop")
    assert mute
    assert mute.by == "ann"
    assert mute.until - mute.since == timedelta(minutes=30)

    assert (await api.json("DELETE", "/v1/apps/shop/mute", deployer))["muted_until"] is None
    assert await muted_until(api) is None
    assert [one.kind for one in api.orchestrator.journal.events()] == ["muted", "unmuted"]
    await api.json("DELETE", "/v1/apps/shop/mute", deployer)
    assert len(api.orchestrator.journal.events()) == 2, "nothing happens to an app that is not muted"


async def test_without_hours_it_is_four(api: Api) -> None:
    await api.json("PUT", "/v1/apps/shop/mute", api.token(Scope.DEPLOY))

    mute = api.orchestrator.journal.mute("shop")
    assert mute
    assert mute.until - mute.since == timedelta(hours=4)


async def test_a_mute_that_is_over_is_none(api: Api) -> None:
    api.orchestrator.journal.save_mute(Mute("shop", now() - timedelta(hours=2), now() - timedelta(hours=1), "ann"))

    assert await muted_until(api) is None


async def test_who_may_mute_and_for_how_long(api: Api) -> None:
    deployer = api.token(Scope.DEPLOY)

    assert await api.status("PUT", "/v1/apps/shop/mute", api.token(Scope.READ)) == 403
    assert await api.status("PUT", "/v1/apps/shop/mute", api.token(Scope.DEPLOY, "till")) == 403
    assert await api.status("PUT", "/v1/apps/none/mute", deployer) == 404
    for hours in (0, -1, 168.5, "many"):
        assert await api.status("PUT", "/v1/apps/shop/mute", deployer, {"hours": hours}) == 422, hours
    assert await api.status("PUT", "/v1/apps/shop/mute", deployer, {"hours": 168}) == 200
