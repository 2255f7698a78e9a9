"""Whoever remembers something of a version changes that alone: nothing that was saved meanwhile is lost."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.clock import now
from orchestrator.domain.notice import About, Notice
from orchestrator.domain.version_record import VersionRecord
from orchestrator.journal.store import Journal
from orchestrator.updates.remembered import Remembered
from tests.support.fakes.journal import UnreliableJournal

WAYS = ("see", "dismiss", "skip", "tell")
CHANGES = {"see": "seen_at", "dismiss": "dismissed_at", "skip": "skipped_at", "tell": "told_at"}


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize(("one", "other"), list(itertools.combinations(WAYS, 2)))
async def test_two_that_have_read_the_same_record_both_have_what_they_saved(
    journal: UnreliableJournal, tmp_path: Path, one: str, other: str, is_known: bool
) -> None:
    began = now()
    wrong = began + timedelta(hours=1)  # the clock was wrong: a check corrects it
    if is_known:
        journal.save_version("shop", VersionRecord("v3", wrong))
    journal.close()
    threads = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    remembered = Remembered(threads, lambda: began, lambda: 0.0)
    before = threads.versions("shop").get("v3") or VersionRecord("v3", began)
    notice = Notice("shop", About.UPDATE, "shop v3 is available", "", began)
    does: dict[str, Callable[[], Awaitable[object]]] = {
        "see": lambda: remembered.see("shop", "v3"),
        "dismiss": lambda: remembered.dismiss("shop", "v3"),
        "skip": lambda: remembered.skip("shop", "v3", "anna"),
        "tell": lambda: threads.beside(threads.queue_notice, notice, replace(before, told_at=began)),
    }
    await asyncio.gather(does[one](), does[other]())

    after = threads.versions("shop")["v3"]
    saved = {getattr(after, CHANGES[way]) for way in (one, other)}
    threads.close()
    assert len(saved) == 1
    assert abs(saved.pop() - began) < timedelta(seconds=1)
    assert after.skipped_by == ("anna" if "skip" in (one, other) else "")
