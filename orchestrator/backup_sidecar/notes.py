"""What a backup has otherwise than the app had it: sentences for people, few however many files there are.

Standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass
class Notes:
    """Each kind of note names the first file and says how many others there are."""

    _kinds: dict[str, list[str | int]] = field(default_factory=dict)
    _single: list[str] = field(default_factory=list)

    def attributes_lost(self, names: Iterable[str], file: str) -> None:
        for name in names:
            self._count(f"the extended attribute {name} of {{files}} is not kept", file)

    def attributes_refused(self, names: Iterable[str], file: str) -> None:
        for name in names:
            self._count(
                f"the file system of the data has no extended attribute {name}: {{files}} came back without", file
            )

    def add(self, sentence: str) -> None:
        self._single.append(sentence)

    def _count(self, kind: str, file: str) -> None:
        first_and_number = self._kinds.setdefault(kind, [file, 0])
        first_and_number[1] = int(first_and_number[1]) + 1

    @property
    def sentences(self) -> tuple[str, ...]:
        counted = [
            kind.replace("{files}", _files(str(first), int(number))) for kind, (first, number) in self._kinds.items()
        ]
        return (*counted, *self._single)


def _files(first: str, number: int) -> str:
    if number == 1:
        return f"'{first}'"
    return f"'{first}' and {number - 1} {'other' if number == 2 else 'others'}"
