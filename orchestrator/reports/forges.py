"""How each forge is told the status of a commit: the request, and what its answer means. No I/O.

https://docs.github.com/rest/commits/statuses#create-a-commit-status
https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
https://codeberg.org/api/swagger#/repository/repoCreateStatus (Forgejo, and Gitea the same)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import quote

from border.plain import one_line

MOST_OF_DESCRIPTION = 140
"""Characters: what GitHub shows. GitLab and Gitea keep 255."""


class Outcome(StrEnum):
    """What became of a commit, in the words of GitHub and Gitea."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    INTERRUPTED = "error"
    """A person or an end of the orchestrator ended it: that says nothing of the commit."""


_OF_GITLAB = {
    Outcome.PENDING: "running",
    Outcome.SUCCESS: "success",
    Outcome.FAILURE: "failed",
    Outcome.INTERRUPTED: "canceled",
}


@dataclass(frozen=True)
class CommitStatus:
    """The status of one commit for one app. `link` is empty if there is none."""

    app: str
    commit: str
    outcome: Outcome
    description: str
    link: str = ""


@dataclass(frozen=True)
class StatusRequest:
    """A POST with a JSON body."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: Mapping[str, str]


def status_request(kind: str, api: str, repository: str, token: str, status: CommitStatus) -> StatusRequest:
    """The request by which a forge of this kind takes the status."""
    context, description = f"changeover/{status.app}", _short(status.description)
    link = {"target_url": status.link} if status.link else {}
    if kind == "gitlab":
        url = f"{api}/projects/{quote(repository, safe='')}/statuses/{status.commit}"
        body = {"state": _OF_GITLAB[status.outcome], "name": context, "description": description}
        return StatusRequest(url, {"PRIVATE-TOKEN": token}, body | link)
    headers = {"Authorization": f"token {token}"}
    if kind == "github":
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
    body = {"state": str(status.outcome), "context": context, "description": description}
    return StatusRequest(f"{api}/repos/{quote(repository)}/statuses/{status.commit}", headers, body | link)


class Verdict(StrEnum):
    """What an answer means."""

    TAKEN = "taken"
    AGAIN = "again"
    """The same may be taken later."""
    REFUSED = "refused"


LONGEST_WAIT_S = 3600.0
"""GitHub counts requests by the hour. A forge that names a longer time is asked again after this one."""


def verdict(kind: str, status: int, text: str, headers: Mapping[str, str]) -> Verdict:
    """What the forge's answer means. GitLab refuses a status that the commit has already. GitHub answers a token that
    has asked too often with 403, too (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""
    if 200 <= status < 300 or (kind == "gitlab" and status == 400 and "Cannot transition status" in text):
        return Verdict.TAKEN
    is_limit = status == 403 and ("retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")
    return Verdict.AGAIN if is_limit or status in (408, 425, 429) or status >= 500 else Verdict.REFUSED


def wait_s(headers: Mapping[str, str], moment_s: float) -> float:
    """The seconds that the forge wants to be left alone, at most LONGEST_WAIT_S; 0 if it does not say. `moment_s`: the
    seconds since 1970 (RFC 9110, 10.2.3; x-ratelimit-reset of GitHub and GitLab)."""
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", said):
        seconds = float(said)
    elif said:
        try:
            date = parsedate_to_datetime(said)
            seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - moment_s
        except (ValueError, OverflowError):
            return 0.0
    else:
        reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
        is_moment = headers.get("x-ratelimit-remaining", headers.get("ratelimit-remaining")) == "0"
        seconds = float(reset) - moment_s if is_moment and re.fullmatch(r"[0-9]{1,12}", reset) else 0.0
    return min(max(seconds, 0.0), LONGEST_WAIT_S)


def why_refused(status: int) -> str:
    """What to do about an answer with this status."""
    match status:
        case 401 | 403:
            return "Correct the token in report.token_file: it must be valid, and may write the status of commits."
        case 404:
            return "Correct report.repository and report.api_url; a forge answers so, too, if the token may not see it."
        case _:
            return "Correct the section report of the app."


def _short(text: str) -> str:
    said = one_line(text)
    return said if len(said) <= MOST_OF_DESCRIPTION else f"{said[: MOST_OF_DESCRIPTION - 1]}…"
