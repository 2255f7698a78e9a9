"""As whom images of a registry are fetched: the user and the file with the password that an app's source names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.config.app_schema import App
from orchestrator.config.secret_file import read_secret
from orchestrator.config.source_schema import RegistrySource
from orchestrator.domain.image_name import DOCKER_HUB, image_name

OF_DOCKER_HUB = "https://index.docker.io/v1/"
"""What docker's own files call Docker Hub."""


@dataclass(frozen=True)
class RegistryLogin:
    """`host`: the registry, as docker's own files call it."""

    host: str
    username: str
    password: str = field(repr=False)


def images_of(app: App) -> RegistrySource | None:
    """What an app follows of a registry; None with another kind of source."""
    return app.update.registry if app.update.source == "registry" else None


def of_registry(app: App) -> Iterator[tuple[str, str]]:
    """Keys of an app with images of a registry that cannot work together, each with what to do."""
    if (registry := images_of(app)) is None:
        return
    if bool(registry.username) != bool(registry.password_file):
        there, missing = ("username", "password_file") if registry.username else ("password_file", "username")
        yield f"update.registry.{there}", f"it needs {missing}, too; an image that everybody may fetch needs neither"
    if registry.version_range and "tag" in registry.model_fields_set:
        yield "update.registry.tag", "the tags of version_range are followed instead of one; remove one of these keys"
    for key in ("dockerfile", "context", "target"):
        if key in app.build.model_fields_set:
            yield f"build.{key}", "the image of a registry is deployed as it is, and not built; remove this key"


def login_of(settings: RegistrySource, folder: Path) -> RegistryLogin | None:
    """None: as anybody. `folder` is the configuration file's. Raises SecretUnreadable."""
    if not settings.username or not settings.password_file:
        return None
    host = image_name(settings.image).host
    host = OF_DOCKER_HUB if host == DOCKER_HUB else host
    return RegistryLogin(host, settings.username, read_secret(folder, settings.password_file))
