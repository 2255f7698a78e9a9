"""Tests that a person asks for: a message to every service, and a look at every URL without one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from orchestrator.errors import Refused
from orchestrator.notices.courier import MOST_TOGETHER, Message, Parcel
from orchestrator.notices.notifier import Notices
from orchestrator.notices.texts import inert

LOOKS_AT_ONCE = 1


@dataclass(frozen=True)
class Tried:
    """What one service answered to the test. `service` names its kind and where its URL is."""

    service: str
    taken: bool
    says: str
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What all services answered, and what is wrong with the files of URLs."""

    services: tuple[Tried, ...]
    problems: tuple[str, ...]


class Trials:
    """Used on the event loop. One test at a time: each sends something to everybody."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._test, self._look = asyncio.Lock(), asyncio.Semaphore(LOOKS_AT_ONCE)

    async def test(self, app: str | None, by: str) -> Trial:
        """Send a message to every service that is told something of an app, or of any app. Raises Refused."""
        found = await self._notices.current(app)
        if not found.urls and not found.problems:
            of = f" of {app}" if app else ""
            raise Refused(
                f"Nobody is told anything{of}: the configuration has no 'notify'.",
                "Add the section 'notify', and a file with the URLs of services: docs/notices.md",
            )
        if self._test.locked():
            raise Refused(
                "A test of notices is under way.",
                f"Wait until it has ended: at most 40 s for each {MOST_TOGETHER} services.",
            )
        says = f"Requested by {inert(by, 60)}. Notices{f' of {app}' if app else ''} arrive here."
        message = Message("A test of Changeover's notices", says)
        async with self._test:
            answers = await self._notices.courier.deliver_in_parts([Parcel(one.url, (message,)) for one in found.urls])
        for one, answer in zip(found.urls, answers, strict=True):
            if answer.is_well:
                await self._notices.lanes.took(one)
        tried = [
            Tried(one.label, answer.is_well, answer.says, round(answer.seconds, 2))
            for one, answer in zip(found.urls, answers, strict=True)
        ]
        return Trial(tuple(tried), found.problems)

    async def unusable(self) -> list[str]:
        """A sentence for each URL in use that Apprise cannot use. Nothing is sent. What is wrong with the files or
        with lines by their form is said by `preflight`."""
        found = await self._notices.current()
        async with self._look:
            answers = await self._notices.courier.deliver_in_parts([Parcel(one.url) for one in found.urls])
        return [
            f"{one.label}: {answer.says}" for one, answer in zip(found.urls, answers, strict=True) if not answer.is_well
        ]
