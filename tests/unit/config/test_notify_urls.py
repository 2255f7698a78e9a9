"""A file with the URLs of services: what is used, what is said of the rest, and what of it is a secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config import loader
from orchestrator.config.notify_urls import MOST_URLS, OF_THIS_MACHINE, secrets_of_urls, service_urls
from orchestrator.config.preflight import preflight
from orchestrator.config.secret_values import secret_values
from orchestrator.errors import ConfigError

SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


def test_comments_and_empty_lines_are_none_and_a_url_counts_once(tmp_path: Path) -> None:
    (tmp_path / "notify").write_text(f"# who\n\n  {SLACK}  \r\njson://a.test/x\n{SLACK}\n")

    found = service_urls(tmp_path, "notify")

    assert [(one.url, one.label) for one in found.urls] == [
        (SLACK, "slack (notify, line 3)"),
        ("json://a.test/x", "json (notify, line 4)"),
    ]
    assert found.problems == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cannot be read: it is empty"),
        ("# nothing\n", "has no URL, only comments"),
        ("xoxb-secret-token\n", "line 1: it is no URL of a service"),
        ("json://a.test/x secret\n", "line 1: it is no URL of a service"),
        ("include file:///etc/secret\n", "line 1: it is no URL of a service"),
        ("chat=json://secret.test/x\n", "line 1: it is no URL of a service"),
        ("json://a.test/\x07secret\n", "line 1: the URL has control characters"),
        (f"json://a.test/{'secret' * 400}\n", "line 1: the URL has more than 2000 characters"),
        *(
            (f"{scheme}://secret\n", f"{scheme}:// is not a service outside of this machine")
            for scheme in sorted(OF_THIS_MACHINE)
        ),
    ],
)
def test_what_cannot_be_used_is_said_without_showing_it(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "notify").write_text(text)

    found = service_urls(tmp_path, "notify")

    assert found.urls == ()
    (problem,) = found.problems
    assert says in problem
    assert "secret" not in problem.replace("The secret file", "")


def test_too_many_urls_are_said_and_the_first_ones_used(tmp_path: Path) -> None:
    (tmp_path / "notify").write_text("".join(f"json://a.test/{at}\n" for at in range(MOST_URLS + 3)))

    found = service_urls(tmp_path, "notify")

    assert len(found.urls) == MOST_URLS
    assert len(found.problems) == 1


def test_a_file_that_is_not_there_is_a_pipe_or_leads_outside_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/etc/hostname")

    for file in ("missing", "pipe", "link", "../outside"):
        found = service_urls(tmp_path, file)
        assert found.urls == ()
        assert len(found.problems) == 1


@pytest.mark.parametrize(
    ("url", "secret", "shown"),
    [
        (SLACK, "TIiajkdnlazkcOXrIdevi7FQ", "slack"),
        ("tgram://123456789:AAbbCCdd_ee/12315544/", "123456789:AAbbCCdd_ee", "tgram"),
        ("json://me:p%40ssword-1@hooks.test/api/notifications?format=markdown", "p@ssword-1", "notifications markdown"),
        ("mailtos://mail.test?user=me&pass=correct-horse&to=anna@mail.test", "correct-horse", "mail.test"),
        ("https://discord.com/api/webhooks/4174216298/JHMHI8qBe7bk2ZwO5U711o3dV", "4174216298", "webhooks discord.com"),
        ("ntfy://localhost:8080/topic-of-shop-1", "topic-of-shop-1", "localhost"),
    ],
)
def test_the_whole_url_and_its_tokens_are_secrets_and_ordinary_words_are_not(url: str, secret: str, shown: str) -> None:
    known = Secrets()
    known.know(secrets_of_urls(f"# mine\n{url}\n"))

    assert secret not in known.text(f"it said {secret} here")
    assert url not in known.text(f"it said {url} here")
    assert known.text(shown) == shown


CONFIG = "notify: [{url_file: all}]\napps:\n  shop:\n    route: {host: shop.test}\n    notify: [{url_file: of-shop}]\n"


async def test_validate_says_which_key_has_a_wrong_file_and_secrets_are_known_of_all(tmp_path: Path) -> None:
    (tmp_path / "all").write_text(f"{SLACK}\n")
    (tmp_path / "of-shop").write_text("json://token-of-the-host-0/x\nwrong\n")
    config = loader.parse(CONFIG, "c.yaml").config

    problems = await preflight(config, tmp_path, {"all", "of-shop"})

    (says,) = [one for one in problems if "notify" in one]
    assert says.startswith("apps.shop.notify.0.url_file: of-shop, line 2: it is no URL of a service")
    assert {SLACK, "TIiajkdnlazkcOXrIdevi7FQ", "token-of-the-host-0"} <= secret_values(config, tmp_path)


@pytest.mark.parametrize(
    ("notify", "says"),
    [
        ("[{url_fil: x}]", "Did you mean 'url_file'?"),
        ("[{url_file: x, on: []}]", "expected at least one of live, failed"),
        (
            "[{url_file: x, on: [lve]}]",
            "expected one of 'live', 'failed', 'rolled_back', 'update', 'check_failed' or 'outage'",
        ),
        ("{url_file: x}", "expected a list"),
        (f"[{', '.join(['{url_file: x}'] * 21)}]", "expected at most 20 entries"),
    ],
)
def test_a_wrong_section_is_refused_with_what_was_expected(notify: str, says: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loader.parse(f"notify: {notify}\n", "c.yaml")

    assert says in str(refused.value)
