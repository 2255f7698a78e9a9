"""What Django and Alembic print of themselves is understood as a migration status."""

from __future__ import annotations

import time

import pytest

from orchestrator.domain.tool_status import ToolStatus

PLAN = """\
[X]  contenttypes.0001_initial
[X]  shop.0001_initial
[ ]  auth.0001_initial
[ ]  shop.0002_price ... (auth.0001_initial)
"""
LIST = """\
auth
 [X] 0001_initial
 [X] 0002_squashed (2 squashed migrations)
messages
 (no migrations)
shop
 [X] 0001_initial
 [ ] 0002_price
"""
HISTORY = """\
INFO  [alembic.runtime.migration] Context impl SQLiteImpl.
0002 -> 0003 (head), receipts, and more
0001 -> 0002 (current), sold by
<base> -> 0001, first
"""
BRANCHES = """\
a3, b2 -> c1 (beta, rel_A2, x-9) (head) (mergepoint), doc of c1, and more
a2 (b1) -> a3 (rel_A2, x-9), doc of a3, and more
a1 -> a2 (rel_A2, x-9), doc of a2, and more
<base> -> a1 (rel_A2, x-9), doc of a1, and more
b1 -> b2 (beta), doc of b2, and more
<base> -> b1 (beta), doc of b1, and more
"""
VERBOSE = """\
Rev: c1 (head) (mergepoint)
Merges: a2, b1
Branch names: beta
Path: /app/migrations/versions/c1.py

    doc of c1

Rev: a2 (current)
Parent: a1
Also depends on: beta
Path: /app/migrations/versions/a2.py

    doc of a2
    Parent: none

Rev: a1
Parent: <base>
Path: /app/migrations/versions/a1.py

    doc of a1

Rev: b1
Parent: <base>
Branch names: beta
Path: /app/migrations/versions/b1.py

    doc of b1
"""
SQUASHED = """\
shop
 [-] 0002_squashed (2 squashed migrations) Run 'manage.py migrate' to finish recording.
 [ ] 0003_price
"""
UNDESCRIBED = "a2 -> a3 (head), \na1 -> a2, \n<base> -> a1 (current), \n"
BLANKS = """\
a2 -> c one (head), moved (see docs) -> elsewhere
name -> title
a1 -> a2, renamed these columns, of
INFO Running upgrade x -> y
<base> -> a1 (current), first
"""
VERBOSE_BLANKS = """\
Rev: b2 (head)
Parent: b1
Rev: c one (head)
Parent: b1
Rev: b1 (current)
Parent: <base>
"""
DIESEL = "Migrations:\n  [X] 2020-01-01-000000_users\n  [ ] 2020-01-02-000000_posts\n"
TYPEORM = "[X] 1 First1690000000001\n[ ] Second1690000000002\n"


@pytest.mark.parametrize(
    ("output", "applied", "pending"),
    [
        (PLAN, ["contenttypes.0001_initial", "shop.0001_initial"], ["auth.0001_initial", "shop.0002_price"]),
        (LIST, ["auth.0001_initial", "auth.0002_squashed", "shop.0001_initial"], ["shop.0002_price"]),
        (HISTORY, ["0001", "0002"], ["0003"]),
        (HISTORY.replace(" (current)", ""), [], ["0001", "0002", "0003"]),
        (HISTORY.replace("(head)", "(head) (current)").replace("0002 (current)", "0002"), ["0001", "0002", "0003"], []),
        ("a1, b2 -> c3 (mergepoint) (head)\n<base> -> a1 (current)\n", ["a1"], ["c3"]),
        (BRANCHES, [], ["b1", "b2", "a1", "a2", "a3", "c1"]),
        (BRANCHES.replace("x-9), doc of a2", "x-9) (current), doc of a2"), ["a1", "a2"], ["b1", "b2", "a3", "c1"]),
        (BRANCHES.replace("(beta), doc of b2", "(beta) (current), doc of b2"), ["b1", "b2"], ["a1", "a2", "a3", "c1"]),
        (BRANCHES.replace("x-9), doc of a3", "x-9) (current), doc of a3"), ["b1", "a1", "a2", "a3"], ["b2", "c1"]),
        (BRANCHES.replace("(head)", "(head) (current)"), ["b1", "b2", "a1", "a2", "a3", "c1"], []),
        (VERBOSE, ["b1", "a1", "a2"], ["c1"]),
        (SQUASHED, ["shop.0002_squashed"], ["shop.0003_price"]),
        (UNDESCRIBED, ["a1"], ["a2", "a3"]),
        (BLANKS, ["a1"], ["a2", "c one"]),
        (VERBOSE_BLANKS, ["b1"], ["c one", "b2"]),
        (DIESEL, ["2020-01-01-000000_users"], ["2020-01-02-000000_posts"]),
        (TYPEORM, ["First1690000000001"], ["Second1690000000002"]),
        ("Rev: 3f2a9c\nParent company: none\n", [], []),
        ("INFO rename foo -> bar, done\n", [], []),
        ("Operations to perform:\n  Apply all migrations\nok\n", [], []),
        ("", [], []),
    ],
)
def test_applied_and_pending_migrations_are_those_that_the_tool_names(
    output: str, applied: list[str], pending: list[str]
) -> None:
    status = ToolStatus()
    for line in output.splitlines():
        status.line(line)

    assert [one.revision for one in status.reports if one.applied] == applied
    assert [one.revision for one in status.reports if not one.applied] == pending


def test_each_one_names_the_one_before_and_says_what_it_does() -> None:
    status = ToolStatus()
    for line in HISTORY.splitlines():
        status.line(line)
    django = ToolStatus()
    for line in PLAN.splitlines():
        django.line(line)

    assert [(one.previous, one.says) for one in status.reports] == [
        ("base", "first"), ("0001", "sold by"), ("0002", "receipts, and more"),
    ]  # fmt: skip
    assert [one.previous for one in django.reports] == ["base", "base", "base", "shop.0001_initial"]


@pytest.mark.parametrize("output", [SQUASHED, DIESEL, TYPEORM, VERBOSE_BLANKS, "[X] 1_a.sql\n[ ] 2_b.sql\n"])
def test_what_a_pending_one_comes_after_is_not_the_base_if_there_is_one_before_it(output: str) -> None:
    status = ToolStatus()
    for line in output.splitlines():
        status.line(line)

    first, *others = status.reports
    assert first.previous == "base"
    assert [one.previous for one in others] == [first.revision] * len(others)


def test_a_status_of_thousands_of_migrations_is_read_as_it_comes() -> None:
    """Its lines are read on the event loop; where each one looks at all before it, 20,000 take half a minute."""
    status, began = ToolStatus(), time.monotonic()

    for number in range(20_000):
        status.line(f"[X]  shop.{number:05}_change")

    assert time.monotonic() - began < 10
    assert (status.reports[-1].revision, status.reports[-1].previous) == ("shop.19999_change", "shop.19998_change")
