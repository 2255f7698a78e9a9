"""Which path is asked whether an app is ready, and which answers mean that it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from orchestrator.config.app_schema import DEFAULT_READINESS_PATH

ROOT_PATH = "/"
NOT_FOUND = 404
SIGN_IN = (401, 403)
"""An app that asks for a sign-in at every path runs."""

Ask = Callable[[str], Awaitable[httpx.Response]]


@dataclass(frozen=True)
class ReadinessAnswer:
    """The path that was asked last, its answer, and whether it means that the app is ready.

    `configured`: the path is `health.path`.
    """

    path: str
    answer: httpx.Response
    ready: bool
    configured: bool

    @property
    def why_not(self) -> str:
        """The status that the app has, and the one that it should have. The text of the answer is not part of it."""
        wanted = "200 to 299 (health.path)" if self.configured else "200 to 399, 401 or 403"
        location = self.answer.headers.get("location")
        leads = f", a redirect to {location[:100]}," if location else ""
        return f"{self.path} answered with status {self.answer.status_code}{leads} instead of {wanted}"


async def ask_ready(configured: str | None, ask: Ask, *, known: str = "") -> ReadinessAnswer:
    """Ask whether the app is ready. `ask` sends GET to a path, and may raise.

    With `health.path`, only its statuses 200 to 299 are ready. Without it, /readyz is asked, or / where that is not
    found; there redirects and requests to sign in count, too. `known`: the path that this container has answered well
    before. If that is /, /readyz is not asked while / is ready: a server such as nginx logs each request for what it
    does not have as an error.
    """
    if configured:
        answer = await ask(configured)
        return ReadinessAnswer(configured, answer, answer.is_success, configured=True)
    if known == ROOT_PATH and _runs(answer := await ask(ROOT_PATH)):
        return ReadinessAnswer(ROOT_PATH, answer, True, configured=False)
    answer = await ask(DEFAULT_READINESS_PATH)
    if answer.status_code != NOT_FOUND:
        return ReadinessAnswer(DEFAULT_READINESS_PATH, answer, _runs(answer), configured=False)
    answer = await ask(ROOT_PATH)
    return ReadinessAnswer(ROOT_PATH, answer, _runs(answer), configured=False)


def _runs(answer: httpx.Response) -> bool:
    return answer.is_success or answer.is_redirect or answer.status_code in SIGN_IN
