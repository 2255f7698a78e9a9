"""What differs between two images of a registry, by their labels and layers."""

from __future__ import annotations

from collections.abc import Mapping

from border.plain import one_line, plain
from border.revision import short
from border.secrets import Secrets
from border.urls import without_credentials
from orchestrator.domain.changelog import MOST_CHANGES, Changelog
from orchestrator.sources.changelog import parse_commit
from orchestrator.sources.registry_client import Tagged

CHANGELOG_LABEL = "changeover.changelog"
"""Lines as in the manifest of archives: who builds the image writes them."""
COMMIT_LABEL, SOURCE_LABEL = "org.opencontainers.image.revision", "org.opencontainers.image.source"
MOST_OF_LABEL, MOST_OF_NAME = 100_000, 200


def of(new: Tagged, live: Tagged | None, known_secrets: Secrets) -> Changelog:
    """`live` is None if nothing is live, or the registry does not have it any more."""
    text = known_secrets.cut(plain(new.labels.get(CHANGELOG_LABEL, ""))[: 2 * MOST_OF_LABEL], MOST_OF_LABEL)
    lines = [line.strip().removeprefix("- ").removeprefix("* ") for line in text.splitlines() if line.strip()]
    digits = new.digest.removeprefix("sha256:")[:7]
    return Changelog(
        changes=tuple(parse_commit(digits, line) for line in lines[:MOST_CHANGES]),
        changes_left_out=max(0, len(lines) - MOST_CHANGES),
        download_bytes=_to_fetch(new, live),
        notes=_built_from(new.labels, live.labels if live else {}),
    )


def _to_fetch(new: Tagged, live: Tagged | None) -> int | None:
    """The layers that the live image has not. None where the registry does not say their sizes."""
    have = live.layers if live else {}
    sizes = [size for digest, size in new.layers.items() if digest not in have]
    return None if not new.layers or min(sizes, default=0) < 0 else sum(sizes)


def _built_from(new: Mapping[str, str], live: Mapping[str, str]) -> tuple[str, ...]:
    commit, source = _label(new, COMMIT_LABEL), _label(new, SOURCE_LABEL)
    if not commit:
        return ()
    where = f" of {without_credentials(source)}" if source else ""
    before = _label(live, COMMIT_LABEL)
    if before == commit:
        return (f"It was built from commit {short(commit)}{where}, as the live image was.",)
    than = f"; the live image from {short(before)}" if before else ""
    return (f"It was built from commit {short(commit)}{where}{than}.",)


def _label(labels: Mapping[str, str], name: str) -> str:
    return one_line(labels.get(name, ""))[:MOST_OF_NAME]
