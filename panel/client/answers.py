"""Converts an error answer of the orchestrator, RFC 9457 problem details, or none, to a ClientError."""

from __future__ import annotations

import json
from typing import Any

import httpx

from border.plain import plain_values
from border.urls import hide_in_urls, without_credentials
from panel.client.errors import ClientError, Failed, Invalid, NotFound, NotSignedIn, Refused, Unanswered, Unreachable

KINDS: dict[int, type[ClientError]] = {
    401: NotSignedIn,
    403: NotSignedIn,
    404: NotFound,
    409: Refused,
    422: Invalid,
    429: Refused,
    503: Refused,
}
ENDED = (httpx.RemoteProtocolError, httpx.ReadError)
"""A connection was taken, and ended without an answer."""


def is_record_of_failure(answer: httpx.Response) -> bool:
    """Whether a 502 is the record of a rollback or restore that failed, and not a proxy's error."""
    return answer.status_code == 502 and answer.headers.get("content-type", "").startswith("application/json")


def read(text: str | bytes) -> Any:  # Any: JSON
    """The value of a JSON text without control characters; of bytes that are not UTF-8, as of any other text. Raises
    ValueError if it is no JSON, or is too deep or has too large a number for this client.
    """
    try:
        return plain_values(json.loads(text if isinstance(text, str) else text.decode(errors="replace")))
    except RecursionError as error:
        raise ValueError("it is too deep") from error


def error_of(answer: httpx.Response) -> ClientError:
    """The error of an answer whose status is not 2xx."""
    try:
        problem = read(answer.content)
    except ValueError:
        problem = None
    if not isinstance(problem, dict):
        # Of a proxy before the orchestrator, which does not know what became of the request.
        none = Unanswered if answer.status_code in (502, 504) else Unreachable
        return none(
            f"{without_credentials(str(answer.url))} answered with status {answer.status_code} and without a cause.",
            "Set CHANGEOVER_URL to the orchestrator's address, or see its log: docker compose logs orchestrator",
        )
    kind = KINDS.get(answer.status_code, Failed)
    cause = _cause(problem.get("detail"), answer)
    log = problem.get("log")
    return kind(
        cause, str(problem.get("remedy") or ""), tuple(str(line) for line in log) if isinstance(log, list) else ()
    )


def _cause(detail: Any, answer: httpx.Response) -> str:  # Any: JSON
    if isinstance(detail, str):
        return detail
    if isinstance(detail, list):
        # FastAPI's own check of a request: a list of errors, each with where it is and what is wrong.
        return " ".join(_invalid_value(one) for one in detail if isinstance(one, dict))
    return f"{answer.request.method} {answer.request.url.path} failed with status {answer.status_code}."


def _invalid_value(error: dict[str, Any]) -> str:  # Any: JSON
    where = error.get("loc")
    name = ".".join(str(part) for part in where[1:]) if isinstance(where, list) else ""
    why = str(error.get("msg", "not accepted")).removeprefix("Value error, ")
    return f"Invalid value for {name or 'the request'}: {why}."


def unreachable(url: str, error: httpx.HTTPError, kind: type[Unreachable] = Unreachable) -> Unreachable:
    """There was no answer from `url`. Docker takes connections for a container that does not listen yet, and ends
    them."""
    begins = "It may be starting: try again in a moment. If it is not: s" if isinstance(error, ENDED) else "S"
    return kind(
        f"Nothing answers at {without_credentials(url)}: {_why(error)}.",
        f"{begins}tart the orchestrator with 'make up', or set CHANGEOVER_URL to its address.",
    )


def broke_off(url: str, error: httpx.HTTPError) -> Unreachable:
    """An answer had begun, and did not come to its end."""
    return Unreachable(
        f"The connection to {without_credentials(url)} broke: {_why(error)}. What came is not whole.",
        "See whether the orchestrator runs (changeover status), then run this again.",
    )


def strange(url: str, problem: str) -> Unreachable:
    """The answer is none of an orchestrator that the client knows."""
    return Unreachable(
        f"The answer of the server at {without_credentials(url)} {problem}.",
        "Set CHANGEOVER_URL to the orchestrator's address, and use a client of the orchestrator's version.",
    )


def _why(error: httpx.HTTPError) -> str:
    return hide_in_urls(str(error)).rstrip(". ") or type(error).__name__
