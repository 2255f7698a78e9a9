"""Status commands of tools that are not understood: what they print of pending migrations, or that they name none.

Whoever configured one of them takes it for a status command: a release must not go live without its migrations.
"""

from __future__ import annotations

import re

PENDING = {
    "Rails": r" *down +\d{3,} +\S.*",
    "Sequelize": r"down \S+\.[cm]?[jt]s",
    "Flyway": r"\|.*\| *(?:Pending|Outdated) *\|.*",
    "Knex": r"Found [1-9]\d* Pending Migration file/files\.?.*",
    "Laravel": r" *\d{4}_\d\d_\d\d_\d+_\w+ .*Pending",
    "Entity Framework": r"\d{14}_\w+ \(Pending\)",
    "Goose": r"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d)? *Pending +-- \S+\.(?:sql|go)",
    "Prisma": r"Following migrations? have not yet been applied:",
    "Doctrine": r"\|.*\| *not migrated *\|.*",
    "SQLx": r"\d+/pending .*",
    "Atlas": r"Migration Status: PENDING",
    "migrate-mongo": r"│.*│ *PENDING *│",
    "yoyo": r"U {6,}\S+ +\S+",
    "Liquibase": r"[1-9]\d* change ?sets? ha(?:s|ve) not been applied to .*",
}
"""By tool: what a line of its status looks like that says that a migration is pending."""
_WITHOUT_CURRENT = r"history\b(?!.*\s(?:-[a-z]*i|--i))"
NAMES_NONE = (
    rf"\balembic\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:(?:current|heads)\b|{_WITHOUT_CURRENT})",
    rf"\bflask\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*db\s+(?:(?:current|heads)\b|{_WITHOUT_CURRENT})",
    r"\bmigrate\s(?:.*\s)?--plan\b",
    r"\bknex\s(?:.*\s)?migrate:currentVersion\b",
    r"\bdiesel\s(?:.*\s)?migration\s+pending\b",
    r"\b(?:rails|rake)\s+db:version\b",
    r"\bmigrate\s(?:.*\s)?version\b",
)
"""Commands of Alembic, Flask-Migrate, Django, Knex, Diesel, Rails and golang-migrate that say where the data is, or
that something is pending, but not in a form that names it. Alembic's history needs -i to mark what is applied."""
MOST_CHARACTERS = 1000
_PARTS = ("ending", "PENDING", "down ", "not ", "Outdated", "U      ")
"""Each form has one of these."""
_PENDING = re.compile("|".join(f"(?P<_{number}>{form})" for number, form in enumerate(PENDING.values())))
_TOOLS = tuple(PENDING)
_NAMES_NONE = re.compile("|".join(NAMES_NONE))
_NEXT = re.compile(r"&&|\|\||[;\n]")
_ELSEWHERE = re.compile(r"\||\$\(|`|(?<!2)>")
_SAYS_NOTHING = re.compile(
    r"""(?:\S*sh\s+-\w*c\s+)?[\s"']*(?:(?:cd|export|set|source|\.|exit|true|:)(?:\s.*)?)?""", re.DOTALL
)
"""A part of a shell's program that prepares the others."""


def unread_tool(line: str) -> str:
    """The tool in whose form a line of output says that a migration is pending; empty for any other line."""
    if not any(part in line for part in _PARTS):
        return ""  # in a hundredth of the time: millions of lines may be asked for
    found = _PENDING.fullmatch(line.rstrip())
    return _TOOLS[int((found.lastgroup or "")[1:])] if found else ""


def names_none(command: str) -> bool:
    """Whether a status command is one that does not name pending migrations.

    One whose output goes elsewhere, or beside which others run, may name them in its own way.
    """
    text = command[:MOST_CHARACTERS]
    parts = [part for part in _NEXT.split(text) if not _SAYS_NOTHING.fullmatch(part)]
    if any(_ELSEWHERE.search(part) for part in parts):
        return False
    return bool(parts) and all(_NAMES_NONE.search(part) for part in parts)
