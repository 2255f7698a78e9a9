"""The child processes that give notices to services. The orchestrator itself never loads Apprise."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from pydantic import BaseModel, ValidationError

import orchestrator
from border.plain import one_line
from border.secrets import Secrets
from orchestrator.config.notify_urls import secrets_of_urls
from orchestrator.domain.notice import Tone
from orchestrator.host import child_process

log = structlog.get_logger()

WITHIN_S = 20.0
"""How long a service may take for its messages. One that does not answer is left; the others have theirs."""
BEGINS_WITHIN_S = 20.0
"""How much longer the process may take in all: on a busy machine, loading Apprise takes seconds."""
ENDS_WITHIN_S = 0.5
MOST_TOGETHER = 12
"""So many services share a process, which may open 256 files."""
MOST_PRINTED = 256 * 1024
MOST_SAID = 300
NEAR = "localhost,127.0.0.1,::1"
"""A proxy of the machine is for the way to other machines."""
REFUSED = frozenset(range(400, 500)) - {408, 425, 429}
"""Answers of HTTP by which a service says that another try will not help (RFC 9110, section 15.5)."""
OF_URL = frozenset({401, 403, 404})
"""Those that are about the URL and what it has to log in. The others may be about one message, such as its length."""


@dataclass(frozen=True)
class Message:
    """What one service gets, as it is shown there."""

    title: str
    body: str
    tone: Tone = Tone.INFO


@dataclass(frozen=True)
class Parcel:
    """The messages for one service, in their order. Without any, its URL is only looked at."""

    url: str
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True)
class Answer:
    """How many of a parcel's messages were taken, and what the service said of the next one, without secrets.
    `is_refused`: another try will not help; `is_of_url`: nor would another message. `is_well`: all were taken, or the
    URL can be used."""

    is_well: bool
    taken: int
    says: str
    seconds: float = 0.0
    is_refused: bool = False
    is_of_url: bool = False


class _Printed(BaseModel):
    service: int
    message: int
    taken: bool
    says: str
    seconds: float
    status: int | None
    is_wrong: bool


class Courier:
    """Starts one child process for each `deliver`. What services say passes `known_secrets` before anybody has it."""

    def __init__(self, known_secrets: Secrets, within_s: float = WITHIN_S) -> None:
        self._border = known_secrets
        self._within_s = within_s

    async def deliver(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """An answer for each parcel. When the task is cancelled, the process is ended before this returns."""
        if not parcels:
            return []
        self._border.know(secrets_of_urls("\n".join(one.url for one in parcels)))
        printed, why = await self._run(parcels)
        return [self._answer(number, parcel, printed, why) for number, parcel in enumerate(parcels)]

    async def deliver_in_parts(self, parcels: Sequence[Parcel]) -> list[Answer]:
        """As `deliver`, by one process after another, each for MOST_TOGETHER services at most."""
        parts = [parcels[at : at + MOST_TOGETHER] for at in range(0, len(parcels), MOST_TOGETHER)]
        return [answer for part in parts for answer in await self.deliver(part)]

    async def _run(self, parcels: Sequence[Parcel]) -> tuple[list[_Printed], str]:
        """What the process printed, and why it has no more; the latter is empty if it ended as it should."""
        given = json.dumps({"within_s": self._within_s, "services": [_as_json(one) for one in parcels]}).encode()
        out, why = bytearray(), ""

        def take(chunk: bytes) -> None:
            out.extend(chunk[: MOST_PRINTED - len(out)])

        command = (sys.executable, "-m", "orchestrator.notices.deliver")
        try:
            ended = await child_process.run(
                *command,
                env=_environment(),
                timeout_s=self._within_s + BEGINS_WITHIN_S,
                on_chunk=take,
                terminate_within_s=ENDS_WITHIN_S,
                given=given,
            )
            if ended.exit_code != 0:
                why = f"The process that sends notices ended with exit code {ended.exit_code}."
        except TimeoutError:
            why = f"The process that sends notices did not end within {self._within_s + BEGINS_WITHIN_S:g} s."
        except OSError as error:
            why = f"The process that sends notices could not be started: {error.strerror}."
        if why:
            said = bytes(out).decode(errors="replace")[-2000:]
            log.warning("notices not sent", cause=why, said=self._border.text(said))
        return _lines(bytes(out)), why

    def _answer(self, number: int, parcel: Parcel, printed: list[_Printed], why: str) -> Answer:
        mine = [one for one in printed if one.service == number]
        taken = sum(one.taken for one in mine) if parcel.messages else 0
        seconds = sum(one.seconds for one in mine)
        if failed := next((one for one in mine if not one.taken), None):
            says = self._border.cut(one_line(failed.says), MOST_SAID) or "It did not take it."
            is_refused = failed.is_wrong or failed.status in REFUSED
            return Answer(False, taken, says, seconds, is_refused, failed.is_wrong or failed.status in OF_URL)
        if mine and taken == len(parcel.messages):
            return Answer(True, taken, "", seconds)
        return Answer(False, taken, why or f"It did not answer within {self._within_s:g} s.", self._within_s)


def _as_json(parcel: Parcel) -> dict[str, object]:
    return {"url": parcel.url, "messages": [vars(one) for one in parcel.messages]}


def _environment() -> dict[str, str]:
    """Without a secret: URLs are given on standard input, which `ps` and /proc show nobody."""
    before = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    without_proxy = f"{before},{NEAR}".strip(",")
    bundle = os.environ.get("SSL_CERT_FILE")
    root = str(Path(orchestrator.__file__).parents[1])
    return {
        "PYTHONPATH": root,
        "PYTHONDONTWRITEBYTECODE": "1",
        "MALLOC_ARENA_MAX": "1",
        # The library by which most services are told knows neither SSL_CERT_FILE nor the authorities of the machine.
        **({"REQUESTS_CA_BUNDLE": bundle} if bundle else {}),
        "NO_PROXY": without_proxy,
        "no_proxy": without_proxy,
    }


def _lines(out: bytes) -> list[_Printed]:
    """The outcomes among what was printed. A process that could not begin prints other things."""
    found = []
    for line in out.splitlines():
        try:
            found.append(_Printed.model_validate_json(line))
        except ValidationError:
            continue
    return found


class Rounds:
    """Several services share a process: what is to be sent within GATHER_S seconds goes together. Services that did not
    answer the last time go together, too, and in another process, so that nobody waits for them. So there are at most
    two processes at a time, however much happens at once.

    An error that no process has told is raised where `send` waits, and ends no other round."""

    GATHER_S = 0.2

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._queues = {is_slow: asyncio.Queue[tuple[Parcel, asyncio.Future[Answer]]]() for is_slow in (False, True)}

    async def send(self, parcel: Parcel, *, is_slow: bool) -> Answer:
        """Wait for the next process, and for the answer."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queues[is_slow].put_nowait((parcel, answer))
        return await answer

    async def keep_going(self) -> None:
        """Start processes, without end."""
        async with asyncio.TaskGroup() as group:
            for queue in self._queues.values():
                group.create_task(self._serve(queue))

    async def _serve(self, queue: asyncio.Queue[tuple[Parcel, asyncio.Future[Answer]]]) -> None:
        while True:
            together = [await queue.get()]
            await asyncio.sleep(self.GATHER_S)
            while len(together) < MOST_TOGETHER and not queue.empty():
                together.append(queue.get_nowait())
            wanted = [one for one in together if not one[1].done()]
            try:
                answers = await self._courier.deliver([parcel for parcel, _ in wanted])
            except Exception as error:  # noqa: BLE001 (a defect, which whoever waits raises)
                _raise_in(wanted, error)
                continue
            for (_parcel, waiter), answer in zip(wanted, answers, strict=True):
                if not waiter.done():
                    waiter.set_result(answer)


def _raise_in(wanted: Sequence[tuple[Parcel, asyncio.Future[Answer]]], error: Exception) -> None:
    for _parcel, waiter in wanted:
        if not waiter.done():
            waiter.set_exception(error)
