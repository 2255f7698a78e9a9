"""What `alembic history --indicate-current` prints, also with `--verbose`: a status without a program of one's own.

The formats are those of `cmd_format` and `log_entry` of alembic.script.Script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from orchestrator.domain.schema_report import Report

_WORD = r"[^\s,()]+"
_ID = rf"{_WORD}(?: (?!->){_WORD})*"
"""Alembic allows blanks in one."""
_SEVERAL = rf"{_ID}(?:, {_ID})*"
_MARKS = r"(?: \([^()]*\))*"
_SHORT = re.compile(
    rf"(?P<parents>{_SEVERAL})(?: \((?P<depends>{_SEVERAL})\))? -> "
    rf"(?P<revision>{_ID})(?P<marks>{_MARKS})(?:,(?: (?P<says>.*))?)?"
)
_REVISION = re.compile(rf"Rev: (?P<revision>{_ID})(?P<marks>{_MARKS})")
_PARENTS = re.compile(rf"(?P<key>Parent|Merges|Also depends on|Branch names): (?P<names>{_SEVERAL})")
_DOCUMENTED = re.compile(r" {4}(?P<says>\S.*)")
_BETWEEN = re.compile(r"^Rev: |, | \(| -> ")
_BASE = "<base>"
_CURRENT = " (current)"
_HEADS = (" (head)", " (effective head)")


@dataclass(frozen=True)
class _Entry:
    """One revision of the history. `needs`: those before it and those it depends on, as they are named there, which may
    be the label of a branch. `labels`: those of its branches. `previous` is empty if none follows a line that only
    begins as one of `--verbose`."""

    revision: str
    previous: str = ""
    needs: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    is_current: bool = False
    is_head: bool = False
    says: str = ""

    @property
    def is_plain(self) -> bool:
        """Whether its names have no blanks, so that few other lines look like it."""
        return not any(" " in name for name in (self.revision, *self.needs))


@dataclass
class AlembicHistory:
    """Reads a history line by line. `reports` are its revisions, the oldest first; empty for any other output."""

    _entries: list[_Entry] = field(default_factory=list)
    """The newest first."""
    _is_verbose: bool = False
    """Whether the lines after the last entry may be more of it."""

    def __len__(self) -> int:
        return len(self._entries)

    def line(self, text: str) -> None:
        if found := _SHORT.fullmatch(text):
            self._is_verbose = False
            needs = found["parents"].split(", ") + (found["depends"] or "").split(", ")
            self._add(found, _previous(found["parents"]), needs, found["says"] or "")
        elif found := _REVISION.fullmatch(text):
            self._is_verbose = True
            self._add(found, "", [], "")
        elif text.startswith("Rev: "):
            self._is_verbose = False
        elif self._is_verbose:
            self._more(text)

    @property
    def reports(self) -> tuple[Report, ...]:
        """The data has each current revision, and whatever that one needs. One of several branches may be current: the
        order of the lines says nothing."""
        # A label stands at each revision of its branch: of these, the oldest one counts, which needs the fewest.
        known = {label: one for one in self._entries for label in one.labels}
        known |= {one.revision: one for one in self._entries}
        applied = _with_needs((one for one in self._entries if one.is_current), known)
        # A branch ends with a head. What none of them needs is other text, such as a further line of a description.
        heads = [one for one in self._entries if one.is_head]
        there = _with_needs(heads, known) if heads else {one.revision for one in self._entries if one.is_plain}
        return tuple(
            Report(one.revision, one.previous, says=one.says, applied=one.revision in applied)
            for one in reversed(self._entries)
            if one.previous and one.revision in there
        )

    def _add(self, found: re.Match[str], previous: str, needs: list[str], says: str) -> None:
        marks = found["marks"]
        labels = tuple(label for mark in re.findall(r"\(([^()]*)\)", marks) for label in mark.split(", "))
        is_head = any(head in marks for head in _HEADS)
        entry = _Entry(found["revision"], previous, _without_base(needs), labels, _CURRENT in marks, is_head, says)
        self._entries.append(entry)

    def _more(self, text: str) -> None:
        last = self._entries[-1]
        if found := _PARENTS.fullmatch(text):
            names = found["names"].split(", ")
            if found["key"] == "Branch names":
                last = replace(last, labels=(*last.labels, *names))
            else:
                previous = last.previous if found["key"] == "Also depends on" else _previous(found["names"])
                last = replace(last, previous=previous, needs=last.needs + _without_base(names))
        elif not last.says and (found := _DOCUMENTED.fullmatch(text)):
            last = replace(last, says=found["says"])
        self._entries[-1] = last


def is_of_a_history(line: str) -> bool:
    """Whether a line may name a revision. Of too long an output, those with blanks in their names are not heard: much
    else looks like them, and a history of which lines are missing is refused."""
    found = _SHORT.fullmatch(line) or _REVISION.fullmatch(line)
    return found is not None and " " not in _BETWEEN.sub("", line[: found.start("marks")])


def _with_needs(entries: Iterable[_Entry], known: dict[str, _Entry]) -> set[str]:
    """These revisions, and whatever they need."""
    found: set[str] = set()
    left = list(entries)
    while left:
        one = left.pop()
        if one.revision not in found:
            found.add(one.revision)
            left += [known[need] for need in one.needs if need in known]
    return found


def _previous(names: str) -> str:
    return "base" if names == _BASE else names


def _without_base(names: list[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name and name != _BASE)
