"""How the panel and the command put what they know of an update into words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from rich.text import Text

from panel.cli.text import update
from panel.client.update_model import Change, Update
from panel.text.changelog import NO_CHANGES, brings, changelog, costs
from tests.support import api_answers as answers
from tests.support.hostile import forbidden_in, hostile_text

COMMIT = "4d1f0a2b" * 5


def found(**more: Any) -> Update:
    return Update.model_validate(answers.update(**more))


def plain(lines: list[str]) -> list[str]:
    return [Text.from_markup(line).plain for line in lines]


def test_a_changelog_puts_what_breaks_first_and_what_keeps_no_convention_last() -> None:
    changes = (
        Change(revision="1", kind="", scope="", subject="whatever"),
        Change(revision="2", kind="fix", scope="till", subject="count right"),
        Change(revision="3", kind="feat", scope="", subject="a cart"),
        Change(revision="4", kind="perf", scope="", subject="count fast"),
        Change(revision="5", kind="feat", scope="", subject="a new port", breaking=True, breaks="It is 9000."),
    )

    assert [line.strip() for line in plain(changelog(changes)) if line] == [
        "⚠ Breaking changes:", "• a new port (5)", "It is 9000.",
        "✨ Features:", "• a cart (3)",
        "🐛 Bug fixes:", "• till: count right (2)",
        "⚡ Performance:", "• count fast (4)",
        "📦 Other changes:", "• whatever (1)",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("revision", "shown"), [(COMMIT, "4d1f0a2"), ("1.2.0", "1.2.0"), ("9be1c3d", "9be1c3d"), ("deadbeef", "deadbeef")]
)
def test_each_line_has_the_short_hash_of_its_commit_or_the_whole_name_of_its_release(revision: str, shown: str) -> None:
    change = Change(revision=revision, kind="fix", scope="", subject="mend")

    assert plain(changelog((change,)))[-1] == f"  • mend ({shown})"


def test_an_update_without_known_changes_says_why() -> None:
    assert NO_CHANGES in update("shop", found(changes=[]), answers.NOW)


@pytest.mark.parametrize(("number", "says"), [(1, "1 older change more."), (1800, "1800 older changes more.")])
def test_how_many_changes_are_left_out_is_said(number: int, says: str) -> None:
    assert says in brings(found(changes_left_out=number))


def test_dependencies_are_said_with_what_became_of_them() -> None:
    def need(name: str, before: str, after: str, ecosystem: str = "python") -> dict[str, str]:
        return {"ecosystem": ecosystem, "name": name, "before": before, "after": after}

    needs = [need("a", "1", "2"), need("b", "", ">=3"), need("c", "4", ""), need("@d/e", "5", "6", "npm")]
    lines = plain(brings(found(dependencies=needs, dependencies_left_out=7)))

    assert lines[lines.index("📦 Dependencies:") + 1 :] == [
        "  • a 1 → 2", "  • b >=3, added", "  • c 4, removed", "  • @d/e (npm) 5 → 6", "  7 more.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "says"),
    [
        (
            {"download_bytes": None, "build_bytes": None, "expected_seconds": None, "expected_by": 0},
            ["Download size: not known", "Estimated time: not known, no earlier deployment became live"],
        ),
        (
            {"download_bytes": 0, "build_bytes": 0, "expected_seconds": 0.0, "expected_by": 1},
            [
                "Download size: 0 B; the last build added layers of 0 B",
                "Estimated time: ~0.0 s, by 1 earlier deployment",
            ],
        ),
        (
            {"download_bytes": 2_516_582, "build_bytes": None, "expected_seconds": 30.4, "expected_by": 3},
            ["Download size: 2.4 MiB", "Estimated time: ~30 s, by 3 earlier deployments"],
        ),
        (
            {"download_bytes": 1, "build_bytes": None, "expected_seconds": 400.0, "expected_by": 10},
            ["Download size: 1 B", "Estimated time: ~7 min, by 10 earlier deployments"],
        ),
    ],
)
def test_what_is_not_known_of_size_and_time_is_said_and_is_not_nothing(known: dict[str, Any], says: list[str]) -> None:
    assert costs(found(**known)) == says


def test_an_older_orchestrators_answer_is_shown_without_what_it_does_not_know() -> None:
    old = {name: answers.update()[name] for name in ("version", "revision", "checked_at", "origin", "changes")}

    says = update("shop", Update.model_validate(old), answers.NOW)

    assert "Dependencies" not in says
    assert "Download size: not known" in says


@given(text=hostile_text())
def test_nothing_that_a_source_says_is_markup_or_a_control_character(text: str) -> None:
    change = {"revision": text, "kind": "feat", "scope": text, "subject": text, "breaking": True, "breaks": text}
    need = {"ecosystem": text, "name": text, "before": text, "after": text}

    lines = brings(found(changes=[change], dependencies=[need], notes=[text]))

    assert all("\n" not in line for line in lines)
    assert forbidden_in("".join(plain(lines))) == set()
    assert all(span.style in ("dim", "yellow") for line in lines for span in Text.from_markup(line).spans)
