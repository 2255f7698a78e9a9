"""What a deployment promises beside traffic: queue, cancel, standby, privileges, hold."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest
from websockets.sync.client import connect

from tests.support.in_container import printed_in
from tests.support.shop import Shop
from tests.support.visitor import Visitor

SLOW_BUILD = "RUN sleep 4 # {}\nCOPY alembic.ini"


@pytest.fixture
def slow_to_build(shop: Shop) -> None:
    """A good release is live, and the next one takes some seconds to build."""
    shop.deployed()
    dockerfile = shop.repository.path / "Dockerfile"
    lines = [line for line in dockerfile.read_text().splitlines() if not line.startswith("RUN sleep")]
    shop.repository.write("Dockerfile", "\n".join(lines) + "\n")
    shop.repository.replace("Dockerfile", "COPY alembic.ini", SLOW_BUILD.format(time.monotonic_ns()))
    shop.repository.commit("build: take some time")


def test_of_several_waiting_deployments_the_newest_wins_and_the_others_are_superseded(
    shop: Shop, slow_to_build: None
) -> None:
    stack = shop.stack
    running = stack.post("/apps/shop/deployments")["id"]
    stack.until_step(running, "build")
    waiting = [stack.post("/apps/shop/deployments")["id"] for _ in range(3)]

    ends = [stack.wait_ended(deployment)["state"] for deployment in [running, *waiting]]

    assert ends == ["live", "superseded", "superseded", "unchanged"]


def test_the_same_idempotency_key_gives_the_same_deployment(shop: Shop) -> None:
    shop.deployed()
    headers = {"Idempotency-Key": "push-4711"}

    first = shop.stack.request("POST", "/apps/shop/deployments", headers=headers).json()
    again = shop.stack.request("POST", "/apps/shop/deployments", headers=headers).json()

    assert first["id"] == again["id"]
    shop.stack.wait_ended(first["id"])


def test_cancelling_undoes_what_was_done(shop: Shop, slow_to_build: None) -> None:
    stack = shop.stack
    before = {container.name for container in stack.containers()}
    version = stack.app()["active"]["version"]
    asked = stack.post("/apps/shop/deployments")["id"]
    stack.until_step(asked, "build")

    cancelled = stack.command("cancel", asked)
    ended = stack.wait_ended(asked)

    assert cancelled.returncode == 0
    assert ended["state"] == "cancelled"
    assert {container.name for container in stack.containers()} == before
    assert list((stack.state / "work").iterdir()) == []
    assert stack.ask().json()["release"] == version


def test_a_live_deployment_cannot_be_cancelled(shop: Shop) -> None:
    shop.deployed()
    live = shop.stack.deploy()["id"]

    refused = shop.stack.command("cancel", live)

    assert refused.returncode == 3
    assert "it has ended as live" in refused.stderr


def test_a_rollback_while_a_deployment_is_under_way_is_refused_with_who_holds_it(
    shop: Shop, slow_to_build: None
) -> None:
    stack = shop.stack
    asked = stack.post("/apps/shop/deployments")["id"]
    stack.until_step(asked, "build")

    refused = stack.command("rollback", "shop", "--yes")

    assert refused.returncode == 3
    assert asked in refused.stderr
    stack.wait_ended(asked)


@pytest.mark.parametrize("standby", ["warm", "paused", "stopped"])
def test_a_rollback_works_from_every_kind_of_standby_without_a_failed_request(shop: Shop, standby: str) -> None:
    stack = shop.stack
    text = stack.config.read_text()
    stack.set_config(text.replace("drain: {", f"standby: {standby}\n    drain: {{"))
    try:
        first = shop.deployed()
        shop.repository.change(f"After {standby}")
        stack.deploy()
        kept = stack.app()["standby"]["container"]
        state = stack.engine.containers.get(kept).status

        with Visitor(stack) as visitor:
            back = stack.command("rollback", "shop", "--yes", "--json")
            time.sleep(0.2)

        assert state == {"warm": "running", "paused": "paused", "stopped": "exited"}[standby]
        assert back.returncode == 0, back.stderr
        assert visitor.failures == []
        assert stack.ask().json()["release"] == first
        assert stack.app()["standby"]["container"] != kept
    finally:
        stack.wait_idle()
        stack.set_config(text)


def test_app_containers_run_without_root_privileges_or_capabilities(shop: Shop) -> None:
    shop.deployed()
    container = shop.stack.engine.containers.get(shop.stack.app()["active"]["container"])

    host = container.attrs["HostConfig"]
    user = printed_in(str(container.name), "id", "-u")

    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert int(user) != 0
    assert not host["Privileged"]
    assert not any("docker.sock" in bind for bind in host["Binds"] or [])


def test_held_requests_wait_and_are_served_when_they_are_released(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    assert stack.command("hold", "shop").returncode == 0
    answers: list[httpx.Response] = []
    requests = [
        threading.Thread(target=lambda: answers.append(stack.ask())),
        threading.Thread(target=lambda: answers.append(stack.post_order("held-order"))),
    ]
    for request in requests:
        request.start()
    time.sleep(0.5)
    while_held = len(answers)

    released = stack.command("release", "shop")
    for request in requests:
        request.join()

    assert while_held == 0
    assert released.returncode == 0
    assert [answer.status_code for answer in sorted(answers, key=lambda answer: answer.status_code)] == [200, 201]


def test_a_request_that_is_held_too_long_gets_a_clean_answer(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    stack.command("hold", "shop", "--limit", "0.3")
    try:
        answer = stack.ask()
    finally:
        stack.command("release", "shop")

    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert stack.ask().status_code == 200


def test_adding_and_removing_apps_fails_no_request(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    text = stack.config.read_text()

    with Visitor(stack) as visitor:
        for number in range(5):
            other = f"\n  other{number}:\n    update: {{git: {{remote: /x}}}}\n    route: {{host: o{number}.test}}\n"
            stack.set_config(text + other)
        stack.set_config(text)

    assert visitor.failures == []
    assert visitor.answers > 50


def test_a_switch_right_after_a_reload_reaches_connections_of_the_old_worker_too(shop: Shop) -> None:
    """A kept-alive connection from before a reload still belongs to the old worker, with a map of its own."""
    stack = shop.stack
    shop.deployed()
    stack.deploy()
    text = stack.config.read_text()
    with httpx.Client(headers={"Host": "shop.test"}) as client, Visitor(stack) as visitor:
        assert client.get(stack.url("/")).is_success
        stack.set_config(text + "\n  late:\n    update: {git: {remote: /x}}\n    route: {host: late.test}\n")
        back = stack.rollback()
        answer = client.get(stack.url("/")).json()

    stack.set_config(text)
    assert answer["release"] == back["version"]
    assert visitor.failures == []


def test_a_rollback_goes_before_a_deployment_that_waits_for_draining(shop: Shop) -> None:
    """The one who is afraid is served first, and the two never work on the traffic at the same time."""
    stack = shop.stack
    before = shop.deployed()
    text = stack.config.read_text()
    stack.set_config(text.replace("drain: {timeout: 1", "drain: {timeout: 20"))
    address = f"ws://shop.test:{stack.port}/live"
    try:
        with connect(address, sock=socket.create_connection(("127.0.0.1", stack.port)), proxy=None) as open_socket:
            assert open_socket.recv() == before
            shop.repository.change("Worrying")
            worrying = stack.deploy_to_live()
            waiting = stack.post("/apps/shop/deployments")["id"]
            time.sleep(0.3)
            still_waiting = stack.get(f"/deployments/{waiting}")["state"]

            back = stack.rollback()
            answer = stack.ask().json()["release"]
            open_socket.send("still there?")
            echo = open_socket.recv()
        ended = stack.wait_ended(waiting)
    finally:
        stack.wait_idle()
        stack.set_config(text)

    assert worrying["state"] == "live"
    assert stack.get(f"/deployments/{worrying['id']}")["state"] == "rolled_back"
    assert stack.get(f"/deployments/{worrying['id']}")["ended_at"]
    assert still_waiting == "queued"
    assert back["state"] == "live"
    assert answer == before
    assert echo == "still there?"
    assert ended["state"] == "live"
    assert len(stack.containers()) == 2


def test_events_tell_the_whole_story_of_a_deployment_in_its_order(shop: Shop) -> None:
    shop.deployed()
    shop.repository.change("Tell me")
    ended = shop.stack.deploy()

    events = shop.stack.events(ended["id"])

    # It says so, too, where it has waited for the end of the deployment before.
    kinds = [event["kind"] for event in events if event["kind"] not in ("line", "waiting")]
    done = [event["fields"]["step"] for event in events if event["fields"].get("state") == "done"]
    assert kinds[:2] == ["queued", "started"]
    assert kinds[-1] == "ended"
    assert done == ["prepare", "fetch", "build", "backup", "migrate", "start", "verify", "switch", "retire"]
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert any("CACHED" in str(event["fields"].get("line")) for event in events)


def test_only_the_images_of_the_last_deployments_are_kept(shop: Shop) -> None:
    stack = shop.stack
    shop.deployed()
    text = stack.config.read_text()
    stack.set_config(text.replace("min_free_mb: 100", "min_free_mb: 100, keep_images: 2"))
    for number in range(4):
        shop.repository.change(f"Edition {number}")
        assert stack.deploy()["state"] == "live"

    kept = {image.id for image in stack.engine.images.list(f"{stack.name}/shop")}

    app = stack.app()
    assert {app["active"]["image"], app["standby"]["image"]} <= kept
    backed_up = {one["image"] for one in stack.get("/apps/shop/backups")["backups"]}
    assert backed_up <= kept
    assert len(kept - backed_up) <= 3
    assert stack.rollback()["state"] == "live"
    stack.set_config(text)
