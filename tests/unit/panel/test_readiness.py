"""Everybody who reaches the panel can ask whether it is ready, and each question costs the database and more."""

from __future__ import annotations

import asyncio

from panel.web.readiness import KEPT_S, Readiness


class Asked:
    """Counts the questions; each ends when it is let."""

    def __init__(self, *says: str) -> None:
        self._says = list(says)
        self.questions = 0
        self.may_end = asyncio.Event()

    async def __call__(self) -> str:
        self.questions += 1
        says = self._says[min(self.questions, len(self._says)) - 1]
        await self.may_end.wait()
        return says


async def test_however_many_ask_at_once_one_question_is_asked() -> None:
    asked = Asked("the database does not answer")
    readiness = Readiness(asked)

    waiting = [asyncio.create_task(readiness.problem()) for _ in range(100)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    asked.may_end.set()
    found = await asyncio.gather(*waiting, return_exceptions=True)

    assert asked.questions == 1
    assert found[1:] == ["the database does not answer"] * 99
    assert isinstance(found[0], asyncio.CancelledError)


async def test_a_panel_that_is_ready_is_not_asked_again_for_a_moment() -> None:
    moment_s = 0.0
    asked = Asked("")
    asked.may_end.set()
    readiness = Readiness(asked, lambda: moment_s)

    assert [await readiness.problem() for _ in range(100)] == [""] * 100
    assert asked.questions == 1
    moment_s += KEPT_S
    assert await readiness.problem() == ""
    assert asked.questions == 2


async def test_what_a_panel_lacks_is_looked_at_each_time() -> None:
    asked = Asked("the database is not at the newest schema revision", "")
    asked.may_end.set()
    readiness = Readiness(asked, lambda: 0.0)

    assert [await readiness.problem() for _ in range(3)] == [
        "the database is not at the newest schema revision",
        "",
        "",
    ]
