"""The changes of a release, by kind."""

from __future__ import annotations

from panel.client.model import Change
from panel.text.markup import inline

SECTIONS = (("✨ Features", ("feat",)), ("🐛 Bug fixes", ("fix",)), ("⚡ Performance", ("perf",)))
NO_CHANGES = "No changes are listed: the source knows no commits between the live release and this one."
NAMED_KINDS = {kind for _, kinds in SECTIONS for kind in kinds}


def changelog(changes: tuple[Change, ...]) -> list[str]:
    """Lines of markup: breaking changes first, then by kind, then those of other kinds or of none."""
    lines = _section("⚠ Breaking changes", [change for change in changes if change.breaking])
    rest = [change for change in changes if not change.breaking]
    for title, kinds in SECTIONS:
        lines += _section(title, [change for change in rest if change.kind in kinds])
    return lines + _section("📦 Other changes", [change for change in rest if change.kind not in NAMED_KINDS])


def _section(title: str, changes: list[Change]) -> list[str]:
    if not changes:
        return []
    scoped = (f"{change.scope}: {change.subject}" if change.scope else change.subject for change in changes)
    return ["", f"{title}:", *(f"  • {inline(text)}" for text in scoped)]
