"""A journal that is away at the start is waited for, and everybody who asks is told."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from border.secrets import Secrets
from orchestrator.api.waiting_room import WaitingRoom
from orchestrator.errors import JournalError, JournalTooNew
from orchestrator.settings import Settings
from tests.support.addresses import free_port

AWAY = JournalError("The journal's database failed: connection refused.", "Check that it runs.")


def room() -> WaitingRoom:
    return WaitingRoom(Settings(api_host="127.0.0.1", api_port=free_port()), Secrets())


class Journal:
    """Opens at the third try."""

    def __init__(self, error: JournalError = AWAY) -> None:
        self.tries = 0
        self._error = error

    def open(self) -> str:
        self.tries += 1
        if self.tries < 3:
            raise self._error
        return "open"


def test_it_is_opened_as_soon_as_it_answers() -> None:
    journal = Journal()

    assert asyncio.run(room().until_open(journal.open)) == "open"
    assert journal.tries == 3


def test_one_of_a_newer_version_is_not_waited_for() -> None:
    journal = Journal(JournalTooNew("The journal has schema revision 9999.", "Start the newer version."))

    with pytest.raises(JournalTooNew):
        asyncio.run(room().until_open(journal.open))
    assert journal.tries == 1


def test_everybody_who_asks_meanwhile_is_told_why_without_secrets() -> None:
    secrets = Secrets()
    secrets.know({"hunter2hunter2"})
    waiting = WaitingRoom(Settings(api_host="127.0.0.1", api_port=free_port()), secrets)

    async def story() -> list[httpx.Response]:
        journal = Journal(JournalError("The database failed: no user hunter2hunter2."))
        await waiting.until_open(journal.open)
        transport = httpx.ASGITransport(waiting.application())
        async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
            return [await http.get(path) for path in ("/healthz", "/readyz", "/v1/apps")]

    alive, ready, apps = asyncio.run(story())
    assert (alive.status_code, alive.text) == (200, "ok, waiting for the journal\n")
    assert (ready.status_code, ready.text) == (503, "waiting for the journal\n")
    assert apps.status_code == 503
    assert apps.headers["content-type"] == "application/problem+json"
    assert "has waited for its journal since" in apps.json()["detail"]
    assert "The database failed: no user [hidden]." in apps.json()["detail"]
