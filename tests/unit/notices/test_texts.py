"""What notices say: short, plain, and nothing that a service reads as markup or as a mention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from apprise import NotifyFormat
from apprise.conversion import convert_between
from hypothesis import given
from hypothesis import strategies as st

from border.secrets import Secrets
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Failure, Kind, Serving, State, StepName
from orchestrator.domain.events import Failed, Live
from orchestrator.domain.notice import About, Notice, Tone
from orchestrator.domain.release import Release
from orchestrator.domain.update_events import CheckFailed
from orchestrator.notices.texts import MOST_IN_DIGEST, MOST_OF_TITLE, Texts, digest_of, inert, message_of

MARKUP = "<>&@`*_~|[]\\#"
NASTY = (
    "@everyone",
    "<!channel>",
    "<@U123>",
    "[here](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "**bold** __under__ ~~gone~~ ||spoiler||",
    "# heading",
    "```\ncode",
    "\x1b[31mred\x1b[0m\x07",
    "\u202eturned",
    "line\r\nSubject: another header",
)
texts = Texts(Secrets())
DEPLOYMENT = Deployment("d1", "shop", Kind.DEPLOY, State.FAILED, "ci", now(), release=Release("v2", "0" * 40))


@given(st.text(max_size=500))
def test_text_from_outside_is_one_short_line_without_signs_of_markup(text: str) -> None:
    found = inert(text, 100)

    assert len(found) <= 100
    assert "\n" not in found
    assert not set(found) & set(MARKUP)


@pytest.mark.parametrize("nasty", NASTY)
def test_what_strangers_write_is_no_markup_anywhere_in_a_notice(nasty: str) -> None:
    deployment = replace(
        DEPLOYMENT,
        requested_by=nasty,
        release=Release(nasty, "0" * 40),
        failure=Failure(StepName.VERIFY, nasty, serving=Serving(True, nasty)),
    )
    for title, body in (
        texts.of_deployment(Failed(StepName.VERIFY, nasty), deployment, ""),
        texts.of_deployment(Live(1.0, "green"), deployment, ""),
        texts.of_update("shop", nasty, nasty, ""),
        texts.of_check(CheckFailed(nasty, nasty), "shop", ""),
    ):
        assert not set(title + body) & set(MARKUP)
        assert "\x1b" not in title + body
        assert "\r" not in title + body
        assert "\n" not in title


@given(st.text(alphabet=st.sampled_from(MARKUP + "a!(): \n-1.=+"), max_size=80))
def test_services_with_html_or_markdown_show_the_same_text(text: str) -> None:
    said = inert(text)

    convert: Any = convert_between  # Any: it has no types
    html = convert(NotifyFormat.TEXT, NotifyFormat.HTML, said)

    assert "<" not in html.replace("<br/>", "").replace("<br />", "")


def test_a_title_is_short_and_a_cause_is_its_first_line() -> None:
    long = replace(DEPLOYMENT, app="a" * 31, release=Release("v" * 500, "0" * 40), requested_by="x" * 5000)

    title, body = texts.of_deployment(Failed(StepName.BUILD, "\n\n  first line \nsecond line"), long, "")

    assert len(title) <= MOST_OF_TITLE
    assert body.splitlines()[0] == "first line"
    assert "second" not in body
    assert all(len(line) <= 300 for line in body.splitlines())


def test_secrets_are_taken_out_before_signs_are_replaced() -> None:
    """Replaced first, nobody would find them."""
    known = Secrets()
    known.know({"pass_word*with@signs"})

    _title, body = Texts(known).of_deployment(Failed(StepName.BUILD, "it said pass_word*with@signs"), DEPLOYMENT, "")

    assert body.startswith("it said ⟦hidden⟧")


def notice(at: int) -> Notice:
    return Notice(f"app{at}", About.FAILED, f"app{at} v2 failed", f"reason {at}\nMore: x", now(), at)


def test_a_digest_names_each_notice_with_its_reason_and_says_what_it_leaves_out() -> None:
    digest = digest_of([notice(at) for at in range(MOST_IN_DIGEST + 5)], left_out=2)

    lines = digest.body.splitlines()
    assert digest.title.startswith(f"{MOST_IN_DIGEST + 5} notices: app0, app1")
    assert lines[0] == "5 earlier notices, not shown."
    assert lines[-2] == f"app{MOST_IN_DIGEST + 4} v2 failed. reason {MOST_IN_DIGEST + 4}"
    assert lines[-1] == "2 notices before this could not be delivered: changeover events"
    assert digest.tone is Tone.FAILURE


def test_a_single_notice_is_as_it_was_queued() -> None:
    assert message_of(notice(1)).body == "reason 1\nMore: x"
