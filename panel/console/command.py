"""One command of the console."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(\w+)\}")


class Scope(StrEnum):
    """What the token must be allowed: docs/access.md."""

    READ = "read"
    DEPLOY = "deploy"
    ADMIN = "admin"


class Needs(StrEnum):
    """What a command is about. What only reads takes the app under the cursor if none is named."""

    NOTHING = "nothing"
    APP = "app"
    MAYBE_APP = "maybe app"
    """An app or, without one, all of them."""


@dataclass(frozen=True)
class Command:
    """`patterns` are what people type (`pattern.py` has their form), and `example` is one of these.

    `cli` is the command line that does the same: a part in brackets is left out if a slot in it has no value. One that
    `changes` something is never guessed, and asks before it is done.
    """

    name: str
    says: str
    example: str
    patterns: tuple[str, ...]
    cli: str
    needs: Needs = Needs.APP
    scope: Scope = Scope.READ
    changes: bool = False

    def command_line(self, slots: dict[str, str]) -> str:
        """The `changeover …` line with these values; in capitals where there is none, as in the help."""

        def part(found: re.Match[str]) -> str:
            return found[1] if all(slots.get(name) for name in SLOT.findall(found[1])) else ""

        return SLOT.sub(lambda found: slots.get(found[1]) or found[1].upper(), OPTIONAL.sub(part, self.cli)).strip()
