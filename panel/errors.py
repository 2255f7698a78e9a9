"""What can go wrong between a client and the orchestrator.

ClientError
├── Unreachable   nothing answers at the address, or it is not Changeover (exit code 4)
├── NotSignedIn   the token is missing, unknown or revoked, or may not do this (4)
├── Refused       not now: busy, starting, nothing to roll back to (3)
├── NotFound      no such app or deployment (2)
└── Failed        it was tried and did not work (1)
"""

from __future__ import annotations


class ClientError(Exception):
    """`cause` in one sentence, `remedy` says what to do, `log` is what a container said last.

    `exit_code` is what the command ends with.
    """

    exit_code = 1

    def __init__(self, cause: str, remedy: str = "", log: tuple[str, ...] = ()) -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy
        self.log = log

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".strip()


class Failed(ClientError):
    exit_code = 1


class NotFound(ClientError):
    exit_code = 2


class Refused(ClientError):
    exit_code = 3


class Unreachable(ClientError):
    exit_code = 4


class NotSignedIn(ClientError):
    exit_code = 4
