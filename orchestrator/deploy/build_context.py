"""What of a fetched source is built: its folder and its Dockerfile, which must both be in the source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestrator.errors import StepFailed
from orchestrator.files.beneath import LeadsOutside, within


@dataclass(frozen=True)
class BuildContext:
    """Both are real paths, without links."""

    folder: Path
    dockerfile: Path


class NoDockerfile(Exception):
    """The source has no such file."""


def build_context(tree: Path, path: str, dockerfile: str, context: str | None = None) -> BuildContext:
    """The folder `context` of a source tree, or `path`; and the Dockerfile, relative to `path`.

    A link to elsewhere in the tree is followed.

    Raises StepFailed when one of them, or a file that the builder reads beside them, leads out of the tree, and
    NoDockerfile.
    """
    named = path if context is None else context
    folder = _within(tree, named)
    if not folder.is_dir():
        raise NoDockerfile(named)
    file = _within(tree, f"{path}/{dockerfile}")
    if not file.is_file():
        raise NoDockerfile(dockerfile)
    # The builder reads these by name, and would follow a link of that name:
    # https://docs.docker.com/build/concepts/context/#filename-and-location
    for ignored in (folder / ".dockerignore", file.with_name(f"{file.name}.dockerignore")):
        if ignored.is_symlink():
            _within(tree, str(ignored.relative_to(tree.resolve())))
    return BuildContext(folder, file)


def _within(tree: Path, name: str) -> Path:
    try:
        return within(tree, name)
    except FileNotFoundError as error:
        raise NoDockerfile(name) from error
    except LeadsOutside as error:
        raise StepFailed(
            f"The source is not built: {error}.",
            "Commit a file or folder instead, and name one in the repository in update.git.path, build.context and "
            "build.dockerfile.",
        ) from error
