"""The errors of the orchestrator, as one tree.

ChangeoverError
├── ConfigError           the configuration file is not valid (file, line, what was expected)
├── EnvFileUnreadable     an app's run.env_file cannot be read (config/env_file.py)
├── UnknownApp            no app of this name is configured
├── UnknownDeployment     no deployment of this id is in the journal
├── UnknownBackup         the app has no backup with this id
├── UnknownVersion        the app's source has no such version
├── UnknownContainer      the app has no log of such a container
├── InvalidSearch         what a log is searched for is no regular expression, or takes too long
├── UnknownCheck          no push of the app asked for this check, or it is not kept any more
├── Refused               the request cannot be met now: busy, or nothing to roll back to
├── NotAllowed            the token is missing, unknown, revoked or lacks the scope
├── TooManyTries          the address has sent too many wrong tokens
├── TooManyStreams        the token has too many open streams or commands
├── EngineError           Docker does not answer or refuses
│   ├── NotStarted        the program of a container or command is not in the image, or cannot be run
│   └── VolumeGone        a volume with data does not exist any more
├── JournalError          the journal cannot be written or read
│   ├── JournalTooNew     a newer version of Changeover has written the journal
│   └── NoDatabase        the address of the journal's database is none
├── ProxyError            HAProxy does not answer, refuses a command, or did not carry it out
└── StepFailed            a step of a deployment failed; carries the log lines, exit code and tip
    └── NoWayBack         what a failed migration left in the data cannot be taken back; only a person can decide

`cause` says what failed, with the value; `remedy` says what to do next.
"""

from __future__ import annotations

import errno
import math
from dataclasses import dataclass


class ChangeoverError(Exception):
    """The base class. `cause` is one sentence that says what failed, `remedy` one that says what to do next."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".strip()


OF_WHO_ASKS = frozenset({errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY, errno.EBADF})
"""The system's answers to who asks for what is not there, or there already: as a rule a defect, or two that work on the
same files. These are logged with where it happened."""


def of_the_system(error: OSError) -> ChangeoverError | None:
    """What the system refused, such as a file on a full or read-only disk, which is no defect in Changeover. None for
    an error that is not the system's, as it has no number, and for one of OF_WHO_ASKS.
    """
    if error.errno is None or error.errno in OF_WHO_ASKS:
        return None
    where = f": {error.filename}" if isinstance(error.filename, str) else ""
    is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
    remedy = "Free disk space: 'changeover doctor' shows its use. Then try again." if is_full else ""
    return ChangeoverError(f"{error.strerror or error}{where}.", remedy)


@dataclass(frozen=True)
class Problem:
    """One error in a configuration file, with its line and key. Line 0: the error is in no line of it."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(ChangeoverError):
    """The configuration file is not valid. The configuration in use stays in use."""

    def __init__(self, problems: tuple[Problem, ...], remedy: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems), remedy)
        self.problems = problems


class UnknownApp(ChangeoverError):
    """No app of this name is in the configuration."""


class UnknownDeployment(ChangeoverError):
    """No deployment of this id is in the journal."""


class UnknownBackup(ChangeoverError):
    """The app has no backup with this id."""


class UnknownContainer(ChangeoverError):
    """The app has no log of a container, colour or deployment of this name."""


class InvalidSearch(ChangeoverError):
    """A log cannot be searched for this: it is no regular expression, or one that takes too long."""


class UnknownCheck(ChangeoverError):
    """No push of the app asked for this check, or it is not kept any more."""


class UnknownVersion(ChangeoverError):
    """The app's source has no such version."""


class UnknownTerminal(ChangeoverError):
    """No one-off command of the app has this terminal: it has ended."""


class Refused(ChangeoverError):
    """The request is well formed but cannot be met now."""


class NotAllowed(ChangeoverError):
    """Missing or unknown token (`known` is False), or one without the scope asked for."""

    def __init__(self, cause: str, remedy: str = "", *, known: bool = False) -> None:
        super().__init__(cause, remedy)
        self.known = known


class TooManyTries(ChangeoverError):
    """The address has sent too many wrong tokens, and has to wait for `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = max(1, math.ceil(wait_s))
        super().__init__("Too many wrong tokens were sent from this address.", f"Wait {self.wait_s} s, then try again.")


class TooManyStreams(ChangeoverError):
    """The token, or all tokens together, have too many open streams of events and logs, or too many commands."""

    wait_s = 10

    def __init__(self, what: str, token: str, of_token: int, in_total: int) -> None:
        super().__init__(
            f"Too many {what} are open: {of_token} of token '{token}', {in_total} in total.",
            "Close some of them, then try again.",
        )


class EngineError(ChangeoverError):
    """Docker does not answer, or answered with an error.

    `never_began`: it was to run a command, and it is certain that not even its start was reached.
    """

    never_began = False


CREATED_AGAIN = (
    "If it was an app's active one, it is created again by itself: see 'changeover status'. If it was a standby, the "
    "next deployment makes one."
)


class ContainerGone(EngineError):
    """A container that was removed by hand, or never made."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Container {name} does not exist.", CREATED_AGAIN)


class NotStarted(EngineError):
    """The program does not exist in the image, or cannot be run. `told` is for whoever typed it, with `exit_code`."""

    def __init__(self, cause: str, remedy: str, told: str, exit_code: int) -> None:
        super().__init__(cause, remedy)
        self.told = told
        self.exit_code = exit_code


class UserUnknown(EngineError):
    """An image has no user, or no group, of the name that it is to run as."""


class VolumeGone(EngineError):
    """A volume with data does not exist any more. No empty one is made in its place."""


class JournalError(ChangeoverError):
    """The journal cannot be written or read."""

    may_come_back = True
    """Whether the same may succeed later, by itself or after somebody has mended the database."""


class JournalTooNew(JournalError):
    """The journal's schema is that of a newer version of Changeover. Waiting does not help."""

    may_come_back = False


class NoDatabase(JournalError):
    """The address of the journal's database is none. Waiting does not help."""

    may_come_back = False


class ProxyError(ChangeoverError):
    """HAProxy does not answer, refuses a command, or did not carry it out."""


class StepFailed(ChangeoverError):
    """A step of a deployment failed.

    `log` has the last lines of the container's or command's output, `exit_code` its exit status, and `oom` whether the
    kernel killed it because it exceeded its memory limit.
    """

    def __init__(
        self,
        cause: str,
        remedy: str = "",
        *,
        log: tuple[str, ...] = (),
        exit_code: int | None = None,
        oom: bool = False,
    ) -> None:
        super().__init__(cause, remedy)
        self.log = log
        self.exit_code = exit_code
        self.oom = oom


class NoWayBack(StepFailed):
    """What a failed migration left in the data cannot be taken back without a person's decision. Not tried again.

    `cause` says what stands in the data, `remedy` which command restores what.
    """
