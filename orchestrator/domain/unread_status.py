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
    "Goose": r" *Pending +-- \S+\.(?:sql|go)",
    "Prisma": r"Following migrations? have not yet been applied:",
    "Doctrine": r"\|.*\| *not migrated *\|.*",
    "Liquibase": r"[1-9]\d* change ?sets? ha(?:s|ve) not been applied to .*",
}
"""By tool: what a line of its status looks like that says that a migration is pending."""
NAMES_NONE = (
    r"\balembic\s+(?:-\S+\s+(?:[^-\s]\S*\s+)?)*(?:current|heads)\b",
    r"\bflask\s+db\s+(?:current|heads)\b",
    r"\b(?:rails|rake)\s+db:version\b",
    r"\bmigrate\s(?:.*\s)?version\b",
)
"""Commands of Alembic, Flask-Migrate, Rails and golang-migrate that say where the data is, and not what is pending."""
MOST_CHARACTERS = 1000
_PENDING = re.compile("|".join(f"(?P<{tool.replace(' ', '_')}>{form})" for tool, form in PENDING.items()))
_NAMES_NONE = re.compile("|".join(NAMES_NONE))


def unread_tool(line: str) -> str:
    """The tool in whose form a line of output says that a migration is pending; empty for any other line."""
    if not ("Pending" in line or "down " in line or "not " in line or "Outdated" in line):
        return ""  # each form has one of these, and millions of lines may be asked for
    found = _PENDING.fullmatch(line.rstrip())
    return (found.lastgroup or "").replace("_", " ") if found else ""


def names_none(command: str) -> bool:
    """Whether a status command is one that does not name pending migrations."""
    return bool(_NAMES_NONE.search(command[:MOST_CHARACTERS]))
