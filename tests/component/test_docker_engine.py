"""The engine on a real Docker: what a person or `docker compose down` has done to containers meanwhile."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator

import docker
import pytest
from docker.models.containers import Container

from orchestrator.engine.base import LABEL_APP, LABEL_COLOUR, LABEL_DEPLOYMENT, LABEL_ROLE, ContainerSpec, Role
from orchestrator.engine.docker.container_creation import create
from orchestrator.engine.docker.engine import DockerEngine
from orchestrator.errors import EngineError, NotStarted
from tests.support.addresses import create_network

IMAGE = "debian:trixie-slim"


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    found = docker.from_env()
    yield found
    found.close()


@pytest.fixture
def stack(client: docker.DockerClient) -> Iterator[str]:
    name = f"t{secrets.token_hex(3)}"
    create_network(client, name)
    yield name
    for one in client.containers.list(all=True, filters={"label": f"changeover.stack={name}"}, ignore_removed=True):
        one.remove(force=True, v=True)
    client.networks.get(name).remove()


def spec(stack: str, *, deployment: str = "d1", address: str = "") -> ContainerSpec:
    labels = {LABEL_APP: "shop", LABEL_ROLE: Role.APP, LABEL_COLOUR: "blue", LABEL_DEPLOYMENT: deployment}
    return ContainerSpec(
        f"{stack}-shop-blue-{deployment}", IMAGE, labels, stack, command=("sleep", "1000"), address=address
    )


def start(stack: str, wanted: ContainerSpec) -> str:
    return asyncio.run(DockerEngine(stack, stack).start(wanted))


def of(client: docker.DockerClient, stack: str) -> list[Container]:
    return client.containers.list(all=True, filters={"label": f"changeover.stack={stack}"}, ignore_removed=True)


def test_a_container_that_was_renamed_is_the_same_one(client: docker.DockerClient, stack: str) -> None:
    wanted = spec(stack)
    made = start(stack, wanted)
    client.containers.get(made).rename(f"{stack}-of-mine")
    engine = DockerEngine(stack, stack)

    async def story() -> None:
        status = await engine.status(wanted.name)
        assert status is not None
        assert (status.id, status.running) == (made, True)
        assert await engine.start(wanted) == made
        await engine.pause(wanted.name)
        await engine.wake(wanted.name)
        (listed,) = await engine.containers()
        assert listed.called == f"{stack}-of-mine"
        assert await engine.remove(listed.name)

    asyncio.run(story())
    assert of(client, stack) == []


def test_a_container_of_somebody_else_with_our_name_is_not_ours(client: docker.DockerClient, stack: str) -> None:
    wanted = spec(stack)
    other = client.containers.create(IMAGE, ["sleep", "1000"], name=wanted.name)
    try:
        assert asyncio.run(DockerEngine(stack, stack).status(wanted.name)) is None
        assert not asyncio.run(DockerEngine(stack, stack).remove(wanted.name))
    finally:
        other.remove(force=True)


def test_a_stopped_container_runs_again_at_its_address_after_its_network_was_made_anew(
    client: docker.DockerClient, stack: str
) -> None:
    """As after `docker compose down` and `docker compose up`."""
    engine = DockerEngine(stack, stack)
    address = asyncio.run(engine.free_address(set()))
    wanted = spec(stack, address=address)
    made = start(stack, wanted)
    asyncio.run(engine.stop(wanted.name, 0))
    network = client.networks.get(stack)
    settings = network.attrs["IPAM"]["Config"][0]
    network.remove()
    pool = docker.types.IPAMPool(subnet=settings["Subnet"], iprange=settings["IPRange"])
    client.networks.create(stack, ipam=docker.types.IPAMConfig(pool_configs=[pool]))

    asyncio.run(engine.wake(wanted.name, address))

    status = asyncio.run(engine.status(wanted.name))
    assert status is not None
    assert (status.id, status.running, status.address) == (made, True, address)

    client.networks.get(stack).disconnect(made)
    asyncio.run(engine.wake(wanted.name, address))
    assert asyncio.run(engine.status(wanted.name)) == status, "somebody has disconnected it by hand"


def test_no_container_is_given_the_address_of_another_whatever_that_one_does(
    client: docker.DockerClient, stack: str
) -> None:
    addresses = []
    for number in range(5):
        address = asyncio.run(DockerEngine(stack, stack).free_address(set()))
        addresses.append(address)
        made = create(client, spec(stack, deployment=f"d{number}", address=address), stack)
        if number:
            made.start()
    for number in (2, 3):
        client.containers.get(spec(stack, deployment=f"d{number}").name).stop(timeout=0)
    client.containers.get(spec(stack, deployment="d1").name).pause()
    states = [client.containers.get(spec(stack, deployment=f"d{number}").name).status for number in range(5)]

    assert states == ["created", "paused", "exited", "exited", "running"]
    assert asyncio.run(DockerEngine(stack, stack).free_address(set())) not in addresses
    assert len(set(addresses)) == 5


def test_a_container_whose_creation_was_interrupted_is_made_anew(client: docker.DockerClient, stack: str) -> None:
    wanted = spec(stack)
    half = create(client, wanted, stack)

    made = start(stack, wanted)

    assert made != half.id
    assert [one.id for one in of(client, stack)] == [made]


def test_anonymous_volumes_go_with_their_container_and_named_ones_stay(client: docker.DockerClient, stack: str) -> None:
    named = client.volumes.create(f"{stack}-shop-data", labels={"changeover.stack": stack})
    labels = spec(stack).labels | {"changeover.stack": stack}
    container = client.containers.create(
        IMAGE, ["sleep", "1000"], name=f"{stack}-shop-blue-d1", labels=labels,
        volumes=["/anonymous", f"{named.name}:/data"],
    )  # fmt: skip
    anonymous = next(str(one["Name"]) for one in container.attrs["Mounts"] if one["Destination"] == "/anonymous")
    try:
        assert asyncio.run(DockerEngine(stack, stack).remove(f"{stack}-shop-blue-d1"))

        left = {str(one.name) for one in client.volumes.list()}
        assert anonymous not in left
        assert named.name in left
        assert asyncio.run(DockerEngine(stack, stack).volumes()) == [named.name]
    finally:
        named.remove(force=True)


def test_a_signal_that_does_not_exist_is_an_error_of_the_engine(stack: str) -> None:
    wanted = spec(stack)
    start(stack, wanted)

    with pytest.raises(EngineError):
        asyncio.run(DockerEngine(stack, stack).signal(wanted.name, "SIGFOO"))


def test_tags_of_other_repositories_stay_although_they_name_the_same_image(
    client: docker.DockerClient, stack: str
) -> None:
    """As that of the base image, where an app adds nothing to it, or that of another app with the same content."""
    base = client.images.get(IMAGE)
    of_others = {f"{stack}/kept:1", f"{stack}/shop-two:1", IMAGE}
    for repository, tag in ((f"{stack}/shop", "1"), (f"{stack}/kept", "1"), (f"{stack}/shop-two", "1")):
        base.tag(repository, tag)
    try:
        removed = asyncio.run(DockerEngine(stack, stack).remove_images(f"{stack}/shop", set()))
        assert removed == [f"{stack}/shop:1"]
        assert of_others <= set(client.images.get(IMAGE).tags)
    finally:
        for tag in client.images.get(str(base.id)).tags:
            if tag.startswith(f"{stack}/"):
                client.images.remove(tag)


@pytest.mark.parametrize(
    ("command", "says", "exit_code"),
    [
        (("sh", "-c", "echo before; kill -TERM $$; echo after"), ["before"], 143),
        (("sh", "-c", "kill -KILL $$"), [], 137),
        (("sh", "-c", "echo done; exit 5"), ["done"], 5),
    ],
    ids=["SIGTERM", "SIGKILL", "exit"],
)
def test_a_command_that_ends_by_a_signal_has_not_succeeded(
    stack: str, command: tuple[str, ...], says: list[str], exit_code: int
) -> None:
    """As process 1 it went on, and ended with exit code 0: a migration that gave up was called applied."""
    lines: list[str] = []
    status, late = asyncio.run(DockerEngine(stack, stack).run_to_end(sidecar(stack, command), 30, lines.append))

    assert (status.exit_code, late, lines) == (exit_code, False, says)


def test_a_command_that_does_not_exist_has_never_begun(stack: str) -> None:
    lines: list[str] = []
    with pytest.raises(NotStarted) as refused:
        asyncio.run(DockerEngine(stack, stack).run_to_end(sidecar(stack, ("nosuch",)), 30, lines.append))

    assert (refused.value.exit_code, refused.value.never_began, lines) == (127, True, [])
    assert "no program 'nosuch'" in refused.value.told


def sidecar(stack: str, command: tuple[str, ...]) -> ContainerSpec:
    labels = {LABEL_APP: "shop", LABEL_ROLE: Role.SIDECAR}
    return ContainerSpec(f"{stack}-shop-run", IMAGE, labels, stack, command=command, init=True)
