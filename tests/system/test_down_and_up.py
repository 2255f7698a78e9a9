"""`docker compose down` and `up` with stopped apps: what was live is live again; one broken app keeps no other away."""

from __future__ import annotations

import signal

import docker

from tests.support.repository import Repository
from tests.support.stack import Stack, shop_config


def test_after_down_and_up_with_stopped_apps_the_same_release_is_live_and_a_broken_app_is_shown_alone(
    stack: Stack, repository: Repository
) -> None:
    """The shop has a standby. The app "broken" cannot be started again: its container and its env_file are gone."""
    broken = shop_config(repository.path, name="broken").partition("apps:\n")[2]
    secret = stack.folder / "broken.env"
    secret.write_text("A=b\n")
    # Images of other tests with the same content have the same digest, and are removed meanwhile.
    repository.replace("Dockerfile", "USER shop", f"LABEL test={stack.name}\nUSER shop")
    repository.commit("build: an image of this test alone")
    stack.set_config(
        shop_config(repository.path) + broken.replace("data: /data}", "data: /data, env_file: broken.env}")
    )
    live = stack.deploy()
    assert live["state"] == "live", live["failure"]
    assert stack.deploy("broken")["state"] == "live"
    repository.change("Hello again")
    newer = stack.deploy()
    assert newer["state"] == "live", newer["failure"]
    assert stack.post_order("1").is_success
    before = stack.app()

    network = down(stack, but_remove=stack.app("broken")["active"]["container"])
    secret.unlink()
    up(stack, network)

    answer = stack.until_it_answers()
    after = stack.app()
    assert answer.json()["release"] == newer["version"]
    assert after["active"] == before["active"]
    assert after["standby"] == before["standby"]
    stack.until(lambda: stack.app("broken")["troubles"], "the broken app is shown")
    says = [trouble["says"] for trouble in stack.app("broken")["troubles"]]
    assert any("broken.env cannot be read" in one for one in says), says
    secret.write_text("A=b\n")
    stack.until(lambda: stack.app("broken")["health"] == "healthy", "the app is brought back by itself")
    assert stack.rollback()["state"] == "live"
    assert stack.until_it_answers().json()["release"] == live["version"]


def down(stack: Stack, but_remove: str) -> dict[str, str]:
    """The orchestrator and the proxy are removed, then the network: its containers are stopped. Gives its settings."""
    assert stack.kill_orchestrator(signal.SIGTERM) is not None
    stack.engine.containers.get(f"{stack.name}-proxy").remove(force=True)
    stack.engine.containers.get(but_remove).remove(force=True)
    for container in stack.containers():
        container.stop(timeout=1)
    network = stack.engine.networks.get(stack.name)
    settings: dict[str, str] = network.attrs["IPAM"]["Config"][0]
    network.remove()
    return settings


def up(stack: Stack, network: dict[str, str]) -> None:
    pool = docker.types.IPAMPool(subnet=network["Subnet"], iprange=network["IPRange"])
    stack.engine.networks.create(stack.name, ipam=docker.types.IPAMConfig(pool_configs=[pool]))
    stack.start_orchestrator(wait=False)
    stack.start_proxy()
    stack.wait_ready()
