"""Of a muted app nobody is told: what would have been sent is recorded, also over a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from orchestrator.domain.mute import Mute
from orchestrator.domain.outage_events import Outage
from orchestrator.notices.lanes import Fate
from tests.support.fakes.journal import UnreliableJournal
from tests.unit.notices.test_notifier import TOLD, Bench

AWAY = Outage("v1", "unhealthy", "it answered 500", seconds=60.0)
BOTH = TOLD + (
    "apps:\n  shop:\n    update: {git: {remote: /srv/shop}}\n    route: {host: shop.test}\n"
    "  till:\n    update: {git: {remote: /srv/till}}\n    route: {host: till.test}\n"
)


async def test_notices_of_a_muted_app_are_recorded_and_not_sent(journal: UnreliableJournal, tmp_path: Path) -> None:
    bench = Bench(journal, tmp_path, BOTH)
    start = bench.clock()
    journal.save_mute(Mute("shop", start, start + timedelta(hours=4), "ann"))
    bench.restart()

    await bench.happens(AWAY)
    await bench.happens(AWAY, "till")
    await bench.all_sent()

    assert len(bench.titles()) == 1
    assert "till" in bench.titles()[0]
    (muted,) = [one for one in journal.events() if one.kind == "notice_muted"]
    assert (muted.app, muted.fields["about"]) == ("shop", "outage")
    assert bench.notices.lanes.total["shop", Fate.MUTED] == 1


async def test_after_the_mute_they_are_sent_again(journal: UnreliableJournal, tmp_path: Path) -> None:
    bench = Bench(journal, tmp_path, BOTH)
    start = bench.clock()
    journal.save_mute(Mute("shop", start - timedelta(hours=5), start, "ann"))

    await bench.happens(AWAY)
    await bench.all_sent()

    assert len(bench.titles()) == 1
