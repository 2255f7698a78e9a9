"""The changelog file of a project, in Markdown or reStructuredText: what it says of the versions between two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from border.plain import one_line
from orchestrator.domain.release import Change
from orchestrator.sources.changelog import parse_commit
from orchestrator.sources.versions import compare, is_version

FILE_NAME = re.compile(r"(change(s|log)|history|news|release[-_ ]?notes)(\.(md|markdown|rst|txt))?", re.IGNORECASE)
MOST_OF_FILE = 2**18
"""Characters that are read. The newest versions are at the beginning."""
MOST_OF_ITEM = 2000
_ATX = re.compile(r"(#{1,6})\s+(\S.*)")
_LINE = re.compile(r"""([=\-~^"'`*+#<>:._])\1{2,}\s*""")
_VERSION = re.compile(r"(?<![\w.])[vV]?(\d+\.\d+[0-9A-Za-z.+!-]*)")
_ITEM = re.compile(r"(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(\S.*)")
_BOLD = re.compile(r"\*\*([^*]+)\*\*:?")
_NO_TEXT = re.compile(r"\.\. |\[[^\]]+\]:\s|<!--")
"""Directives, comments and link targets."""
_MARKUP = (
    (re.compile(r"!?\[([^\]\[]+)\]\([^)\s]{0,500}\)"), r"\1"),  # [text](address)
    (re.compile(r"\[([^\]\[]+)\]\[[^\]]*\]"), r"\1"),  # [text][name]
    (re.compile(r":(?:pr|issue|ghissue|gh|user|pull):`([^`<]+)`"), r"#\1"),
    (re.compile(r"(?<![:a-zA-Z]):[a-zA-Z:]+:`~?([^`<]+)`"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<[^>`]*>`_{1,2}"), r"\1"),
    (re.compile(r"`{1,2}([^`]+)`{1,2}_?"), r"\1"),
    (re.compile(r"\*\*([^*]+)\*\*"), r"\1"),
)
_KINDS = (
    (re.compile(r"breaking|incompatib", re.IGNORECASE), "!"),
    (re.compile(r"perf", re.IGNORECASE), "perf"),
    (re.compile(r"fix|bug|security", re.IGNORECASE), "fix"),
    (re.compile(r"feature|added|new\b|enhancement|improvement", re.IGNORECASE), "feat"),
)


@dataclass
class _Section:
    version: str
    level: int
    heading: str = ""
    items: list[tuple[str, str]] = field(default_factory=list)
    """With the heading that each stands below."""
    paragraphs: list[str] = field(default_factory=list)
    goes_on: str = ""
    """What the next line may go on with: an item, a paragraph, or nothing."""


def changes_in(text: str, since: str, until: str) -> list[Change]:
    """What it says of the versions after `since` up to `until`, in its order; of `until` alone if `since` is empty.

    A section begins with a heading that has a version, such as `## [1.2.0] - 2026-11-26` or `Version 1.2.0`. Its items
    are changes, by the headings above them (Keep a Changelog), or by their own Conventional Commits header.
    """
    return [
        _change(section.version, heading, item)
        for section in _sections(text[:MOST_OF_FILE])
        if _is_wanted(section.version, since, until)
        for heading, item in section.items or [("", paragraph) for paragraph in section.paragraphs]
    ]


def _is_wanted(version: str, since: str, until: str) -> bool:
    to, begin = compare(version, until), compare(version, since) if since else None
    if not since:
        return to == 0
    return to is not None and to <= 0 and begin is not None and begin > 0


def _change(version: str, heading: str, text: str) -> Change:
    for pattern, instead in _MARKUP:
        text = pattern.sub(instead, text)
    found = parse_commit(version, one_line(text))
    kind = next((kind for pattern, kind in _KINDS if pattern.search(heading)), "")
    if kind == "!":
        return replace(found, breaking=True)
    return replace(found, kind=found.kind or kind)


def _sections(text: str) -> Iterator[_Section]:
    current: _Section | None = None
    for level, line in _lines(text):
        if not level and current:
            _take(current, line)
        elif level and current and level > current.level:
            current.heading, current.goes_on = line, ""
        elif level:
            if current:
                yield current
            version = _version_in(line)
            current = _Section(version, level) if version else None
    if current:
        yield current


def _take(section: _Section, line: str) -> None:
    """Put a line where it belongs."""
    text = line.strip()
    before, section.goes_on = section.goes_on, ""
    if not text or _NO_TEXT.match(text):
        return
    if bold := _BOLD.fullmatch(text):
        section.heading = bold[1]
    elif item := _ITEM.fullmatch(line):
        section.items.append((section.heading, item[2][:MOST_OF_ITEM]))
        section.goes_on = "item"
    elif before == "item":
        heading, begun = section.items[-1]
        section.items[-1] = heading, f"{begun} {text}"[:MOST_OF_ITEM]
        section.goes_on = before
    elif before == "paragraph":
        section.paragraphs[-1] = f"{section.paragraphs[-1]} {text}"[:MOST_OF_ITEM]
        section.goes_on = before
    else:
        section.paragraphs.append(text[:MOST_OF_ITEM])
        section.goes_on = "paragraph"


def _version_in(heading: str) -> str:
    found = (one[1].rstrip(".,:;-") for one in _VERSION.finditer(heading))
    return next((version for version in found if is_version(version)), "")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line; headings with their level, from 1 on, other lines with 0."""
    lines = text.splitlines()
    styles: list[str] = []
    at = 0
    while at < len(lines):
        line, after = lines[at], lines[at + 1] if at + 1 < len(lines) else ""
        if found := _ATX.fullmatch(line):
            yield len(found[1]), found[2].rstrip().rstrip("#").rstrip()  # no part of an expression: its time grew so
        elif _LINE.fullmatch(line):
            pass  # above a heading, or a rule between sections
        elif line.strip() and not line.startswith((" ", "\t")) and (under := _LINE.fullmatch(after)):
            style = f"{bool(at and _LINE.fullmatch(lines[at - 1]))}{under[1]}"
            if style not in styles:
                styles.append(style)
            yield styles.index(style) + 1, line.strip()
            at += 1
        else:
            yield 0, line
        at += 1
