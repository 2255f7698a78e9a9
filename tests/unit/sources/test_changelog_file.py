"""What the changelog files of projects say of the versions between two."""

from __future__ import annotations

import time

import pytest
from hypothesis import given

from orchestrator.sources.changelog import MOST_CHARACTERS
from orchestrator.sources.changelog_file import FILE_NAME, changes_in
from tests.support.hostile import forbidden_in, hostile_text

KEEP_A_CHANGELOG = """# Changelog
All notable changes.

## [Unreleased]
### Added
- not yet

## [1.2.0] - 2026-03-01
### Added
- A [cart](https://example.com) that survives
  a restart.
### Fixed
* Count `orders` once ([#12][12])
### Breaking changes
- The port is 9000

## [1.1.0-rc.1] - 2026-02-01
### Security
- mend
## [1.0.0] - 2026-01-01
### Added
- all

[12]: https://example.com/12
"""
RST = """=======
History
=======

Version 3.1.0
-------------

Released 2026-03-01

-   Drop support for Python 3.8. :pr:`5623`
-   Add :class:`~shop.Cart`, which is ``fast``,
    see `the docs <https://example.com>`_. :issue:`12`

Version 3.0.3
-------------

.. note:: nothing

Bug fixes
~~~~~~~~~

- mend

Version 3.0.2
-------------

- older
"""
BOLD = """Release History
===============

2.32.1 (2024-05-20)
-------------------

**Bugfixes**
- Add missing test certs.

2.32.0 (2024-05-20)
-------------------

**Improvements**
- `verify=False` stays. (#6655)

One paragraph
in two lines.
"""
PARAGRAPHS = "# 2.0\n\nEverything\nis new.\n\nAnd more.\n\n# 1.0\n\nOld.\n"
CONVENTIONAL = "## 1.1.0\n* feat(cart): keep it\n* fix!: the port\n\n## 1.0.0\n* feat: all\n"


@pytest.mark.parametrize(
    ("text", "since", "until", "changes"),
    [
        (KEEP_A_CHANGELOG, "1.0.0", "1.2.0", [
            ("1.2.0", "feat", "A cart that survives a restart.", False),
            ("1.2.0", "fix", "Count orders once (#12)", False),
            ("1.2.0", "", "The port is 9000", True),
            ("1.1.0-rc.1", "fix", "mend", False),
        ]),
        (KEEP_A_CHANGELOG, "", "1.0.0", [("1.0.0", "feat", "all", False)]),
        (KEEP_A_CHANGELOG, "1.2.0", "1.2.0", []),
        (RST, "3.0.2", "3.1.0", [
            ("3.1.0", "", "Drop support for Python 3.8. #5623", False),
            ("3.1.0", "", "Add shop.Cart, which is fast, see the docs. #12", False),
            ("3.0.3", "fix", "mend", False),
        ]),
        (BOLD, "2.31.0", "2.32.1", [
            ("2.32.1", "fix", "Add missing test certs.", False),
            ("2.32.0", "feat", "verify=False stays. (#6655)", False),
        ]),
        (PARAGRAPHS, "1.0", "2.0", [("2.0", "", "Everything is new.", False), ("2.0", "", "And more.", False)]),
        (CONVENTIONAL, "1.0.0", "1.1.0", [("1.1.0", "feat", "keep it", False), ("1.1.0", "fix", "the port", True)]),
        ("no headings at all\n- 1.0.0\n", "0.1", "1.0", []),
        ("", "0.1", "1.0", []),
    ],
    ids=["keep a changelog", "the first", "none", "reST", "bold", "paragraphs", "conventional", "other", "empty"],
)  # fmt: skip
def test_the_sections_between_two_versions_are_read(
    text: str, since: str, until: str, changes: list[tuple[str, str, str, bool]]
) -> None:
    found = changes_in(text, since, until)

    assert [(one.revision, one.kind, one.subject, one.breaking) for one in found] == changes


@pytest.mark.parametrize(
    "name", ["CHANGELOG.md", "CHANGES.rst", "HISTORY.rst", "NEWS", "changes.txt", "RELEASE_NOTES.md"]
)
def test_files_that_are_a_changelog(name: str) -> None:
    assert FILE_NAME.fullmatch(name)


@pytest.mark.parametrize("name", ["README.md", "changelog.py", "mychangelog.md", "news/1.rst"])
def test_files_that_are_no_changelog(name: str) -> None:
    assert not FILE_NAME.fullmatch(name)


@given(hostile_text(), hostile_text())
def test_odd_content_is_read_without_control_characters(text: str, more: str) -> None:
    for change in changes_in(f"## 1.1 {text}\n- {more}\n{text}\n### {more}\n* {text}", "1.0", "1.1"):
        assert forbidden_in(change.subject + change.scope) == set()
        assert len(change.subject) <= MOST_CHARACTERS + len(" (shortened)")


@pytest.mark.parametrize("line", ["# a{}b", "{}b", "- a{}b", "**a{}b", "- [a]({}b", "1.{}b", "## 1.0{}b", "==={}b"])
@pytest.mark.parametrize("between", [" ", "#", " #", "*", "\t", "`a "])
def test_a_long_line_is_read_in_a_short_time(line: str, between: str) -> None:
    """Whoever publishes a package writes it, and an expression that is being matched lets nothing else run."""
    many = line.format(between * (100_000 // len(between)))
    started = time.process_time()
    changes_in(f"## 1.1\n{many}\n", "1.0", "1.1")
    assert time.process_time() - started < 2


@pytest.mark.parametrize("piece", ["[", "`", "*", "#", "=\n", "1.", "- ", "[a](", ":a:`", "`a <"])
def test_long_odd_content_is_read_in_a_short_time(piece: str) -> None:
    many = piece * (200_000 // len(piece))

    changes_in(f"## 1.1\n- {many}\n{many}", "1.0", "1.1")


@pytest.mark.parametrize("item", [":a" * 1000, "[a](" * 500, ":" * 2000, "[" * 2000, "`" * 2000, "**" * 1000])
def test_markup_that_never_ends_takes_no_time_that_grows_with_its_square(item: str) -> None:
    """2,000 characters took as long as the square of them: whole files of them took minutes."""
    short, long = ("".join(f"- {item}\n" for _ in range(times)) for times in (1, 20))
    began = time.process_time()
    changes_in(f"## 1.0\n{short}", "", "1.0")
    middle = time.process_time()
    changes_in(f"## 1.0\n{long}", "", "1.0")

    assert time.process_time() - middle < max(40 * (middle - began), 0.4)
