"""As whom images of a registry are fetched: the user and the file with the password that an app's source names."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.config.secret_file import SecretUnreadable, read_secret
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


def login_of(settings: RegistrySource, folder: Path) -> RegistryLogin | None:
    """None: as anybody. `folder` is the configuration file's. Raises SecretUnreadable."""
    if not settings.username and not settings.password_file:
        return None
    if not settings.username or not settings.password_file:
        raise SecretUnreadable(
            "Of update.registry.username and update.registry.password_file only one is set.",
            "Set both, or none for an image that everybody may fetch.",
        )
    host = image_name(settings.image).host
    host = OF_DOCKER_HUB if host == DOCKER_HUB else host
    return RegistryLogin(host, settings.username, read_secret(folder, settings.password_file))
