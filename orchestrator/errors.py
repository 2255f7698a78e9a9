"""What can go wrong in the orchestrator, as one tree.

ChangeoverError
├── ConfigError           the configuration file is not valid (file, line, what was expected)
├── EnvFileUnreadable     an app's run.env_file cannot be read (config/env_file.py)
├── UnknownApp            no app of this name is configured
├── UnknownDeployment     no deployment of this id is in the journal
├── UnknownBackup         no backup of this id is where backups are kept
├── Refused               the request cannot be met now: busy, or nothing to roll back to
├── NotAllowed            the token is missing, unknown, revoked or lacks the scope
├── EngineError           Docker does not answer or refuses
├── JournalError          the journal cannot be written or read
├── ProxyError            HAProxy does not answer, refuses, or did not do what it was told
└── StepFailed            a step of a deployment failed; carries the log lines, exit code and tip

Every message says what failed, with which value; `remedy` says what to do next.
"""

from __future__ import annotations

from dataclasses import dataclass


class ChangeoverError(Exception):
    """The root: `cause` is one sentence for a person, `remedy` what that person can do."""

    def __init__(self, cause: str, remedy: str = "") -> None:
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.cause} {self.remedy}".strip()


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a configuration file."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where}: {self.key}: {self.message}" if self.key else f"{where}: {self.message}"


class ConfigError(ChangeoverError):
    """The configuration file was refused; what runs is left as it is."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class UnknownApp(ChangeoverError):
    """No app of this name is in the configuration."""


class UnknownDeployment(ChangeoverError):
    """No deployment of this id is in the journal."""


class UnknownBackup(ChangeoverError):
    """No backup of this id is where backups are kept."""


class Refused(ChangeoverError):
    """The request is well formed but cannot be met now."""


class NotAllowed(ChangeoverError):
    """Missing or unknown token (`known` is False), or one without the scope asked for."""

    def __init__(self, cause: str, remedy: str = "", *, known: bool = False) -> None:
        super().__init__(cause, remedy)
        self.known = known


class EngineError(ChangeoverError):
    """Docker does not answer, or answered with an error."""


class JournalError(ChangeoverError):
    """The journal cannot be written or read: nothing is done that it could not record."""


class ProxyError(ChangeoverError):
    """HAProxy does not answer, or did not do what it was told."""


class StepFailed(ChangeoverError):
    """A step of a deployment failed.

    `log` holds the last lines of the container or command, `exit_code` its exit status, `oom` whether the kernel
    killed it for memory.
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
