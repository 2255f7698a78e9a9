"""What a release brings: its changes by kind, its dependencies, its size, and how long deploying it takes."""

from __future__ import annotations

from border.plain import one_line
from panel.client.update_model import Change, DependencyChange, Update
from panel.text.counted import counted
from panel.text.markup import inline
from panel.text.size import size

SECTIONS = (("✨ Features", ("feat",)), ("🐛 Bug fixes", ("fix",)), ("⚡ Performance", ("perf",)))
HEADLINES = {"feat": "New", "fix": "Fix", "perf": "Faster"}
NO_CHANGES = "No changes are listed: the source names none between the live release and this one."
NO_LIVE_RELEASE = "No release is live yet: this is the first one, and there is nothing to compare it with."
NAMED_KINDS = {kind for _, kinds in SECTIONS for kind in kinds}
DIGITS = 7
"""Of a commit, in a list."""
ALL_HEX = frozenset("0123456789abcdef")


def brings(update: Update, *, has_live: bool = True) -> list[str]:
    """Lines of markup: what is to be said first, then the changes by kind, then the dependencies. `has_live`: whether
    a release is live, which it is compared with."""
    notes = [f"[yellow]! {inline(note)}[/]" for note in update.notes]
    changes = changelog(update.changes, update.changes_left_out)
    none = NO_CHANGES if has_live else NO_LIVE_RELEASE
    return [*(["", *notes] if notes else []), *(changes or ["", none]), *_dependencies(update)]


def headlines(changes: tuple[Change, ...], most: int) -> list[str]:
    """Lines of text for the first changes, in the order of `changelog`: what kind each is, and its subject."""
    ordered = [one for one in changes if one.breaking]
    rest = [one for one in changes if not one.breaking]
    for _, kinds in SECTIONS:
        ordered += [one for one in rest if one.kind in kinds]
    ordered += [one for one in rest if one.kind not in NAMED_KINDS]
    return [_headline(one) for one in ordered[:most]]


def _headline(change: Change) -> str:
    kind = "Breaking" if change.breaking else HEADLINES.get(change.kind, "")
    return one_line(f"{kind}: {change.subject}" if kind else change.subject)


def changelog(changes: tuple[Change, ...], left_out: int = 0) -> list[str]:
    """Lines of markup: breaking changes first, then by kind, then those of other kinds or of none."""
    lines = _section("⚠ Breaking changes", [change for change in changes if change.breaking])
    rest = [change for change in changes if not change.breaking]
    for title, kinds in SECTIONS:
        lines += _section(title, [change for change in rest if change.kind in kinds])
    lines += _section("📦 Other changes", [change for change in rest if change.kind not in NAMED_KINDS])
    return [*lines, *(["", f"{counted(left_out, 'older change')} more."] if left_out else [])]


def _section(title: str, changes: list[Change]) -> list[str]:
    if not changes:
        return []
    lines = ["", f"{title}:"]
    for change in changes:
        text = f"{change.scope}: {change.subject}" if change.scope else change.subject
        if change.kind == "revert":
            text = text if text.startswith(("Revert ", "Reapply ")) else f"revert: {text}"
        of = f" [dim]({inline(_shown(change.revision))})[/]" if change.revision else ""
        lines.append(f"  • {inline(text)}{of}")
        if change.breaks and change.breaks != change.subject:
            lines.append(f"    {inline(change.breaks)}")
    return lines


def _shown(revision: str) -> str:
    """A commit by its first digits; what is none, such as a version, whole."""
    is_commit = len(revision) >= 40 and ALL_HEX.issuperset(revision)
    return revision[:DIGITS] if is_commit else revision


def _dependencies(update: Update) -> list[str]:
    if not update.dependencies:
        return []
    lines = [f"  • {inline(_dependency(one))}" for one in update.dependencies]
    more = update.dependencies_left_out
    return ["", "📦 Dependencies:", *lines, *([f"  {more} more."] if more else [])]


def _dependency(one: DependencyChange) -> str:
    name = one.name if one.ecosystem == "python" else f"{one.name} ({one.ecosystem})"
    if not one.before:
        return f"{name} {one.after}, added"
    if not one.after:
        return f"{name} {one.before}, removed"
    return f"{name} {one.before} → {one.after}"


def costs(update: Update) -> list[str]:
    """Lines of text: how much there is to fetch, and how long the deployment takes."""
    fetched = "not known" if update.download_bytes is None else size(update.download_bytes)
    if update.build_bytes is not None:
        fetched += f"; the last build added layers of {size(update.build_bytes)}"
    if update.expected_seconds is None:
        takes = "not known, no earlier deployment became live"
    else:
        takes = f"~{_duration(update.expected_seconds)}, by {counted(update.expected_by, 'earlier deployment')}"
    return [f"Download size: {fetched}", f"Estimated time: {takes}"]


def _duration(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
