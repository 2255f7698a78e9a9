"""The API's routes and shapes that scripts of users rely on, and who may use them."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from orchestrator.access import tokens
from orchestrator.apps.look import Health
from orchestrator.config.schema import Config
from orchestrator.doctor import problems
from orchestrator.doctor.checks import examine
from orchestrator.doctor.report import Finding
from orchestrator.domain.access import Scope
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Failure, Kind, Slots, State, StepName
from orchestrator.domain.release import Release
from orchestrator.domain.unsettled import Unsettled
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, ContainerStatus, Role
from orchestrator.server import Orchestrator
from tests.support.asgi import api_of
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.proxy import FakeProxy

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
LIVE = Deployment(
    "d1", "shop", Kind.DEPLOY, State.LIVE, "me", MOMENT, colour=Colour.BLUE,
    release=Release("v1", "r1", "sha256:1"), container="shop-blue", address="127.0.0.1", port=9,
)  # fmt: skip
APP_KEYS = {
    "name", "url", "active", "standby", "candidate", "update", "updates_off", "notify_of", "held_back", "deployment",
    "health", "unsettled", "troubles",
    "configuration_changed", "file_not_used", "muted_until",
}  # fmt: skip
"""The contract of `changeover status --json` and `GET /v1/apps`."""


class Client:
    """Asks the API in this process. Nothing runs behind it: no recovery, no checks, no probes."""

    def __init__(self, orchestrator: Orchestrator) -> None:
        orchestrator.ready = True
        self._api: FastAPI = api_of(orchestrator)
        self._journal = orchestrator.journal

    def ask(self, scope: Scope | None, method: str, path: str, body: object = None) -> httpx.Response:
        """With a token of this scope, or with none."""
        secret = tokens.create(self._journal, f"t{secrets.token_hex(4)}", scope) if scope else ""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._api)
            headers = {"Authorization": f"Bearer {secret}"} if secret else {}
            async with httpx.AsyncClient(transport=transport, base_url="http://api.test", headers=headers) as client:
                return await client.request(method, path, json=body)

        return asyncio.run(ask())


@pytest.fixture
def client(orchestrator: Orchestrator) -> Client:
    return Client(orchestrator)


def test_status_has_the_fields_of_its_contract(client: Client, orchestrator: Orchestrator) -> None:
    answer = client.ask(Scope.READ, "GET", "/v1/apps")

    assert [app["name"] for app in answer.json()["apps"]] == ["panel", "shop"]
    assert all(set(app) == APP_KEYS for app in answer.json()["apps"])
    assert {app["health"] for app in answer.json()["apps"]} == {"none"}


def test_after_a_rollback_a_release_is_live_since_then(client: Client, orchestrator: Orchestrator) -> None:
    noon, journal = datetime(2026, 1, 1, 12, tzinfo=UTC), orchestrator.journal
    for number, (kind, container) in enumerate([(Kind.DEPLOY, "one"), (Kind.DEPLOY, "two"), (Kind.ROLLBACK, "one")]):
        at = noon.replace(hour=12 + number)
        journal.add(
            Deployment(
                f"d{number}",
                "shop",
                kind,
                State.LIVE,
                "me",
                at,
                live_at=at,
                container=container,
                colour=Colour.BLUE,
                release=Release("v1", "r1", "sha256:1"),
            )
        )
    journal.save_switch("shop", Slots("d0", "d1"))

    shop = client.ask(Scope.READ, "GET", "/v1/apps/shop").json()

    assert (shop["active"]["since"][11:16], shop["standby"]["since"][11:16]) == ("14:00", "13:00")


def test_what_a_failed_migration_left_is_red_until_it_is_accepted(client: Client, orchestrator: Orchestrator) -> None:
    left = Unsettled("d1", datetime(2026, 1, 1, tzinfo=UTC), "0003 stands.", "Restore backup b1.", "b1")
    orchestrator.journal.add(Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", left.since))
    orchestrator.journal.save_switch("shop", Slots("d1", ""))
    orchestrator.journal.leave("shop", left)

    async def finding() -> Finding | None:
        return next((one for one in await examine(orchestrator) if one.what == "data of shop"), None)

    shown = client.ask(Scope.READ, "GET", "/v1/apps/shop").json()["unsettled"]
    red = asyncio.run(finding())
    accepted = client.ask(Scope.DEPLOY, "POST", "/v1/apps/shop/migrations/accept")
    again = client.ask(Scope.DEPLOY, "POST", "/v1/apps/shop/migrations/accept?again=1")

    assert (shown["says"], shown["remedy"], shown["backup"]) == ("0003 stands.", "Restore backup b1.", "b1")
    assert red is not None
    assert (red.well, red.remedy) == (False, "Restore backup b1.")
    assert "0003 stands." in red.says
    assert accepted.json() == {"app": "shop", "deployment": "d1", "says": "0003 stands."}
    assert again.status_code == 409
    assert orchestrator.journal.unsettled("shop") is None
    assert asyncio.run(finding()) is None


def test_a_configuration_that_is_refused_and_a_forgotten_pause_are_red_in_the_status(
    client: Client, orchestrator: Orchestrator
) -> None:
    orchestrator.config_file.refuse("c.yaml:3: not valid")

    (config,) = client.ask(Scope.READ, "GET", "/v1/apps").json()["troubles"]
    (paused,) = problems.of_app(orchestrator, "shop", Health.PAUSED)

    assert config["says"].endswith("c.yaml:3: not valid")
    assert config["since"] is not None
    assert (paused.says, paused.remedy) == (
        "New requests wait: they are paused.", "Resume them: changeover resume shop",
    )  # fmt: skip
    assert problems.of_app(orchestrator, "shop", Health.HEALTHY) == []


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        ("c.yaml:3: not valid", ["The last valid configuration is in use: c.yaml:3: not valid"]),
        (
            "c.yaml:3: not valid\nc.yaml:4: not valid, too",
            [
                "The last valid configuration is in use: the file has 2 errors",
                "c.yaml:3: not valid",
                "c.yaml:4: not valid, too",
            ],
        ),
    ],
)
def test_each_error_of_the_file_has_a_line_of_its_own(
    client: Client, orchestrator: Orchestrator, problem: str, says: list[str]
) -> None:
    orchestrator.config_file.is_known = True
    orchestrator.config_file.refuse(problem, remedy="Write the file again.")

    (trouble,) = client.ask(Scope.READ, "GET", "/v1/apps").json()["troubles"]
    found = next(one for one in asyncio.run(examine(orchestrator)) if one.what == "configuration")

    assert trouble["says"].splitlines() == says
    assert not trouble["warns"]
    assert [line.partition(" (since ")[0] for line in found.says.splitlines()] == says
    assert (found.well, found.remedy) == (False, "Write the file again.")


def test_a_file_that_is_used_by_itself_is_no_error(client: Client, orchestrator: Orchestrator) -> None:
    """It was red, and said "Correct the file.", although nothing was to be corrected."""
    orchestrator.config_file.refuse("It waits.", remedy="Nothing to do.", waits=True, try_again=True)

    (trouble,) = client.ask(Scope.READ, "GET", "/v1/apps").json()["troubles"]
    found = next(one for one in asyncio.run(examine(orchestrator)) if one.what == "configuration")

    assert (trouble["says"], trouble["remedy"], trouble["warns"]) == ("It waits.", "Nothing to do.", True)
    assert (found.well, found.warns, found.remedy) == (True, True, "Nothing to do.")


def test_the_status_says_why_a_standby_is_stopped_instead_of_paused(orchestrator: Orchestrator) -> None:
    """It looked as a paused one does, and a rollback took a start."""
    for name in ("d1", "d2"):
        orchestrator.journal.add(Deployment(name, "shop", Kind.DEPLOY, State.LIVE, "me", MOMENT, container=f"c-{name}"))
    orchestrator.journal.save_switch("shop", Slots("d2", "d1"))

    async def warnings() -> list[str]:
        found = problems.of_app(orchestrator, "shop", Health.HEALTHY)
        return [one.says + one.remedy for one in found if one.warns]

    before = asyncio.run(warnings())
    orchestrator.apps.get("shop").not_paused.say("c-d1", "it did not answer")
    (says,) = asyncio.run(warnings())
    orchestrator.apps.get("shop").not_paused.say("c-d0", "an earlier one")

    assert before == asyncio.run(warnings()) == []
    assert "Why: it did not answer" in says
    assert says.endswith("docker start c-d1")


def test_the_doctor_says_why_an_app_has_no_release(orchestrator: Orchestrator) -> None:
    def finding() -> Finding:
        return next(one for one in asyncio.run(examine(orchestrator)) if one.what == "app shop")

    never = finding()
    why = Failure(StepName.FETCH, "The repository /srv/shop does not exist.", "Mount it.")
    made = Deployment("d1", "shop", Kind.DEPLOY, State.FAILED, "me", MOMENT, failure=why)
    orchestrator.journal.add(made)
    failed = finding()

    assert (never.says, never.remedy) == ("no release is live", "Deploy one: changeover deploy shop")
    assert failed.says == (
        "no release is live: deployment d1 failed at fetch: The repository /srv/shop does not exist."
    )
    assert failed.remedy == (
        "Mount it. Its log and steps: changeover show d1. Then deploy again: changeover deploy shop"
    )


def test_an_app_that_is_taken_out_of_the_configuration_while_the_doctor_looks_is_no_finding(
    orchestrator: Orchestrator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Deployment("d1", "shop", Kind.DEPLOY, State.LIVE, "me", MOMENT, live_at=MOMENT, colour=Colour.BLUE)
    orchestrator.journal.add(made)
    orchestrator.journal.save_switch("shop", Slots("d1"))
    status = orchestrator.engine.status

    async def renamed(name: str) -> ContainerStatus | None:
        if not name:
            orchestrator.apps.take(Config())
        return await status(name)

    monkeypatch.setattr(orchestrator.engine, "status", renamed)

    assert [one for one in asyncio.run(examine(orchestrator)) if one.what == "app shop"] == []


def test_an_app_that_is_taken_out_of_the_configuration_while_its_state_is_asked_for_is_no_error(
    orchestrator: Orchestrator,
) -> None:
    """The list of apps waits for health in between: it answered 404, for all of them."""
    assert problems.of_app(orchestrator, "gone", Health.HEALTHY) == []


@pytest.mark.parametrize(
    ("by_hand", "says"),
    [
        ({}, "its container does not answer"),
        ({"running": False}, "its container does not run"),
        ({"paused": True}, "its container is paused"),
        (
            {"moved_to": "172.30.0.4"},
            "its container is at 172.30.0.4, and not at 127.0.0.1 in the network of the stack",
        ),
        ({"moved_to": ""}, "its container is not at 127.0.0.1 in the network of the stack"),
    ],
)
async def test_doctor_says_why_the_container_of_an_app_does_not_answer(
    by_hand: dict[str, object], says: str, orchestrator: Orchestrator
) -> None:
    engine = orchestrator.engine
    assert isinstance(engine, FakeEngine)
    labels = {LABEL_APP: "shop", LABEL_ROLE: Role.APP}
    await engine.start(ContainerSpec("shop-blue", "sha256:1", labels=labels, network="test", address="127.0.0.1"))
    for name, value in by_hand.items():
        setattr(engine.running["shop-blue"], name, value)
    orchestrator.journal.add(LIVE)
    orchestrator.journal.save_switch("shop", Slots("d1", ""), LIVE)

    (shop,) = [one for one in await examine(orchestrator) if one.what == "app shop"]

    assert not shop.well
    assert shop.says.startswith("v1 on blue")
    assert says in shop.says


async def test_doctor_names_no_log_of_a_container_that_does_not_exist(orchestrator: Orchestrator) -> None:
    orchestrator.journal.add(LIVE)
    orchestrator.journal.save_switch("shop", Slots("d1", ""), LIVE)

    (shop,) = [one for one in await examine(orchestrator) if one.what == "app shop"]

    assert shop.says == "v1 on blue: its container does not exist"
    assert "log" not in shop.remedy


@pytest.mark.parametrize("standby", ["", "d0"])
async def test_status_says_why_an_active_release_does_not_serve(standby: str, orchestrator: Orchestrator) -> None:
    orchestrator.journal.add(LIVE)
    orchestrator.journal.add(replace(LIVE, id="d0", container="shop-green"))
    orchestrator.journal.save_switch("shop", Slots("d1", standby), LIVE)
    probing = asyncio.create_task(orchestrator.health.keep_current())
    orchestrator.health.due("shop")
    health = await orchestrator.health.of("shop")
    probing.cancel()

    trouble = problems.of_app(orchestrator, "shop", health)[0]

    assert trouble.says == "Its active release does not serve: its container does not exist any more."
    assert "changeover logs shop" in trouble.remedy
    assert ("changeover rollback shop" in trouble.remedy) is bool(standby), "there must be something to return to"


def test_the_plan_of_a_deployment_is_shown_before_it_is_made(client: Client, orchestrator: Orchestrator) -> None:
    answer = client.ask(Scope.READ, "GET", "/v1/apps/shop/plan")

    assert (answer.json()["app"], answer.json()["kind"]) == ("shop", "deploy")
    steps = [step["name"] for step in answer.json()["steps"]]
    assert steps == ["prepare", "fetch", "build", "backup", "migrate", "start", "verify", "switch", "retire"]
    assert answer.json()["cost"] == ["No release of shop is live: nobody is interrupted."]
    assert orchestrator.journal.deployments("shop") == []


def test_the_plan_of_a_rollback_without_a_standby_is_refused_as_the_rollback_would_be(
    client: Client, orchestrator: Orchestrator
) -> None:
    answer = client.ask(Scope.READ, "GET", "/v1/apps/shop/plan?kind=rollback")

    assert answer.status_code == 409
    assert "no standby release" in answer.json()["detail"]


@pytest.mark.parametrize(("pause", "resume"), [("pause", "resume"), ("hold", "release")])
def test_requests_are_paused_and_resumed_also_by_the_names_of_before(
    client: Client, orchestrator: Orchestrator, pause: str, resume: str
) -> None:
    proxy = orchestrator.proxy
    assert isinstance(proxy, FakeProxy)

    paused = client.ask(Scope.DEPLOY, "POST", f"/v1/apps/shop/{pause}", {"limit": 5})
    waiting = set(proxy.waiting)
    resumed = client.ask(Scope.DEPLOY, "POST", f"/v1/apps/shop/{resume}")

    assert paused.json() == {"app": "shop", "paused": True, "held": True}
    assert waiting == {"shop"}
    assert resumed.json()["paused"] is False
    assert proxy.waiting == set()


@pytest.mark.parametrize("asked", ["pause", "resume"])
def test_nobody_lets_requests_go_that_wait_for_a_change_of_the_data(
    client: Client, orchestrator: Orchestrator, asked: str
) -> None:
    proxy, lane = orchestrator.proxy, orchestrator.scheduler.lane_of("shop")
    assert isinstance(proxy, FakeProxy)
    restore = Deployment("r1", "shop", Kind.RESTORE, State.RUNNING, "ann", MOMENT, paused_at=MOMENT)
    orchestrator.journal.add(restore)
    lane.running = restore
    asyncio.run(lane.turn.acquire())
    proxy.waiting.add("shop")

    refused = client.ask(Scope.ADMIN, "POST", f"/v1/apps/shop/{asked}")
    still = set(proxy.waiting)
    orchestrator.journal.save(replace(restore, resumed_at=MOMENT))
    allowed = client.ask(Scope.DEPLOY, "POST", f"/v1/apps/shop/{asked}")

    assert refused.status_code == 409
    assert refused.json()["detail"].startswith("Restore r1 has paused the requests of shop while it changes the data.")
    assert still == {"shop"}
    assert allowed.status_code == 200


def test_requests_that_an_interrupted_change_of_the_data_has_paused_can_be_let_go_while_nothing_is_at_work(
    client: Client, orchestrator: Orchestrator
) -> None:
    """Its recovery fails. It is on record that they were let go, so that it undoes nothing that was written since."""
    proxy = orchestrator.proxy
    assert isinstance(proxy, FakeProxy)
    orchestrator.journal.add(Deployment("r1", "shop", Kind.RESTORE, State.RUNNING, "ann", MOMENT, paused_at=MOMENT))
    orchestrator.scheduler.wait_for_recovery("shop")
    proxy.waiting.add("shop")

    allowed = client.ask(Scope.DEPLOY, "POST", "/v1/apps/shop/resume")

    assert allowed.status_code == 200
    assert proxy.waiting == set()
    assert orchestrator.journal.deployment("r1").resumed_at is not None


def test_the_older_names_do_not_stand_in_the_api_document(client: Client) -> None:
    paths = set(client.ask(None, "GET", "/openapi.json").json()["paths"])

    assert {"/v1/apps/{app}/pause", "/v1/apps/{app}/resume", "/v1/apps/{app}/plan"} <= paths
    assert not {path for path in paths if path.endswith(("/hold", "/release"))}


def test_a_token_without_the_scope_is_refused_with_what_it_has_and_what_is_needed(
    client: Client, orchestrator: Orchestrator
) -> None:
    answer = client.ask(Scope.READ, "POST", "/v1/apps/shop/pause")

    assert answer.status_code == 403
    assert answer.json()["detail"].endswith("has scope 'read'; this needs 'deploy'.")


def test_without_a_token_nothing_is_shown(client: Client) -> None:
    answer = client.ask(None, "GET", "/v1/apps")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_notices_and_problems_of_a_configuration_are_shown(client: Client, orchestrator: Orchestrator) -> None:
    text = "hot_reload: {enabled: true}\n"

    answer = client.ask(Scope.READ, "POST", "/v1/config/validate", {"text": text, "name": "c.yaml"})

    assert answer.json()["problems"] == []
    assert "hot_reload" in answer.json()["notices"][0]
