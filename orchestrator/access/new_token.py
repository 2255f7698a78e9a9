"""`python -m orchestrator.access.new_token`: a token with scope admin for whoever has the shell of the server.

`make token` runs it in the orchestrator's container. It is the way in when every token is lost, or when a new checkout
is used with the volumes of an older one: with Docker's socket, a person can do whatever a token allows.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa

from border.secrets import Secrets
from migrations.database import current, head
from orchestrator.access import tokens
from orchestrator.errors import ChangeoverError, JournalError
from orchestrator.journal.database import ANSWER_WITHIN_S, engine_of
from orchestrator.journal.store import Journal
from orchestrator.settings import Settings

NAME = "server-shell"
ACTION = "make token"
CREATED = 201


def leave(journal: Journal, folder: Path) -> Path:
    """Create the token, and say so in the audit log."""
    entry = journal.audit(NAME, "the shell of the server", ACTION, "")
    path = tokens.leave_token(journal, folder, NAME)
    journal.audit_ended(entry, CREATED, "")
    return path


def main() -> int:
    settings = Settings()
    try:
        _must_stand_ready(settings.journal_url)
        journal = Journal(settings.journal_url)
        try:
            leave(journal, settings.token_folder)
        finally:
            journal.close()
    except ChangeoverError as error:
        print(Secrets().text(str(error)), file=sys.stderr)
        return 1
    return 0


def _must_stand_ready(url: str) -> None:
    """The orchestrator makes the journal and upgrades it; a second process that does so would be in its way."""
    engine = engine_of(url, ANSWER_WITHIN_S)
    try:
        stands_at = current(engine)
    except sa.exc.SQLAlchemyError as error:
        raise JournalError(f"The journal does not answer: {error}.") from error
    finally:
        engine.dispose()
    if stands_at != head("orchestrator"):
        raise JournalError(
            "The journal is not ready: the orchestrator has not made it or brought it up to date.",
            "Look at the orchestrator's log: docker compose logs orchestrator",
        )


if __name__ == "__main__":
    raise SystemExit(main())
