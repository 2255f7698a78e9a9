"""What Docker's refusals and its silence mean: the sentence without the layers that passed it on, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator

from docker.errors import APIError
from requests.exceptions import RequestException, Timeout

from orchestrator.errors import CREATED_AGAIN, EngineError, NotStarted, UserUnknown

_LAYERS = re.compile(
    r"^.*?OCI runtime create failed: .*?(?:unable to start container process: )(?:error during container init: )?",
    re.DOTALL,
)
_COMMAND = "the image's CMD or ENTRYPOINT, or run.command"
NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""The exit codes that a shell gives to a program that it cannot start (POSIX, section 2.8.2)."""
_PROGRAMS = (
    (
        r'exec: "(?P<what>[^"]*)": executable file not found',
        f"Correct {_COMMAND}: the image has no program '{{what}}' in its PATH.",
        NOT_FOUND,
    ),
    (
        r'exec:? "?(?P<what>[^" ]*)"?: (?:stat [^:]*: )?no such file or directory',
        f"Correct {_COMMAND}: the image has no file '{{what}}', or not the program that its first line names.",
        NOT_FOUND,
    ),
    (
        r'exec:? "?(?P<what>[^" ]*)"?: permission denied',
        "Make '{what}' executable in the image (chmod +x), for the user that it runs as.",
        NOT_EXECUTABLE,
    ),
    (r'exec:? "?(?P<what>[^" ]*)"?: is a directory', f"Correct {_COMMAND}: '{{what}}' is a folder.", NOT_EXECUTABLE),
)
_NO_INIT = re.compile(r'exec: "?(?:docker-init|tini)\b[^:]*: executable file not found', re.IGNORECASE)
_TIPS = (
    (r"exec format error", "The program is for another processor, or a script whose first line lacks '#!'."),
    (r"no such container", CREATED_AGAIN),
    (r"no command specified", "Give the image a CMD or ENTRYPOINT, or set run.command."),
    (r"chdir to cwd \(\"(?P<what>[^\"]*)\"\)", "Correct WORKDIR of the image: its user cannot enter '{what}'."),
    (r"Minimum memory limit", "Raise run.memory."),
    (r"bind source path does not exist: (?P<what>\S+)", "Correct run.volumes, or make the folder {what} on the host."),
    (
        r"network (?P<what>\S+) not found",
        "Correct run.networks, or make the network: start the Compose project that declares it, or if none does: "
        "docker network create {what}",
    ),
    (r"no space left on device", "The disk is full. Free disk space: 'changeover doctor' shows its use."),
)
_NO_USER = re.compile(
    r"unable to find (?:user|group) (?P<named>[^:]+)|user or group (?P<written>.+) is not in its /etc/", re.IGNORECASE
)


def not_started(program: str) -> str:
    """What is told to whoever typed the command, wherever it was to run."""
    return (
        f"The command cannot be started: the image has no program '{program}' that can be run. Name one that it has; "
        "words of a shell, such as cd or &&, need one: -- sh -c 'COMMAND'."
    )


def refused_by(error: APIError) -> EngineError:
    return refused(str(error.explanation or error))


def unanswered(error: Exception) -> EngineError:
    """The error where Docker did not answer a request."""
    why = "no answer in time" if isinstance(error, Timeout) else _reason(error) or str(error)
    return EngineError(
        f"Docker Engine does not answer: {why.rstrip('.')}.",
        "Start it (systemctl start docker, or tools/engine), then try again.",
    )


def _reason(error: BaseException) -> str:
    """What the system said, which requests and urllib3 show with names of classes and numbers around it."""
    of_the_system = (
        one for one in _within(error) if isinstance(one, OSError) and not isinstance(one, RequestException)
    )
    found = next(of_the_system, None)
    if isinstance(found, FileNotFoundError):
        return "its socket does not exist"
    return (found.strerror or str(found)) if found else ""


def _within(error: object) -> Iterator[BaseException]:
    if isinstance(error, BaseException):
        yield error
        for part in (*error.args, error.__cause__):
            yield from _within(part)


def refused(explanation: str) -> EngineError:
    """The error for what Docker says when it refuses a request."""
    says = _LAYERS.sub("", explanation.strip()).removesuffix(": unknown").rstrip(".: ")
    if _NO_INIT.search(says):
        return EngineError(
            "Docker's init, the program docker-init, is missing on the host: no command gets a container of its own.",
            "Install it: on Debian the package tini, from Docker's own packages docker-ce.",
        )
    for pattern, tip, code in _PROGRAMS:
        if found := re.search(pattern, says, re.IGNORECASE):
            what = found["what"]
            return NotStarted(f"Docker refused: {says}.", tip.format(what=what), not_started(what), code)
    if found := _NO_USER.search(says):
        what = found["named"] or found["written"]
        return UserUnknown(f"Docker refused: {says}.", f"Correct run.user or USER of the image: it has no '{what}'.")
    for pattern, tip in _TIPS:
        if found := re.search(pattern, says, re.IGNORECASE):
            return EngineError(f"Docker refused: {says}.", tip.format(**found.groupdict()))
    return EngineError(f"Docker refused: {says}.")
