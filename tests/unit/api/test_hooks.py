"""The hooks' own application: what strangers get, what a forge gets, and what is asked for it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from orchestrator.api import hooks
from orchestrator.api.hooks import MOST_OF_BODY, MOST_READ, NO_ROUTE, NOT_ACCEPTED, NOT_READ, Hooks
from orchestrator.domain.access import Scope
from orchestrator.domain.push_check import Delivery, Forge, PushCheck
from orchestrator.pushes.checks import PushCheckRunner
from orchestrator.pushes.refusals import LOGGED_A_MINUTE, Outcome, PushCounts
from tests.support.forges import SECRET, Sent, delivery, git_push, image_push
from tests.unit.api.conftest import Api

CONFIG = """apps:
  shop:
    update: {git: {remote: /srv/shop, branch: main}}
    route: {host: shop.test}
    push: {secret_file: secrets/shop-hook}
  blog:
    update: {git: {remote: /srv/blog}}
    route: {host: blog.test}
"""


OF_REGISTRY = CONFIG.replace(
    "git: {remote: /srv/shop, branch: main}", "source: registry, registry: {image: registry.test/shop, tag: stable}"
)


class Recorded(PushCheckRunner):
    """Records checks and carries none out."""

    def __init__(self, runner: PushCheckRunner) -> None:
        self.__dict__ |= runner.__dict__
        self.asked: list[Delivery] = []
        self.happened: list[str] = []

    def begin(self) -> None:
        self.happened.append("begun")

    def _let_wait(self, lane: Any, check: PushCheck) -> None:
        self.asked.append(Delivery(check.app, check.forge, check.id))


@dataclass
class Answered:
    status: int
    content: Any
    headers: dict[str, str]


class Door:
    """The hooks of a configuration with one app that takes pushes."""

    def __init__(self, api: Api) -> None:
        self.orchestrator = api.orchestrator
        self.folder = self.orchestrator.settings.config.parent
        (self.folder / "secrets").mkdir()
        self.secret_file = self.folder / "secrets" / "shop-hook"
        self.secret_file.write_text(f"{SECRET}\n")
        self.orchestrator.settings.config.write_text(CONFIG)
        self.pushes = self.orchestrator.pushes = Recorded(self.orchestrator.pushes)
        self.counts: PushCounts = api.app.state.pushes
        self.hooks = Hooks(self.orchestrator, self.counts)

    async def post(
        self, sent: Sent, app: str = "shop", *, path: str = "", method: str = "POST", more: Any = (), part: int = 4096
    ) -> Answered:
        """`more`: headers beside the delivery's own. The body arrives in parts."""
        parts = [sent.body[start : start + part] for start in range(0, len(sent.body), part)] or [b""]
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in (*sent.headers.items(), *more)]
        scope = {"type": "http", "method": method, "path": path or f"/v1/hooks/{app}/{sent.forge}", "headers": headers}
        messages: list[Message] = []

        async def receive() -> Message:
            if not parts:
                return {"type": "http.disconnect"}
            body = parts.pop(0)
            return {"type": "http.request", "body": body, "more_body": bool(parts)}

        async def send(message: Message) -> None:
            messages.append(message)

        await self.hooks(scope, receive, send)
        text = b"".join(one.get("body", b"") for one in messages[1:]).decode()
        answered = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        return Answered(messages[0]["status"], json.loads(text), answered)


@pytest.fixture
async def door(api: Api) -> Door:
    made = Door(api)
    await api.orchestrator.reload_config()
    return made


@pytest.mark.parametrize("forge", [Forge.GITHUB, Forge.GITLAB, Forge.GITEA, Forge.FORGEJO])
async def test_a_push_is_accepted_with_the_address_of_its_check(api: Api, door: Door, forge: Forge) -> None:
    answer = await door.post(delivery(forge, git_push()))

    assert answer.status == 202
    assert answer.content["state"] == "waiting"
    assert answer.content["url"] == answer.headers["location"]
    found = await api.json("GET", answer.content["url"], api.token(Scope.READ, "shop"))
    assert (found["state"], found["forge"], found["deployment"]) == ("waiting", forge, "")
    assert len(door.pushes.asked) == 1
    listed = await api.json("GET", "/v1/apps/shop/update/checks", api.token(Scope.READ, "shop"))
    assert listed == {"checks": [found]}


async def test_a_push_is_in_the_audit_log_with_where_it_came_from(door: Door) -> None:
    await door.post(delivery(Forge.GITHUB, git_push()), more=[("x-forwarded-for", "203.0.113.9")])

    entry = door.orchestrator.journal.audit_entries(1)[0]
    assert (entry.who, entry.origin, entry.action, entry.app, entry.status) == (
        "push of github", "203.0.113.9", "POST /v1/hooks/shop/github", "shop", 202,
    )  # fmt: skip


async def test_a_push_is_checked_after_its_answer_and_also_when_nobody_hears_that(door: Door) -> None:
    """The forge waits for the answer; the check, which starts processes, waits for nobody."""
    events = door.pushes.happened
    sent = delivery(Forge.GITHUB, git_push())
    scope = {
        "type": "http", "method": "POST", "path": "/v1/hooks/shop/github",
        "headers": [(name.encode(), value.encode()) for name, value in sent.headers.items()],
    }  # fmt: skip

    async def receive() -> Message:
        return {"type": "http.request", "body": sent.body}

    async def send(message: Message) -> None:
        events.append(message["type"])
        if len(events) > 1:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await door.hooks(scope, receive, send)

    assert events == ["http.response.start", "http.response.body", "begun"]


async def test_a_delivery_that_is_sent_again_is_answered_and_asks_nothing(door: Door) -> None:
    sent = delivery(Forge.GITHUB, git_push(), identifier="one")
    first, again = await door.post(sent), await door.post(sent)

    assert (first.status, again.status) == (202, 200)
    assert again.content["check"] == first.content["check"]
    assert len(door.pushes.asked) == 1
    assert door.counts.total == {("shop", Forge.GITHUB, Outcome.ACCEPTED): 1, ("shop", Forge.GITHUB, Outcome.KNOWN): 1}


@pytest.mark.parametrize(
    ("forge", "content", "event", "says"),
    [
        (Forge.GITHUB, {"zen": "x"}, "ping", "The hook of shop works."),
        (
            Forge.GITHUB, git_push("refs/heads/dev"), "push",
            "shop is not checked: it follows main, and this is refs/heads/dev.",
        ),
        (Forge.GITHUB, {}, "issues", "shop is not checked: the event 'issues' is no push."),
        (Forge.GITLAB, {}, "Note Hook", "shop is not checked: the event 'note hook' is no push."),
        (Forge.GITEA, b"no json", "push", "shop is not checked: a body that is not a JSON object is no push."),
        (Forge.REGISTRY, image_push(), "push", "shop is not checked: it follows no image of a registry."),
    ],
)  # fmt: skip
async def test_what_the_app_does_not_follow_is_no_failure_at_the_forge(
    door: Door, forge: Forge, content: object, event: str, says: str
) -> None:
    # Signed here: a signature of GitLab holds for five minutes, and collecting all tests may take longer.
    answer = await door.post(delivery(forge, content, event=event))

    assert (answer.status, answer.content) == (200, {"says": says})
    assert door.pushes.asked == []


async def refused_alike(door: Door, sent: Sent, app: str = "shop", more: Any = ()) -> None:
    answer = await door.post(sent, app, more=more)
    assert (answer.status, answer.content["detail"]) == (401, NOT_ACCEPTED)


async def test_strangers_are_answered_alike_and_ask_nothing(door: Door) -> None:
    for forge in Forge:
        right = delivery(forge, git_push())
        wrong = delivery(forge, git_push(), secret="whsec_" + "B" * 32)
        await refused_alike(door, wrong)
        await refused_alike(door, replace(right, headers={}))
        await refused_alike(door, right, "ghost")
        await refused_alike(door, right, "blog")
        await refused_alike(door, right, "panel")
        if forge is not Forge.REGISTRY and forge is not Forge.GITLAB:
            await refused_alike(door, replace(right, body=right.body + b" "))
        # Nobody can say which of two was meant.
        await refused_alike(door, right, more=list(right.headers.items()))

    assert door.pushes.asked == []
    assert {outcome for _, _, outcome in door.counts.total} == {Outcome.REFUSED}
    assert {app for app, _, _ in door.counts.total} == {"shop", "blog", "panel", ""}


@pytest.mark.parametrize(
    "path",
    ["/", "/v1/status", "/v1/apps", "/v1/hooks", "/v1/hooks/shop", "/v1/hooks/shop/", "/v1/hooks/shop/svn", "/healthz",
     "/v1/hooks/shop/github/", "/v1/hooks/../apps", "/v1/hooks/shop/github/../../../apps", "/v1/hooks/Shop/github",
     "/v1/hooks/shop\n/github", "/V1/hooks/shop/github", "/v1/hooks/" + "a" * 5000 + "/github", "/metrics",
     "/openapi.json"],
)  # fmt: skip
async def test_nothing_else_is_answered_here(door: Door, path: str) -> None:
    answer = await door.post(delivery(Forge.GITHUB, git_push()), path=path)

    assert (answer.status, answer.content["detail"]) == (404, NO_ROUTE)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_other_methods_get_nothing(door: Door, method: str) -> None:
    assert (await door.post(delivery(Forge.GITHUB, git_push()), method=method)).status == 404
    assert door.pushes.asked == []


async def test_an_app_that_is_removed_while_the_body_comes_is_none(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    verified = hooks._verified

    async def slowly(*arguments: Any) -> Any:
        found = await verified(*arguments)
        monkeypatch.delitem(door.orchestrator.apps._contexts, "shop")
        return found

    monkeypatch.setattr(hooks, "_verified", slowly)

    answered = await door.post(delivery(Forge.GITHUB, git_push()))

    assert (answered.status, NOT_ACCEPTED in str(answered.content)) == (401, True)


async def test_a_body_that_says_that_it_is_too_long_is_refused_unread(door: Door) -> None:
    sent = delivery(Forge.GITHUB, git_push()).with_headers(content_length=str(MOST_OF_BODY + 1))

    answered = await door.post(sent)

    assert answered.status == 413
    assert "changeover check" in str(answered.content)
    assert door.counts.total["shop", Forge.GITHUB, Outcome.REFUSED] == 1


async def test_a_body_that_is_too_long_is_refused_as_soon_as_it_is(door: Door) -> None:
    sent = delivery(Forge.GITHUB, b"x" * (MOST_OF_BODY + 1))

    assert (await door.post(sent, part=2**20)).status == 413


async def test_a_body_that_is_too_long_to_be_kept_is_verified_and_looked_for(door: Door) -> None:
    sent = delivery(Forge.GITHUB, b"x" * (MOST_READ + 1))

    answered = await door.post(sent, part=2**20)
    assert (answered.status, answered.content["says"]) == (202, NOT_READ)
    assert (await door.post(replace(sent, body=sent.body[:-1] + b"y"), part=2**20)).status == 401


@pytest.mark.parametrize(("events", "padding", "is_read"), [(1000, 0, True), (1001, 0, False), (1, MOST_READ, False)])
async def test_what_is_not_read_of_a_registry_is_said_to_it_and_in_the_audit_log(
    door: Door, events: int, padding: int, is_read: bool
) -> None:
    door.orchestrator.settings.config.write_text(OF_REGISTRY)
    await door.orchestrator.reload_config()
    event = {"action": "push", "target": {"repository": "shop", "tag": "stable"}}
    body = json.dumps({"events": [event] * events, "more": "x" * padding}).encode()

    answered = await door.post(delivery(Forge.REGISTRY, body), part=2**20)

    assert answered.status == 202
    assert answered.content.get("says", "") == ("" if is_read else NOT_READ)
    (entry,) = door.orchestrator.journal.audit_entries(10)
    assert entry.reason == ("" if is_read else NOT_READ)


async def test_an_id_of_any_length_is_kept_as_something_short(door: Door) -> None:
    for identifier in ("i" * 5000, "i\x7f", "\xe9"):
        sent = delivery(Forge.GITHUB, git_push(), identifier=identifier)
        assert (await door.post(sent)).status == 202
        assert (await door.post(sent)).status == 200


async def test_another_secret_is_used_without_a_restart(door: Door) -> None:
    new = "another secret of at least 16"
    door.secret_file.write_text(new)

    assert (await door.post(delivery(Forge.GITHUB, git_push()))).status == 401
    assert (await door.post(delivery(Forge.GITHUB, git_push(), secret=new))).status == 202


@pytest.mark.parametrize("content", [None, "", "short", "\xff"])
async def test_without_a_secret_that_nobody_guesses_nothing_is_accepted(door: Door, content: str | None) -> None:
    door.secret_file.unlink()
    if content is not None:
        door.secret_file.write_bytes(content.encode("latin-1"))

    for secret in (content or "", SECRET, ""):
        assert (await door.post(delivery(Forge.GITHUB, git_push(), secret=secret))).status == 401
        headers = {"x-gitlab-token": secret}
        assert (await door.post(Sent(Forge.GITLAB, b"{}", headers))).status == 401


def test_so_many_refused_pushes_are_logged_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    import structlog.testing

    moment = 0.0
    counts = PushCounts(lambda: moment)
    with structlog.testing.capture_logs() as logged:
        for _ in range(1000):
            counts.refused("shop", Forge.GITHUB, "203.0.113.9", "wrong signature")
        moment = 61.0
        counts.refused("shop", Forge.GITHUB, "203.0.113.9", "wrong signature")

    assert len(logged) == LOGGED_A_MINUTE + 1
    assert logged[-1]["not_logged_before"] == 1000 - LOGGED_A_MINUTE
    assert counts.total["shop", Forge.GITHUB, Outcome.REFUSED] == 1001


async def test_the_metrics_say_what_became_of_deliveries_for_whom_they_concern(api: Api, door: Door) -> None:
    await door.post(delivery(Forge.GITHUB, git_push()))
    await door.post(delivery(Forge.GITEA, git_push()), "ghost")

    texts = {}
    for apps in ((), ("shop",), ("blog",)):
        async with api.request("GET", "/metrics", api.token(Scope.READ, *apps)) as answer:
            texts[apps] = await answer.text()

    accepted = 'changeover_pushes_total{app="shop",forge="github",outcome="accepted"} 1.0'
    unknown = 'changeover_pushes_total{app="",forge="gitea",outcome="refused"} 1.0'
    assert [(accepted in text, unknown in text) for text in texts.values()] == [
        (True, True),
        (True, False),
        (False, False),
    ]


async def test_the_secret_is_written_into_the_file_that_is_named(api: Api, door: Door) -> None:
    admin = api.token(Scope.ADMIN, "shop")
    assert await api.status("POST", "/v1/apps/shop/push-secret", admin) == 409
    assert door.secret_file.read_text().strip() == SECRET

    made = await api.json("POST", "/v1/apps/shop/push-secret", admin, {"replace": True})

    assert door.secret_file.read_text() == f"{made['secret']}\n"
    assert door.secret_file.stat().st_mode & 0o777 == 0o600
    assert {"forge": "github", "path": "/v1/hooks/shop/github"} in made["hooks"]  # type: ignore[operator]
    for forge in Forge:
        content = image_push() if forge is Forge.REGISTRY else git_push()
        assert (await door.post(delivery(forge, content, secret=str(made["secret"])))).status in (200, 202)


async def test_an_app_without_the_section_says_what_to_add(api: Api, door: Door) -> None:
    found = await api.json("POST", "/v1/apps/blog/push-secret", api.token(Scope.ADMIN, "blog"))

    assert found["status"] == 409
    assert "push: {secret_file: secrets/blog-hook}" in str(found["remedy"])


@pytest.mark.parametrize("file", ["../outside", "/etc/shop-hook", "no/such/folder/hook", "secrets/../hook", ""])
async def test_a_secret_is_written_nowhere_else(api: Api, door: Door, file: str) -> None:
    door.orchestrator.settings.config.write_text(CONFIG.replace("secrets/shop-hook", json.dumps(file)))
    await door.orchestrator.reload_config()

    answer = await api.json("POST", "/v1/apps/shop/push-secret", api.token(Scope.ADMIN, "shop"), {"replace": True})

    assert answer["status"] == 409, answer
    assert not Path("/etc/shop-hook").exists()


async def test_a_new_secret_is_not_written_through_a_link(api: Api, door: Door, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"outside-{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:8]}"
    outside.write_text("untouched")
    door.secret_file.unlink()
    door.secret_file.symlink_to(outside)

    await api.json("POST", "/v1/apps/shop/push-secret", api.token(Scope.ADMIN, "shop"), {"replace": True})

    assert outside.read_text() == "untouched"
    assert not door.secret_file.is_symlink()
