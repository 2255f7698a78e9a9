"""Which backups are kept: by the order in which they were made, whatever the clock said."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.backup_sidecar import __main__ as sidecar
from orchestrator.backup_sidecar import archive
from orchestrator.backup_sidecar.catalogue import NO_SUCH_BACKUP, Catalogue, _entry
from orchestrator.backup_sidecar.manifest import ARCHIVE, MANIFEST, NUMBER, Entry, Manifest, Summary
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.backup_sidecar.reason import (
    before,
    before_migration,
    before_restoring,
    by_hand,
    deployment_in,
    is_by_hand,
)
from orchestrator.backup_sidecar.retention import unneeded


def add(folder: Path, name: str, *, damaged: bool = False, numbered: bool = True) -> str:
    """A backup that is made now, on a host whose clock says what the name says."""
    number = Catalogue(folder).next_number()
    backup = folder / name
    backup.mkdir(parents=True)
    (backup / ARCHIVE).write_bytes(b"packed")
    manifest = Manifest(name, "shop", "v1", "abc", "test", "2026-01-01T00:00:00+00:00", "", len(b"packed"), ())
    (backup / MANIFEST).write_text("nonsense" if damaged else json.dumps(asdict(manifest)))
    if numbered:
        (backup / NUMBER).write_text(str(number))
    return name


@given(
    clock=st.lists(st.integers(20_000_000, 21_000_000), min_size=1, max_size=12, unique=True),
    damaged=st.sets(st.integers(0, 11)),
    spare=st.sets(st.integers(0, 11)),
    keep=st.integers(1, 4),
)
def test_the_newest_good_ones_are_kept_whatever_the_clock_says(
    clock: list[int], damaged: set[int], spare: set[int], keep: int
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        made: list[str] = []
        good: list[str] = []
        spared: list[str] = []
        for place, second in enumerate(clock):
            made.append(add(folder, f"{second}-000000-000000", damaged=place in damaged))
            if place in spare:
                spared.append(made[-1])
            elif place not in damaged:
                good.append(made[-1])
            Catalogue(folder).prune(keep, also=[made[-1]], spare=spared)

            left = [one.id for one in Catalogue(folder).entries()]
            assert left[0] == made[-1]
            assert left == [one for one in reversed(made) if one in left]
            assert set(good[-keep:]) <= set(left)
            assert len(set(left) & set(good)) <= keep + 1


@given(keep=st.integers(1, 5))
def test_a_damaged_backup_goes_as_soon_as_enough_good_ones_are_newer(keep: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bad = add(folder, "20260101-000000-000000", damaged=True)
        for second in range(keep):
            assert bad in {one.id for one in Catalogue(folder).entries()}
            made = add(folder, f"20260101-00000{second + 1}-000000")
            Catalogue(folder).prune(keep, also=[made])

        assert bad not in {one.id for one in Catalogue(folder).entries()}
        assert len(Catalogue(folder).entries()) == keep


GOOD = asdict(Manifest("20260102-000000-000000", "shop", "v1", "abc", "test", "2026-01-01T00:00:00+00:00", "", 6, ()))


@pytest.mark.parametrize(
    "written",
    [
        "", "[]", "1", '"text"', "null", "[" * 100_000, "{}",
        *(
            json.dumps(GOOD | other)
            for other in (
                {"created_at": "yesterday"}, {"created_at": 5}, {"archive_size": "6"}, {"archive_size": -1},
                {"archive_size": 2**70}, {"version": None}, {"reason": ["x"]}, {"files": [5]}, {"files": "x"},
                {"files": None}, {"files": [{"path": "a", "size": "5", "sha256": "x"}]}, {"places": 5},
                {"files": [{"path": "a", "size": 5, "sha256": "x", "sqlite": 1}]}, {"left_out": [1]}, {"format": None},
            )
        ),
    ],
)  # fmt: skip
def test_a_manifest_of_any_content_damages_its_own_backup_alone(tmp_path: Path, written: str) -> None:
    good = add(tmp_path, "20260101-000000-000000")
    bad = add(tmp_path, "20260102-000000-000000", damaged=True)
    (tmp_path / bad / MANIFEST).write_text(written)

    damaged, whole = Catalogue(tmp_path).entries()

    assert (damaged.id, damaged.summary) == (bad, None)
    assert "its manifest cannot be read" in damaged.problem
    assert (whole.id, whole.problem) == (good, "")


def test_the_time_of_a_manifest_without_a_zone_is_in_utc(tmp_path: Path) -> None:
    backup = add(tmp_path, "20260101-000000-000000")
    (tmp_path / backup / MANIFEST).write_text(json.dumps(GOOD | {"created_at": "2026-01-01T00:00:00"}))

    (entry,) = Catalogue(tmp_path).entries()

    assert entry.summary is not None
    assert entry.summary.made_at == datetime(2026, 1, 1, tzinfo=UTC)


def test_the_list_of_backups_is_short_however_many_files_they_have(tmp_path: Path) -> None:
    """With all names, that of some backups with 50,000 files was longer than an answer may be, and none was found."""
    files = [{"path": f"data/{number}.jpg", "size": 7, "sha256": "0" * 64} for number in range(5000)]
    for day in range(1, 6):
        backup = add(tmp_path, f"2026010{day}-000000-000000")
        (tmp_path / backup / MANIFEST).write_text(json.dumps(GOOD | {"id": backup, "files": files}))

    listed = json.dumps([asdict(one) for one in Catalogue(tmp_path).entries()])

    assert listed.count("2026-01-01T00:00:00+00:00") == 5
    assert len(listed) < 10_000


def test_a_folder_that_a_person_has_put_beside_the_backups_is_neither_listed_nor_removed(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    for day in range(1, 9):
        add(tmp_path, f"2026010{day}-000000-000000")
        Catalogue(tmp_path).prune(1)

    assert [one.id for one in Catalogue(tmp_path).entries()] == ["20260108-000000-000000"]
    assert (tmp_path / "notes").is_dir()


@st.composite
def catalogues(draw: st.DrawFn) -> list[Entry]:
    """Backups of one day or of several, the newest first, some of them damaged."""
    found = []
    for number in range(draw(st.integers(0, 14)), 0, -1):
        name = f"2026010{draw(st.integers(1, 4))}-0000{number:02}-000000"
        reason = draw(st.sampled_from((before("deployment", f"d{number}"), before("deployment", "d0"), by_hand("ann"))))
        summary = Summary(name, "shop", "v1", "abc", reason, "2026-01-01T00:00:00+00:00", 6)
        found.append(Entry(name, 6, None if draw(st.booleans()) else summary, number=number))
    return found


@given(entries=catalogues(), keep=st.integers(1, 5), data=st.data())
def test_the_newest_good_backup_and_the_only_way_back_are_never_pruned(
    entries: list[Entry], keep: int, data: st.DataObject
) -> None:
    ids = [one.id for one in entries]
    some = st.sets(st.sampled_from(ids)) if ids else st.just(set())
    needed, spare = data.draw(some), data.draw(some)

    gone = unneeded(entries, keep, needed, spare)

    good = [one.id for one in entries if one.summary]
    assert not set(good[:1]) & set(gone), "the newest good one"
    assert not needed & set(gone), "what a rollback needs, or settles what a failed migration left"
    mine = [one.id for one in entries if one.summary and is_by_hand(one.summary.reason)]
    newest_of_each = {one.summary.reason: one.id for one in reversed(entries) if one.summary}
    made = [one for one in good if one in newest_of_each.values() and one not in {*mine, *spare}]
    assert not set(made[:keep]) & set(gone), "the newest `keep` good ones of deployments"
    assert not set(mine[:keep]) & set(gone), "the newest `keep` good ones that were made by hand"
    days = {one[:8] for one in good}
    assert len([one for one in mine if one not in gone]) <= keep + len(needed) + len(days) + 1
    left = [one for one in entries if one.id not in gone]
    assert unneeded(left, keep, needed, spare) == [], "one pass suffices"


def test_one_pass_suffices_after_a_jump_of_the_clock() -> None:
    days = ("01", "01", "02", "04", "03", "02", "01")
    ids = [f"202601{day}-0000{len(days) - at:02}-000000" for at, day in enumerate(days)]
    made = [(one, Summary(one, "shop", "v1", "abc", "test", "2026-01-01T00:00:00+00:00", 6)) for one in ids]
    entries = [Entry(one, 6, summary, number=len(ids) - at) for at, (one, summary) in enumerate(made)]
    needed = {ids[1], ids[4]}

    gone = unneeded(entries, 2, needed, set())

    assert unneeded([one for one in entries if one.id not in gone], 2, needed, set()) == []


def test_backups_of_earlier_versions_are_older_than_numbered_ones(tmp_path: Path) -> None:
    add(tmp_path, "20990101-000000-000000", numbered=False)
    add(tmp_path, "20260101-000000-000000", numbered=False)
    newest = add(tmp_path, "20250101-000000-000000")

    ids = [one.id for one in Catalogue(tmp_path).entries()]

    assert ids == [newest, "20990101-000000-000000", "20260101-000000-000000"]


def test_who_deploys_again_and_again_does_not_push_out_what_was_made_before(tmp_path: Path) -> None:
    days = [add(tmp_path, f"202601{day:02}-120000-000000") for day in range(1, 6)]
    repeated = [add(tmp_path, f"20260106-{minute:06}-000000") for minute in range(30)]

    for newest in repeated:
        Catalogue(tmp_path).prune(3, also=[newest])

    kept = [*repeated[:-4:-1], repeated[0], *days[:-3:-1]]
    assert [one.id for one in Catalogue(tmp_path).entries()] == kept


def test_a_clock_that_is_set_back_removes_no_first_backup_of_a_day(tmp_path: Path) -> None:
    ahead = add(tmp_path, "20260301-120000-000000")
    again = [add(tmp_path, f"20260105-{minute:06}-000000") for minute in range(9)]

    Catalogue(tmp_path).prune(2)

    assert [one.id for one in Catalogue(tmp_path).entries()] == [*again[:-3:-1], again[0], ahead]


def test_deployments_that_fail_do_not_push_out_what_others_made(tmp_path: Path) -> None:
    good = [add(tmp_path, f"2026010{day}-000000-000000") for day in (1, 2)]
    failed = [add(tmp_path, f"202602{day:02}-000000-000000") for day in range(1, 20)]

    Catalogue(tmp_path).prune(2, spare=failed)

    assert [one.id for one in Catalogue(tmp_path).entries()] == [failed[-1], *reversed(good)]


def of(reason: str, day: int, number: int) -> Entry:
    name = f"202601{day:02}-0000{number:02}-000000"
    return Entry(name, 6, Summary(name, "shop", "v1", "abc", reason, "2026-01-01T00:00:00+00:00", 6), number=number)


def test_deployments_do_not_push_out_what_was_made_by_hand_nor_the_other_way_round() -> None:
    first, mine = of("before deployment d0", 1, 1), of(by_hand("ann"), 1, 2)
    deployed = [of(f"before deployment d{number}", 1, number) for number in range(3, 40)]
    again = [of(by_hand("ann"), 1, number) for number in range(40, 60)]

    after_deployments = unneeded([*reversed(deployed), mine, first], 5, (), ())
    after_both = unneeded([*reversed(again), *reversed(deployed), mine, first], 5, (), ())

    assert after_deployments == [one.id for one in reversed(deployed[:-5])]
    assert after_both == [*(one.id for one in reversed(again[:-5])), *after_deployments, mine.id]


def test_both_backups_of_a_failed_deployment_are_spare_also_the_one_that_the_journal_does_not_name() -> None:
    """With requests paused another one is made, and the journal then names only that."""
    good = [of(f"before deployment d{number}", 1, number) for number in range(1, 6)]
    failed = [
        of(why, 1, 10 + 2 * number + paused)
        for number in range(6)
        for paused, why in enumerate((before("deployment", f"f{number}"), before_migration("deployment", f"f{number}")))
    ]
    spare = [f"f{number}" for number in range(6)]

    gone = unneeded([*reversed(failed), *reversed(good)], 5, (), spare)

    assert gone == [one.id for one in reversed(failed[:-1])]


def test_of_a_deployment_that_makes_two_backups_only_the_second_is_kept() -> None:
    """With requests paused each deployment made two: of five that are kept, three were of the last deployments."""
    went_live = [
        of(why, 1, 10 + 2 * number + paused)
        for number in range(7)
        for paused, why in enumerate((before("rollback", f"d{number}"), before_migration("rollback", f"d{number}")))
    ]
    needed = went_live[8].id

    gone = unneeded([*reversed(went_live)], 5, [needed], ())

    kept = {one.id for one in went_live} - {*gone}
    assert kept == {one.id for one in (*went_live[5::2], went_live[1])} | {needed}, (
        "the first one of the day stays, too"
    )


def test_what_a_reason_says_is_read_again() -> None:
    for deployment in ("d1", "20261127-0001-ab", "0"):
        assert deployment_in(before("deployment", deployment)) == deployment
        assert deployment_in(before_migration("rollback", deployment)) == deployment
    for other in (before_restoring("20260101-000000-000000"), by_hand("ann"), by_hand("before deployment d1"), "", "x"):
        assert not deployment_in(other)


def test_what_was_made_by_hand_is_not_spare_whatever_its_maker_is_called() -> None:
    mine = [of(by_hand("f1"), 1, number) for number in range(1, 4)]

    assert unneeded([*reversed(mine)], 5, (), ["f1", "before"]) == []


def test_a_backup_that_is_removed_while_it_is_read_is_not_damaged(tmp_path: Path) -> None:
    """Listing the backups failed, or called it damaged, while a new one took its place."""

    kept = add(tmp_path, "20260101-000000-000000")

    assert _entry(tmp_path / "20260101-000001-000000") is None
    assert _entry(tmp_path / kept) is not None


def test_a_removal_that_is_ended_leaves_no_damaged_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = add(tmp_path, "20260101-000000-000000"), add(tmp_path, "20260101-000001-000000")
    catalogue = Catalogue(tmp_path)

    def is_ended(folder: Path) -> None:
        (folder / MANIFEST).unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "rmtree", is_ended)
        with pytest.raises(KeyboardInterrupt):
            catalogue._remove(first)

    assert [(one.id, one.problem) for one in catalogue.entries()] == [(second, "")]
    catalogue.remove_unfinished()
    assert [one.name for one in tmp_path.iterdir()] == [second]


def test_a_backup_that_is_removed_while_it_is_checked_does_not_exist_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def finds_nothing(asked: argparse.Namespace) -> object:
        return archive.verify(tmp_path / asked.backup, Pace(gently=False))

    monkeypatch.setattr(sidecar, "BACKUPS", tmp_path)
    monkeypatch.setattr(sidecar, "carry_out", finds_nothing)
    monkeypatch.setattr(sys, "argv", ["backup_sidecar", "verify", "--backup=20260101-000000-000000"])

    assert sidecar.main() == NO_SUCH_BACKUP
    assert capsys.readouterr().out == "There is no backup '20260101-000000-000000' any more.\n"
