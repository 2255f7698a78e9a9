"""Why git failed at a remote, in plain words: what git prints is for those who know git, and stays in the log."""

from __future__ import annotations

import re

from orchestrator.config.source_schema import GitSource
from orchestrator.sources.git_error import error_line
from orchestrator.sources.not_reached import why_not_reached
from orchestrator.sources.redirects import look_at

_LACKS_OBJECTS = "pack-objects died"
_STATUS = re.compile(r"returned error: (\d{3})\b")
_LET_IN = re.compile(r"could not read (?:Username|Password)|Authentication failed|returned error: 40[13]\b")
_NOT_FOUND = re.compile(r"repository '[^'\n]*' not found|returned error: (?:404|410)\b")
_NO_REPOSITORY = re.compile(r"does not appear to be a git repository|not valid: is this a git repository|not a git rep")
_GONE = re.compile(r"repository '[^'\n]*' does not exist")
_MAY_NOT_READ = re.compile(r"Permission denied|insufficient permission|dubious ownership")
_FULL = re.compile(r"No space left on device|Disk quota exceeded")
_LEADS_AWAY = re.compile(r"unable to update url base from redirection")
_NO_GIT = re.compile(r"invalid server response|bad line length|protocol error|unexpected content.type", re.IGNORECASE)


def why_git_failed(said: str, settings: GitSource, remote: str) -> tuple[str, str]:
    """The cause, as the end of a sentence about the repository, and what to do. What is not known is told
    as git says it."""
    correct = "Correct update.git.remote, or give this host access to the repository."
    if _LACKS_OBJECTS in said:
        return (
            "it lacks objects of its own history, as a partial clone does",
            "Set update.git.remote to the repository that it was cloned from, or complete it there: git fetch "
            "--refetch --no-filter",
        )
    if _FULL.search(said):
        return "the disk is full", "Free disk space: 'changeover doctor' shows its use."
    if _LET_IN.search(said):
        return _not_let_in(settings, remote)
    if _NOT_FOUND.search(said):
        with_token = " with this token" if settings.token_file else ""
        return (
            f"its server has no such repository, or none that may be read{with_token}",
            "Correct update.git.remote. Forges say this of private repositories, too: those need update.git.token_file "
            "with a token that may read this one.",
        )
    if _GONE.search(said) or _NO_REPOSITORY.search(said):
        return "there is no Git repository at this place", correct
    if _LEADS_AWAY.search(said):
        return "its server leads to another page, which is no Git repository", correct
    if found := _STATUS.search(said):
        if found[1].startswith("3"):
            return (
                f"its server leads to another address (status {found[1]}), which is not followed",
                "Write that address into the configuration, or into .gitmodules or .lfsconfig if it is named there.",
            )
        says = f"its server answers with status {found[1]}"
        failed = found[1] == "429" or found[1] >= "500"
        return says, "Try again later, or look at the server's own log." if failed else correct
    if _NO_GIT.search(said):
        return "the server's answer is not one of Git", correct
    if plain := why_not_reached(said):
        return plain[0], look_at(remote, plain[1])
    if _MAY_NOT_READ.search(said):
        return "its files may not be read", "Let every user read the folder of the repository and what is in it."
    return error_line(said), correct


def _not_let_in(settings: GitSource, remote: str) -> tuple[str, str]:
    if settings.token_file:
        return (
            f"its server does not accept the token in {settings.token_file} for it",
            "Write a token into that file that is not expired and may read this repository.",
        )
    if "@" in remote.partition("://")[2].partition("/")[0]:
        return (
            "its server does not accept the user and password in its address",
            "Correct them, or name a file with a token instead: update.git.token_file.",
        )
    return (
        "its server wants to know who asks: it is private, or does not exist",
        "Correct update.git.remote, or set update.git.token_file to a file with a token that may read the repository.",
    )
