"""Services that are told something, without a process: each takes what it gets, or says why not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from border.secrets import Secrets
from orchestrator.notices.courier import Answer, Courier, Message, Parcel


class FakeCourier(Courier):
    """`answers`: by URL, what it says to the next messages; then it takes all. `taken`: by URL, what it has."""

    def __init__(self) -> None:
        super().__init__(Secrets())
        self.answers: dict[str, list[Answer]] = {}
        self.taken: dict[str, list[Message]] = {}
        self.runs: list[list[str]] = []
        self.gate: asyncio.Event | None = None

    async def deliver(self, parcels: Sequence[Parcel]) -> list[Answer]:
        self.runs.append([one.url for one in parcels])
        if self.gate:
            await self.gate.wait()
        return [self._said(one) for one in parcels]

    def titles(self, url: str) -> list[str]:
        return [one.title for one in self.taken.get(url, [])]

    def _said(self, parcel: Parcel) -> Answer:
        waiting = self.answers.get(parcel.url)
        answer = waiting.pop(0) if waiting else Answer(True, len(parcel.messages), "")
        taken = len(parcel.messages) if answer.is_well else answer.taken
        self.taken.setdefault(parcel.url, []).extend(parcel.messages[:taken])
        return answer


def fails(says: str = "error=500.", *, is_refused: bool = False, **more: Any) -> Answer:  # Any: fields of Answer
    return Answer(False, 0, says, is_refused=is_refused, **more)
