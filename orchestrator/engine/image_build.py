"""What is built into an image, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.config.registry_login import RegistryLogin


@dataclass(frozen=True)
class ImageBuild:
    """The build of an image from a fetched source. `timeout_s` is in seconds."""

    folder: Path
    dockerfile: Path
    tag: str
    timeout_s: float
    target: str | None = None
    args: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Path] = field(default_factory=dict)
    """Files that `RUN --mount=type=secret,id=NAME` can read. They do not become part of the image."""
    secret_texts: dict[str, str] = field(default_factory=dict, repr=False)
    """The same, where the text is in no file."""
    login: RegistryLogin | None = None
    """As whom base images are fetched; None: as anybody."""
    memory_bytes: int | None = None
    """The most that one process of the build can have; no limit when None."""
