"""Deployments by hand, of images and archives, beside an app's own source."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from orchestrator.deploy.image_by_hand import ImageByHand
from orchestrator.deploy.used_uploads import UsedUploads
from orchestrator.domain.by_hand import ARCHIVE, IMAGE, named_image
from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.engine.local_image import LocalImage
from orchestrator.errors import StepFailed
from orchestrator.sources.web import Web
from tests.support import virtual_time
from tests.support.fakes.stories import assert_whole
from tests.support.fakes.world import APP, World

ID = "sha256:" + "12ab" * 16


def packed(**files: str) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


DOCKERFILE = packed(Dockerfile="FROM scratch\n", schema="")


async def upload(world: World, content: bytes = DOCKERFILE, version: str = "") -> str:
    """What a deployment of it names."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    kept = await world.context.uploads.receive(APP, pieces(), 0)
    return f"{ARCHIVE}{kept.name}{f':{version}' if version else ''}"


def uploads_left(world: World) -> list[Path]:
    return list((world.folder / "uploads").glob("*/*"))


def with_uploads(world: World) -> World:
    world.events.add(UsedUploads(world.journal, world.context.uploads))
    return world


def test_an_archive_becomes_a_release_that_can_be_rolled_back_to(world: World) -> None:
    with_uploads(world)

    async def story() -> tuple[Deployment, Deployment]:
        world.publish()
        await world.deploy()
        by_hand = await world.deploy(await upload(world, version="1.2.3"))
        world.publish()
        await world.deploy()
        return by_hand, await world.roll_back()

    by_hand, rolled_back = virtual_time.run(story())
    assert by_hand.state is State.LIVE, by_hand.failure
    assert by_hand.version == rolled_back.version == "1.2.3"
    assert by_hand.release
    assert by_hand.release.source_revision.startswith("archive:sha256:")
    assert uploads_left(world) == []
    assert list((world.folder / "work").glob("*")) == []
    assert_whole(world, "rolled back to an archive")


def test_the_same_archive_is_the_same_release_and_without_a_version_it_has_that_of_its_digest(world: World) -> None:
    with_uploads(world)

    async def story() -> tuple[Deployment, Deployment]:
        return await world.deploy(await upload(world)), await world.deploy(await upload(world))

    first, second = virtual_time.run(story())
    assert (first.state, second.state) == (State.LIVE, State.UNCHANGED)
    assert first.release
    assert first.release.source_revision == f"archive:sha256:{first.release.source_revision[15:]}"
    assert first.release.source_revision[15:].startswith(first.version)
    assert len(first.version) == 12
    assert uploads_left(world) == []


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "The archive cannot be unpacked"),
        (b"no archive", "The archive cannot be unpacked"),
        (DOCKERFILE[:40], "The archive cannot be unpacked"),
        (packed(**{"../outside": "x"}), "leads outside"),
        (packed(**{"/outside": "x"}), "leads outside"),
        (packed(readme="x"), "has no file Dockerfile"),
    ],
    ids=["nothing", "no archive", "half of one", "a name that leads out", "an absolute name", "no Dockerfile"],
)
def test_an_archive_that_is_none_fails_its_deployment_and_leaves_nothing(
    world: World, content: bytes, says: str
) -> None:
    with_uploads(world)

    async def story() -> Deployment:
        return await world.deploy(await upload(world, content))

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure
    assert says in ended.failure.cause
    assert uploads_left(world) == []
    assert not list(world.folder.rglob("outside"))


def test_an_archive_that_is_gone_is_said_to_be(world: World) -> None:
    ended = virtual_time.run(world.deploy(f"{ARCHIVE}0123456789abcdef"))

    assert ended.failure
    assert ended.failure.cause == "The archive is not there any more: archives are kept for one deployment."
    assert ended.failure.tip == "Send it again: changeover deploy shop --archive FILE"


def test_the_archive_of_a_deployment_that_never_began_is_removed(world: World) -> None:
    with_uploads(world)
    world.engine.build_s = 60

    async def story() -> tuple[Deployment, Deployment]:
        world.publish()
        first = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(first, StepName.BUILD)
        second = await world.scheduler.request(APP, ref=await upload(world), by="test")
        third = await world.scheduler.request(APP, ref=await upload(world), by="test")
        await world.scheduler.cancel(third.id)
        await world.until_ended(first.id)
        return world.journal.deployment(second.id), world.journal.deployment(third.id)

    second, third = virtual_time.run(story())
    assert (second.state, third.state) == (State.SUPERSEDED, State.CANCELLED)
    assert uploads_left(world) == []


def test_an_archive_that_waits_is_deployed_by_the_next_process(world: World) -> None:
    with_uploads(world)
    world.engine.build_s = 60

    async def story() -> tuple[Deployment, Deployment]:
        world.publish()
        first = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(first, StepName.BUILD)
        waits = await world.scheduler.request(APP, ref=await upload(world), by="test")
        await world.restart()
        return world.journal.deployment(first.id), await world.until_ended(waits.id)

    first, waited = virtual_time.run(story())
    assert first.state is State.FAILED
    assert waited.state is State.LIVE, waited.failure


def test_an_archive_of_the_repository_is_built_in_the_apps_folder(world: World) -> None:
    world.configure(update={"git": {"remote": "/srv/shop", "path": "services/shop"}})
    whole = packed(
        **{"a/services/shop/Dockerfile": "FROM scratch\n", "a/services/web/Dockerfile": "FROM web\n", "a/schema": ""}
    )
    world.configure(build={"context": "."})

    async def story() -> tuple[Deployment, Deployment]:
        return await world.deploy(await upload(world, whole)), await world.deploy(await upload(world))

    for ended in virtual_time.run(story()):
        assert ended.state is State.LIVE, ended.failure


def test_an_image_of_the_engine_is_deployed_as_it_is_and_kept_by_a_tag_of_the_app(world: World) -> None:
    world.engine.named["shop:ci"] = LocalImage(ID, ("shop:ci",), {}, "2026-01-01T00:00:00Z")

    async def story() -> tuple[Deployment, Deployment]:
        return await world.deploy(f"{IMAGE}shop:ci"), await world.deploy(f"{IMAGE}shop:ci")

    first, again = virtual_time.run(story())
    assert first.state is State.LIVE, first.failure
    assert first.release
    assert (first.release.image, first.release.source_revision) == (ID, f"image:{ID}")
    assert first.version == f"ci-{ID[7:14]}"
    assert world.engine.given_tags == {f"test/shop:{ID[7:19]}-{first.id}": ID}
    assert again.state is State.UNCHANGED


@pytest.mark.parametrize(
    ("name", "tags", "is_refused"),
    [
        ("test/bank:1", ("test/bank:1",), True),
        ("test/orchestrator:latest", ("test/orchestrator:latest",), True),
        (ID, ("test/bank:1",), True),
        (ID, ("test/bank:1", "mine:1"), False),
        ("mine:1", ("test/bank:1", "mine:1"), False),
        ("test/shop:1", ("test/shop:1",), False),
        (ID, (), False),
    ],
)
def test_an_app_does_not_get_the_image_of_another_one(
    world: World, name: str, tags: tuple[str, ...], is_refused: bool
) -> None:
    world.engine.named[name] = LocalImage(ID, tags)

    ended = virtual_time.run(world.deploy(f"{IMAGE}{name}"))

    assert (ended.state is State.FAILED) is is_refused
    if is_refused:
        assert ended.failure
        assert f"{name} is an image of another app, or of Changeover itself" in ended.failure.cause


def test_an_id_that_the_engine_does_not_know_is_no_image(world: World) -> None:
    ended = virtual_time.run(world.deploy(f"{IMAGE}{ID}"))

    assert ended.failure
    assert ended.failure.cause == f"The engine has no image {ID[:19]}."


async def test_of_a_name_without_a_registry_that_the_engine_does_not_know_both_places_are_named(world: World) -> None:
    """It may be a misspelt name of an image of this host, where the registry of everybody is not reached."""
    web = Web(httpx.MockTransport(lambda _: httpx.Response(418)))

    with pytest.raises(StepFailed, match=r"The engine has no image shop:cii, so Docker Hub was asked: ") as failed:
        await ImageByHand(world.context, named_image("shop:cii"), web).newest()
    assert failed.value.remedy.startswith(
        "Correct the name of the image, or build it on this host. To use Docker Hub: "
    )

    with pytest.raises(StepFailed, match=r"^https://registry\.test/") as failed:
        await ImageByHand(world.context, named_image("registry.test/shop:cii"), web).newest()
