"""Which backups of an app are removed after a new one is complete. Standard library only.

Kept are the newest ones that were made before deployments, rollbacks and restores, and as many of those that somebody
asked for: they are counted apart, so that deploying removes nothing that a person wanted. The first one of each of the
last days is kept in addition: whoever may make backups or deploy, however often, does not remove what others made
before, and the one from before all that was done on a day stays.

Damaged backups are not counted, nor are spare ones, of which only the newest undamaged one is kept, and damaged ones
that are newer: they were made before deployments that failed, and must not push out all others.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from orchestrator.backup_sidecar import reason
from orchestrator.backup_sidecar.manifest import Entry


def unneeded(entries: Sequence[Entry], keep: int, also: Collection[str], spare: Collection[str]) -> list[str]:
    """The ids of the backups to remove. `entries` are all of the app, the newest first, and `keep` is at least 1.

    `also` are backups that are needed. `spare` has ids of backups, and of deployments before which all are spare.

    The newest undamaged backup is never removed, whatever it was made for. What would go the next time, because the
    days of those that are left have another order (after a jump of the clock), goes at once.
    """
    gone, left = set[str](), list(entries)
    while found := _unneeded_first(left, keep, also, spare):
        gone.update(found)
        left = [one for one in left if one.id not in gone]
    return [one.id for one in entries if one.id in gone]


def _unneeded_first(entries: Sequence[Entry], keep: int, also: Collection[str], spare: Collection[str]) -> set[str]:
    undamaged = [one for one in entries if one.summary]
    superseded = _superseded(undamaged)
    spared = [one.id for one in entries if one.id not in superseded and _is_spare(one, spare)]
    counted = [one for one in undamaged if one.id not in {*superseded, *spared}]
    by_hand = [one.id for one in counted if _is_by_hand(one)]
    made = [one.id for one in counted if not _is_by_hand(one)]
    damaged = {one.id for one in entries if not one.summary} - {*spared}
    before_made, before_by_hand = _older(entries, made, keep), _older(entries, by_hand, keep)
    gone = {
        *superseded,
        *(before_made & {*made, *spared, *damaged}),
        *(before_by_hand & {*by_hand, *damaged}),
        *_but_the_newest(spared, _ids(undamaged)),
    }
    return gone - {*also, *_first_of_days(_ids(counted), keep), *_ids(undamaged[:1])}


def _ids(entries: Sequence[Entry]) -> list[str]:
    return [one.id for one in entries]


def _is_by_hand(entry: Entry) -> bool:
    return bool(entry.summary and reason.is_by_hand(entry.summary.reason))


def _is_spare(entry: Entry, spare: Collection[str]) -> bool:
    """One that was made by hand never is."""
    made_before = reason.deployment_in(entry.summary.reason) if entry.summary else ""
    return (entry.id in spare or made_before in spare) and not _is_by_hand(entry)


def _superseded(undamaged: Sequence[Entry]) -> set[str]:
    """Those before deployments that have made a newer one, while requests were paused: it has all of their data."""
    newest: dict[str, str] = {}
    superseded = set()
    for one in undamaged:
        deployment = reason.deployment_in(one.summary.reason) if one.summary else ""
        if deployment and newest.setdefault(deployment, one.id) != one.id:
            superseded.add(one.id)
    return superseded


def _older(entries: Sequence[Entry], counted: Sequence[str], keep: int) -> set[str]:
    """The backups that are older than the newest `keep` of those that are counted. All are the newest first."""
    ids = _ids(entries)
    return {*ids[ids.index(counted[keep - 1]) + 1 :]} if len(counted) >= keep else set()


def _but_the_newest(spared: Sequence[str], undamaged: Collection[str]) -> Sequence[str]:
    """The spare ones that are older than the newest undamaged one of them."""
    newest = next((place for place, one in enumerate(spared) if one in undamaged), len(spared))
    return spared[newest + 1 :]


def _first_of_days(newest_first: Sequence[str], days: int) -> list[str]:
    """The first backup of each of the last `days` days that have any. The day is in the id; the order is that given."""
    first = {backup[:8]: backup for backup in newest_first}
    return list(first.values())[:days]
