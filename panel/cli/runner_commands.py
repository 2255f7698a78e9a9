"""What the runner of a CI job obeys in the output of a step, and text that it does not.

GitHub's runner, and those of Forgejo and Gitea, obey a line that begins with `::NAME`, blanks before it aside, and
`##[NAME]` anywhere in a line, on standard output and standard error alike. GitLab's obeys `section_start:…` before a
carriage return and an escape sequence. What an app, a build, a commit or another token's name says is printed by most
commands, so the guard is a part of the streams: one blank is put into what would be obeyed, and nothing else changes.
https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs
https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
https://docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
"""

from __future__ import annotations

import codecs
import io
import os
import re
import stat
from collections.abc import Mapping

_COMMAND = re.compile(
    r"(?:(?<=[\r\n])|\A)(?P<at>[^\S\r\n]*:)(?=:)|(?P<old>##)(?=\[)|(?P<section>section_(?:start|end))(?=:)"
)
_LONGEST = len("section_start:")


def is_obeyed(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a runner reads the output of this process for commands."""
    return environment.get("GITHUB_ACTIONS") == "true" or environment.get("GITLAB_CI") == "true"


def harmless(text: str) -> str:
    """Whole lines, of which no runner obeys one."""
    return _COMMAND.sub(lambda found: f"{found[0]} ", text)


class HarmlessText:
    """Text that comes in pieces. `changed`: a runner would have obeyed some of it."""

    def __init__(self) -> None:
        self._before = ""
        """What was printed of the line under way, as far as it matters for what follows."""
        self.changed = False

    def piece(self, text: str) -> str:
        whole = self._before + text
        safe = harmless(whole)[len(harmless(self._before)) :]
        self.changed = self.changed or safe != text
        line = re.split(r"[\r\n]", whole)[-1]
        begun = line.lstrip()
        self._before = begun if begun in ("", ":") else f"x{line[-_LONGEST:]}"
        return safe


class HarmlessBytes:
    """Bytes that come in pieces, as UTF-8; those that are not UTF-8 stay as they are."""

    def __init__(self) -> None:
        self._text = HarmlessText()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    @property
    def changed(self) -> bool:
        return self._text.changed

    def piece(self, content: bytes) -> bytes:
        return self._text.piece(self._decoder.decode(content)).encode("utf-8", "surrogateescape")

    def end(self) -> bytes:
        """What is left of a character that was not complete."""
        return self._text.piece(self._decoder.decode(b"", final=True)).encode("utf-8", "surrogateescape")


class GuardedStream(io.TextIOWrapper):
    """A stream of text of which a runner obeys nothing but what is written by `write_command`."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)  # type: ignore[arg-type]  # as TextIOWrapper takes them
        self._guard = HarmlessText()

    def write(self, text: str, /) -> int:
        super().write(self._guard.piece(text))
        return len(text)

    def write_command(self, text: str) -> None:
        """Write a line that the runner is to obey. It begins a line of its own."""
        super().write(text)
        self._guard = HarmlessText()


def is_log_of_the_job(descriptor: int) -> bool:
    """Whether the shell that has started this process writes its own output there: then the runner reads it, and no
    other program. False where that cannot be found out (without /proc, or for a shell of somebody else)."""
    try:
        here = os.fstat(descriptor)
        theirs = [os.stat(f"/proc/{os.getppid()}/fd/{one}") for one in (1, 2)]
    except OSError:
        return False
    return stat.S_ISFIFO(here.st_mode) and any(os.path.samestat(here, one) for one in theirs)
