"""The errors that a client of the orchestrator raises, and the exit code that the command ends with for each.

ClientError
├── Failed        the operation failed in the orchestrator (1)
├── Invalid       the request has a value that the orchestrator does not accept (2)
├── NotFound      there is no app, deployment or backup of this name (2)
├── Refused       the orchestrator cannot do this now: busy, starting, nothing to roll back to (3)
├── Unreachable   nothing answers at the address, or what answers is not Changeover's API (4)
│   └── Unanswered  a request was sent, and its answer did not come: it may have been carried out (4)
└── NotSignedIn   the token is missing, unknown or revoked, or lacks the scope (4)
"""

from __future__ import annotations


class ClientError(Exception):
    """`cause` says what failed and why, `remedy` what to do; `log` has the last lines of a container's log."""

    exit_code = 1

    def __init__(self, cause: str, remedy: str = "", log: tuple[str, ...] = ()) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.log = log

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".strip()


class Failed(ClientError):
    """The operation failed in the orchestrator."""

    exit_code = 1


class Invalid(ClientError):
    """The request has a value that the orchestrator does not accept."""

    exit_code = 2


class NotFound(ClientError):
    """There is no app, deployment or backup of this name."""

    exit_code = 2


class Refused(ClientError):
    """The orchestrator cannot do this now."""

    exit_code = 3


class Unreachable(ClientError):
    """Nothing answers at the address, or what answers is not Changeover's API."""

    exit_code = 4


class Unanswered(Unreachable):
    """A request was sent, and its answer did not come: it may have been carried out."""


class NotSignedIn(ClientError):
    """The token is missing, unknown or revoked, or lacks the scope."""

    exit_code = 4
