"""Pushes of forges and registries, from the delivery through the proxy to the live release."""

from __future__ import annotations

import json
import random
import signal
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.api.hooks import MOST_OF_BODY
from orchestrator.domain.push_check import Forge
from tests.support.addresses import free_port
from tests.support.cosign import Cosign
from tests.support.forges import SECRET, Sent, delivery, git_push, image_push
from tests.support.notice_server import NoticeServer, served_in_a_thread
from tests.support.paths import ROOT
from tests.support.registry import Registry
from tests.support.repository import Repository
from tests.support.stack import NO_APPS, Stack
from tests.system.test_registry_images import CONFIG as IMAGE
from tests.system.test_registry_images import push

SHOP = """
apps:
  shop:
    update: {{check_on_startup: false, git: {{remote: {remote}, branch: main, auto_fetch: false}}}}
    run: {{port: 8000, data: /data}}
    route: {{host: shop.test}}
    health: {{timeout: 30}}
    migrate: {{command: alembic upgrade head, timeout: 60}}
    drain: {{timeout: 2, stop_timeout: 5}}
    push: {{secret_file: secrets/shop-hook}}
"""
AWAY_S = 2.0
WAITS_S = 8.0
"""The proxy waits for 8.8 s."""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "shop", ROOT / "examples" / "shop")


def with_secret(folder: Path) -> Path:
    (folder / "secrets").mkdir()
    (folder / "secrets" / "shop-hook").write_text(f"{SECRET}\n")
    return folder


def outcome(stack: Stack, answer: httpx.Response) -> Any:
    """What became of the check that a push asked for."""
    assert answer.status_code in (200, 202), answer.text
    path = answer.json()["url"].removeprefix("/v1")

    def ended() -> Any:
        found = stack.get(path)
        return found if found["state"] != "waiting" else None

    return stack.until(ended, "the check of the push ends")


def pushed(repository: Repository) -> Sent:
    return delivery(Forge.GITHUB, git_push(after=repository.git("rev-parse", "HEAD")))


def hostile(random_one: random.Random, live: Sent) -> Sent:
    """A delivery that must deploy nothing: forged, replayed, malformed, of wrong types, nested, or oversized.

    `live`: the push of the live release, which is signed as it should be, as is half of what is malformed.
    """
    forge = random_one.choice([*Forge])
    kind = random_one.random()
    if kind < 0.005:
        return delivery(forge, b"x" * (MOST_OF_BODY + 1))
    if kind < 0.25:
        return random_one.choice([live, replayed(live)])
    if kind < 0.35:
        return replace(live, body=_one_bit_flipped(live.body, random_one))
    content = random_one.choice(
        [
            git_push(), image_push(), b"", b"[" * 50_000, b"\xff" * 1000, {"ref": {"ref": []}}, git_push(after="x"),
            git_push(ref="refs/heads/" + "x" * 10_000), {"events": [[], None, 3]}, git_push(commits={"id": [[[]]]}),
            random_one.randbytes(random_one.randrange(2000)), b"x" * random_one.choice([70_000, 2_000_000]),
        ]
    )  # fmt: skip
    if kind < 0.65:
        return delivery(forge, content)
    return delivery(
        forge, content, secret=f"forged {random_one.random()}" + "=" * 8 if forge is not Forge.GITLAB else "QUJD"
    )


def replayed(sent: Sent) -> Sent:
    """The same under another id, which GitHub does not sign."""
    return sent.with_headers(x_github_delivery=str(uuid.uuid4()))


def _one_bit_flipped(body: bytes, random_one: random.Random) -> bytes:
    place = random_one.randrange(len(body))
    return body[:place] + bytes([body[place] ^ 1 << random_one.randrange(8)]) + body[place + 1 :]


def test_pushes_are_live_without_a_further_hand_and_wait_while_the_orchestrator_is_away(
    tmp_path: Path, repository: Repository, proxy_image: None, soak: bool
) -> None:
    config = f"notify: [{{url_file: secrets/notify}}]\n{NO_APPS}{SHOP.format(remote=json.dumps(str(repository.path)))}"
    with (
        served_in_a_thread() as told,
        Stack(with_secret(tmp_path), config) as stack,
        ThreadPoolExecutor(10) as threads,
    ):
        (tmp_path / "secrets" / "notify").write_text(f"{told.url('/ok')}\n")
        url = stack.url("")
        deployed = stack.wait_ended(outcome(stack, pushed(repository).post(url))["deployment"])
        assert (deployed["state"], deployed["requested_by"]) == ("live", "push")

        # Killed and started again, with pushes all the while: each is answered, and the last commit is live.
        for _ in range(5 if soak else 1):
            stack.kill_orchestrator(random.choice([signal.SIGKILL, signal.SIGTERM]))
            sent = []
            for _ in range(20 if soak else 5):
                repository.change(f"hello {time.time()}")
                sent.append(threads.submit(patiently, pushed(repository), url))
                time.sleep(AWAY_S / 20)
            stack.start_orchestrator()
            assert {one.result() for one in sent} == {202}
        last = repository.git("rev-parse", "HEAD")
        stack.until(lambda: stack.app()["active"]["revision"] == last, "the last commit is live", 240)
        stack.wait_idle()

        # What strangers send deploys nothing, replays neither, and nothing is answered with 5xx.
        before = stack.get("/apps/shop/deployments")["deployments"][0]["id"]
        memory = _memory_kb(stack)
        chance = random.Random(7)
        live = pushed(repository)
        deliveries = [hostile(chance, live) for _ in range(10_000 if soak else 100)]
        statuses = Counter(threads.map(lambda one: _status(one, url), deliveries))
        print(f"what {len(deliveries)} hostile deliveries were answered with: {dict(statuses)}")
        assert set(statuses) <= {0, 200, 202, 400, 401, 408, 413}
        assert {200, 202, 401} <= set(statuses)
        stack.until(lambda: not _waiting(stack), "all checks have ended", 120)
        assert stack.get("/apps/shop/deployments")["deployments"][0]["id"] == before
        assert _memory_kb(stack) - memory < 40_000

        # A person goes back; the same push once more, under another id, deploys nothing.
        assert stack.wait_ended(stack.rollback()["id"])["state"] == "live"
        again = outcome(stack, pushed(repository).post(url))
        assert again["state"] == "nothing_new", again
        assert "was live before" in again["says"]
        assert "nothing new" not in stack.command("pushes", "shop").stdout
        assert again["id"] in stack.command("pushes", "shop").stdout

        # People were told of it, over the kill of the orchestrator.
        stack.until(lambda: any("was rolled back to" in title for title in _titles(told)), "the rollback is told")
        assert any(last[:7] in title and "is live" in title for title in _titles(told)), _titles(told)
        assert stack.command("notify", "test").stdout.startswith("✓ json (secrets/notify, line 1) took it")


def _waiting(stack: Stack) -> list[Any]:
    checks = stack.get("/apps/shop/update/checks?limit=500")["checks"]
    return [check for check in checks if check["state"] == "waiting"]


def _titles(told: NoticeServer) -> list[str]:
    """Also those of several notices in one message."""
    return [line for body in told.bodies for line in (body["title"], *body["message"].splitlines())]


def patiently(sent: Sent, url: str) -> int:
    """The status of a push: of one that nobody took for as long as the proxy waits, when a person sends it again.

    It is never refused at once, however long this machine takes to start an orchestrator.
    """
    while True:
        began = time.monotonic()
        status = sent.post(url).status_code
        if status != 503:
            return status
        assert time.monotonic() - began > WAITS_S, "the push was refused, and did not wait"


def _status(sent: Sent, url: str) -> int:
    """0: the connection was closed, as for a body that is shorter than it says."""
    try:
        return sent.post(url).status_code
    except httpx.TransportError:
        return 0


def _memory_kb(stack: Stack) -> int:
    assert stack.process is not None
    status = Path(f"/proc/{stack.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def test_an_image_that_is_pushed_to_a_registry_is_live_by_its_digest(tmp_path: Path, proxy_image: None) -> None:
    folder = tmp_path / "registry"
    folder.mkdir()
    config = with_secret(tmp_path) / "unused"
    port = free_port()
    with Registry(folder, notifies=(f"http://127.0.0.1:{port}/v1/hooks/shop/registry", SECRET)) as registry:
        text = IMAGE.format(host=registry.host, follows="tag: stable")
        text += "    push: {secret_file: secrets/shop-hook}\n"
        stack = Stack(config.parent, text)
        stack.port = port
        with stack:
            digest = push(registry, tmp_path, "1.9.0", "stable")
            stack.until(
                lambda: (stack.app()["active"] or {}).get("revision") == digest, "the pushed image is live", 240
            )
            stack.wait_idle()
            newest = stack.get("/apps/shop/deployments")["deployments"][0]
            assert newest["requested_by"] == "push"

            # Another tag, and that of a signature; the engine's pull was announced, too.
            push(registry, tmp_path, "1.9.1", "other", f"sha256-{'a' * 64}.sig")
            second = push(registry, tmp_path, "1.10.0", "stable")
            stack.until(lambda: stack.app()["active"]["revision"] == second, "the second one is live", 240)
            stack.wait_idle()
            assert len(stack.get("/apps/shop/deployments")["deployments"]) == 2

            # What must be signed is pushed first, and is live when its signature is there.
            cosign = Cosign(tmp_path)
            cosign.make_key("shop")
            stack.set_config(text.replace("insecure:", "cosign_key: shop.pub, insecure:"))
            third = push(registry, tmp_path, "1.11.0", "stable")
            stack.until(lambda: "it has no signature in its registry" in stack.what_was_logged(), "it is refused", 60)
            assert stack.app()["active"]["revision"] == second
            cosign.sign(f"{registry.host}/shop@{second}", "shop")
            cosign.sign(f"{registry.host}/shop@{third}", "shop")
            stack.until(lambda: stack.app()["active"]["revision"] == third, "the signed image is live", 240)
            stack.wait_idle()
            assert len(stack.get("/apps/shop/deployments")["deployments"]) == 3
