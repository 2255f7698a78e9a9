"""Which tags retention removes of an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

import docker
import pytest

from orchestrator.engine.docker.image_tags import remove_tags

T = TypeVar("T")
OF_RELEASE = "0123456789ab-20261126-120000-abc"


@pytest.mark.parametrize("app", ["orchestrator", "proxy"])
def test_an_app_with_the_name_of_one_of_our_own_images_removes_its_own_releases_alone(app: str) -> None:
    """The engine keeps a tag that a container uses only where the image has no other one, as that of a second stack:
    without the orchestrator's image no sidecar of any app can start."""
    name, removed = f"changeover/{app}", list[str]()
    images = [
        {"Id": "sha256:own", "RepoTags": [f"{name}:latest", f"second/{app}:latest"]},
        {"Id": "sha256:old", "RepoTags": [f"{name}:{OF_RELEASE}"]},
        {"Id": "sha256:active", "RepoTags": [f"{name}:kept"]},
    ]
    client: Any = SimpleNamespace(  # Any: the part of Docker's client that is used
        api=SimpleNamespace(images=lambda _name: images), images=SimpleNamespace(remove=removed.append)
    )

    async def call(ask: Callable[[docker.DockerClient], T], /) -> T:
        return ask(client)

    assert asyncio.run(remove_tags(call, name, keep={"sha256:active"})) == [f"{name}:{OF_RELEASE}"]
    assert removed == [f"{name}:{OF_RELEASE}"]
