"""Values as text: ages, changelogs, outcomes, tables."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from panel.cli import event_lines, text
from panel.client.events import Event
from panel.client.migration_model import Migrations
from panel.client.model import App, Apps, Deployment, Finding
from panel.client.update_model import Change
from panel.text.age import ago
from panel.text.changelog import changelog
from panel.text.migrations import migrations
from panel.text.outcome import failure, outcome
from panel.text.size import size as in_words
from panel.widgets.events.log import event_line
from tests.support import api_answers as answers
from tests.support.api_answers import NOW


def plain(markup: str) -> str:
    return Text.from_markup(markup).plain


@pytest.mark.parametrize(
    ("length", "says"),
    [
        ({"seconds": -3}, "just now"),
        ({"seconds": 9}, "just now"),
        ({"seconds": 10}, "10 seconds ago"),
        ({"seconds": 59}, "59 seconds ago"),
        ({"seconds": 60}, "1 minute ago"),
        ({"minutes": 59}, "59 minutes ago"),
        ({"hours": 1}, "1 hour ago"),
        ({"hours": 47}, "1 day ago"),
        ({"days": 400}, "400 days ago"),
        ({"days": -40}, f"{NOW + timedelta(days=40):%Y-%m-%d %H:%M} UTC"),
    ],
)
def test_an_age_is_in_its_largest_whole_unit(length: dict[str, float], says: str) -> None:
    assert ago(NOW - timedelta(**length), NOW) == says
    assert ago(None, NOW) == "at an unknown time"


@pytest.mark.parametrize(("size", "says"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 * 2**30, "3.0 GiB")])
def test_a_size_is_in_its_largest_unit(size: int, says: str) -> None:
    assert in_words(size) == says


def test_a_warning_of_the_doctor_says_what_to_do_and_is_no_failure() -> None:
    says = "no memory limit; it can use up the memory of this host"
    finding = Finding(what="memory of shop", well=True, says=says, remedy="Set run.memory of shop.", warns=True)

    assert plain(text.findings([finding])).splitlines() == [
        f"! memory of shop: {says}",
        "  💡 Set run.memory of shop.",
    ]


def test_a_changelog_has_breaking_changes_first_and_those_of_no_convention_last() -> None:
    changes = tuple(Change.model_validate(one) for one in answers.CHANGES)

    lines = [plain(line).strip() for line in changelog(changes) if line]

    assert lines == [
        "⚠ Breaking changes:", "• the price is in cents (4d1f0a2)",
        "✨ Features:", "• a cart that survives a restart (4d1f0a2)",
        "🐛 Bug fixes:", "• till: count every order once (4d1f0a2)",
        "📦 Other changes:", "• tidy the shelves (4d1f0a2)",
    ]  # fmt: skip
    assert changelog(()) == []


def test_text_from_outside_is_not_markup() -> None:
    nasty = "[bold]no[/] [/]"
    failing = Deployment.model_validate(
        answers.failed(version=nasty) | {"failure": answers.FAILURE | {"cause": nasty, "log": [nasty], "tip": nasty}}
    )

    assert plain("\n".join(failure(failing))).count(nasty) == 4
    assert nasty in plain("\n".join(changelog((Change.model_validate(answers.change(nasty)),))))
    for kind, fields in (
        ("failed", {"cause": nasty}),
        ("step", {"state": "failed", "note": nasty}),
        ("config_refused", {"problems": [nasty]}),
        ("check_failed", {"cause": nasty}),
    ):
        assert nasty in plain(event_line(event(kind, **fields)))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "✓ Live: shop v1.1.0 on green after 2.31 s.\n  Previous release: v1.0.0"),
        ({"kind": "rollback", "previous_version": ""}, "✓ Rolled back: shop v1.1.0 on green after 2.31 s."),
        ({"kind": "promotion", "previous_version": "", "seconds": None}, "✓ Live: shop v1.1.0 on green."),
        ({"state": "queued"}, "Deployment d42 of shop is queued. Follow it with: changeover events --deployment d42"),
        ({"state": "cancelled"}, "Deployment d42 of shop v1.1.0: cancelled."),
        ({"state": "rolled_back"}, "Deployment d42 of shop v1.1.0: rolled back."),
    ],
)
def test_an_outcome_is_one_sentence_and_its_details(more: dict[str, Any], says: str) -> None:
    assert plain(outcome(Deployment.model_validate(answers.deployment() | more))) == says


@pytest.mark.parametrize(
    ("standby", "says"),
    [
        (answers.slot("v0.0.1", "green"), " A rollback goes to v0.0.1."),
        (None, ""),
    ],
)
def test_a_release_that_was_deployed_again_is_not_its_own_previous_release(standby: Any, says: str) -> None:
    again = Deployment.model_validate(answers.deployment(previous_version="v1.1.0"))

    told = plain(outcome(again, App.model_validate(answers.app(standby=standby))))

    assert told.splitlines()[1] == f"  It replaces another container of the same release, v1.1.0.{says}"


@pytest.mark.parametrize(
    ("slot", "standby", "says"),
    [
        ("active", "v0.0.1", "Previous release: v1.0.0. A rollback goes to v0.0.1."),
        ("active", "v1.0.0", "Previous release: v1.0.0"),
        ("active", "", "Previous release: v1.0.0"),
        ("", "v0.0.1", "Previous release: v1.0.0"),
        (None, "v0.0.1", "Previous release: v1.0.0"),
    ],
)
def test_where_a_rollback_leads_is_said_if_that_is_not_the_previous_release(
    slot: str | None, standby: str, says: str
) -> None:
    """As where the previous one crashed, and its standby stays. Of an older deployment it is not known any more."""
    ended = Deployment.model_validate(answers.deployment(slot=slot))
    app = App.model_validate(answers.app(standby=answers.slot(standby, "green") if standby else None))

    assert plain(outcome(ended, app)).splitlines()[1] == f"  {says}"


def test_a_failure_says_nothing_about_what_is_active_when_that_was_not_asked() -> None:
    failing = Deployment.model_validate(answers.failed())

    assert "active" not in plain("\n".join(failure(failing)))
    assert "v1.0.0 is active on blue and healthy." in plain(
        "\n".join(failure(failing, App.model_validate(answers.app())))
    )


def test_a_failure_says_what_the_active_release_answered_and_what_is_left_in_the_data() -> None:
    why = answers.FAILURE | {"left": "0003 stands.", "left_remedy": "Restore b1."}
    for serving, says in (
        ({"answers": True, "says": "v1 on blue serves."}, "✓ v1 on blue serves."),
        ({"answers": False, "says": "v1 on blue does not serve."}, "✗ v1 on blue does not serve."),
    ):
        failing = Deployment.model_validate(answers.failed() | {"failure": why | {"serving": serving}})
        shown = plain("\n".join(failure(failing, App.model_validate(answers.app()))))
        assert says in shown
        assert "In the data: 0003 stands.\n  💡 Restore b1." in shown
        assert "healthy" not in shown


@pytest.mark.parametrize("says", ["No release of shop is live.", "v1 on blue does not serve: it is paused."])
def test_a_failure_says_once_that_nothing_serves_also_where_what_is_left_in_the_data_has_it(says: str) -> None:
    left = {"left": f"0003 of the failed deployment stands in the data. {says}", "left_remedy": "Restore b1."}
    why = answers.FAILURE | left | {"serving": {"answers": False, "says": says}}
    failing = Deployment.model_validate(answers.failed() | {"failure": why})

    shown = plain("\n".join(failure(failing, App.model_validate(answers.app()))))

    assert shown.count(says) == 1
    assert "active" not in shown


def event(kind: str, **fields: Any) -> Event:
    (one,) = answers.Events().add(kind, "d42", **fields).all
    return Event.model_validate(one)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("queued", {"by": "ci"}, "queued by ci"),
        ("step", {"step": "build", "state": "done"}, "✓ build"),
        ("step", {"step": "build", "state": "failed", "note": "No space."}, "✗ build No space."),
        ("live", {"colour": "blue", "seconds": 2.306}, "live on blue after 2.31 s"),
        ("live", {"colour": "blue", "seconds": None}, "live on blue"),
        ("cancelled", {"cause": "Cancelled by ci."}, "cancelled Cancelled by ci."),
        ("restored", {"backup": "b1", "replaced": "b2"}, "restored backup b1; the replaced data is backup b2"),
        ("health", {"health": "unhealthy"}, "health: unhealthy"),
        ("retire_failed", {"cause": "Docker is away.", "remedy": "Wait."}, "retire failed Docker is away. Wait."),
        ("config_refused", {"problems": ["a:1: no", "a:2: no"]}, "configuration refused a:1: no; a:2: no"),
    ],
)
def test_an_event_is_one_line_for_a_person(kind: str, fields: dict[str, Any], says: str) -> None:
    time, app, deployment, *words = plain(event_line(event(kind, **fields))).split(" ")

    assert (app, deployment, " ".join(words)) == ("shop", "d42", says)
    assert time.count(":") == 2


@pytest.mark.parametrize("kind", ["line", "ended", "dismissed", "eclipsed"])
def test_events_that_tell_a_person_nothing_new_are_not_shown(kind: str) -> None:
    assert event_line(event(kind)) == ""


def test_every_event_can_be_listed_also_of_an_unknown_kind() -> None:
    line = plain(event_lines.dated_event(event("eclipsed", by="the moon", note="")))

    assert line.endswith("eclipsed       shop d42 by=the moon")


@pytest.mark.parametrize(
    ("pending", "problem", "says"),
    [
        ([], "", "none"),
        ([{"revision": "0002", "says": "Sold by", "compatible": False}], "",
         "0002     Sold by  the previous release cannot run on it"),
        (None, "It ended with code 1.", "It ended with code 1."),
        (None, "", "not known, nor what was applied before Changeover deployed shop: migrate.status is not set"),
    ],
)  # fmt: skip
def test_migrations_say_what_is_pending_or_why_that_is_not_known(pending: Any, problem: str, says: str) -> None:
    found = Migrations.model_validate(
        {
            "app": "shop", "applied": [], "pending": pending, "problem": problem, "runs": [],
            "rollback": {"to": "v1", "way": "switch", "says": "v1 can run on this schema."},
        }
    )  # fmt: skip

    lines = plain(migrations(found, NOW)).splitlines()

    assert lines[lines.index("Pending") + 1].strip() == says
    assert lines[-1].strip() == "v1 can run on this schema."


def test_what_the_live_release_does_not_know_is_told_apart_from_what_it_reports() -> None:
    found = Migrations.model_validate(
        {
            "app": "shop", "live": "v1.0", "applied": [{"revision": "0001", "says": "orders"}], "pending": [],
            "not_known": [
                {"revision": "0002", "says": "receipts", "by": "v2.0"},
                {"revision": "0003", "compatible": False, "by": ""},
            ],
            "runs": [], "rollback": {"to": "", "way": "none", "says": "shop has no standby release."},
        }
    )  # fmt: skip

    lines = [" ".join(line.split()) for line in plain(migrations(found, NOW)).splitlines()]

    assert lines[:6] == [
        "Applied", "0001 orders",
        "Applied, and not known to v1.0", "0002 receipts by v2.0", "0003 the previous release cannot run on it",
        "Pending",
    ]  # fmt: skip


def test_a_release_that_is_live_while_requests_wait_is_told_so() -> None:
    live = Deployment.model_validate(answers.deployment())
    paused = App.model_validate(answers.app(health="paused"))

    assert "But new requests wait: they are paused. Resume them: changeover resume" in plain(outcome(live, paused))
    assert "But" not in plain(outcome(live, App.model_validate(answers.app(health="healthy"))))


def test_what_is_wrong_stands_in_red_below_the_table_of_apps() -> None:
    since = NOW.isoformat()
    found = Apps.model_validate(
        {
            "apps": [answers.app(health="paused", troubles=[{"says": "New requests wait.", "remedy": "Resume them."}])],
            "troubles": [{"says": "The configuration is refused.", "remedy": "Correct it.", "since": since}],
        }
    )

    _, *lines = text.status(found).renderables

    assert [plain(str(line)).splitlines()[0] for line in lines] == [
        f"✗ The configuration is refused. (since {NOW:%Y-%m-%d %H:%M} UTC)", "✗ shop: New requests wait."
    ]  # fmt: skip
    assert all(str(line).startswith("[red]") for line in lines)


def test_what_goes_on_by_itself_is_not_red_and_each_part_has_a_line_of_its_own() -> None:
    waits = {"says": "The file waits.", "remedy": "Nothing to do.", "since": NOW.isoformat(), "warns": True}
    refused = {"says": "The file has 2 errors\nc.yaml:1: a\nc.yaml:2: b", "remedy": "Correct it."}
    found = Apps.model_validate({"apps": [], "troubles": [waits, refused]})

    _, first, second = text.status(found).renderables

    assert str(first).startswith(f"[yellow]! The file waits. (since {NOW:%Y-%m-%d %H:%M} UTC)")
    assert plain(str(second)).splitlines() == [
        "✗ The file has 2 errors", "  c.yaml:1: a", "  c.yaml:2: b", "  💡 Correct it.",
    ]  # fmt: skip
    finding = Finding(what="configuration", well=False, says=refused["says"], remedy="Correct it.")
    assert plain(text.findings([finding])).splitlines() == [
        "✗ configuration: The file has 2 errors", "  c.yaml:1: a", "  c.yaml:2: b", "  💡 Correct it.",
    ]  # fmt: skip


def test_the_status_says_why_the_newest_release_is_not_offered() -> None:
    held = {
        "version": "v2",
        "revision": "r2",
        "says": "v2 failed at verify: It does not answer.",
        "remedy": "Force it.",
    }
    console = Console(record=True, width=200, file=io.StringIO())

    console.print(text.status(Apps.model_validate({"apps": [answers.app(held_back=held), answers.app("blog")]})))

    shown = console.export_text()
    assert "v2 held back" in shown
    assert "! No update of shop is offered: v2 failed at verify: It does not answer.\n  💡 Force it." in shown
    assert shown.count("💡") == 1
