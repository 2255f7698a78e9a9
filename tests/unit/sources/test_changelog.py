"""How commits are read by Conventional Commits."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.sources.changelog import MOST_CHARACTERS, Commit, parse_commit, without_reverted


@pytest.mark.parametrize(
    ("message", "kind", "scope", "subject", "breaking"),
    [
        ("feat: add a cart", "feat", "", "add a cart", False),
        ("fix(cart): empty it", "fix", "cart", "empty it", False),
        ("feat(api)!: drop v1", "feat", "api", "drop v1", True),
        ("refactor: tidy\n\nBREAKING CHANGE: the port is 9000", "refactor", "", "tidy", True),
        ("feature: add", "feat", "", "add", False),
        ("bug: mend", "fix", "", "mend", False),
        ("Merge this", "", "", "Merge this", False),
        ("docs: say more", "docs", "", "say more", False),
        ("CI: run it", "ci", "", "run it", False),
        ("Note: not a type of theirs", "", "", "Note: not a type of theirs", False),
        ("fourth: say four", "", "", "fourth: say four", False),
        ("auth: mend the login", "", "", "auth: mend the login", False),
        ("auth(web)!: mend the login", "", "", "auth(web)!: mend the login", True),
    ],
)
def test_commits_are_read_by_their_convention(
    message: str, kind: str, scope: str, subject: str, breaking: bool
) -> None:
    change = parse_commit("abc", message)

    assert (change.kind, change.scope, change.subject, change.breaking) == (kind, scope, subject, breaking)


@pytest.mark.parametrize(
    "header", ["x" * 10**6, f"feat: {'x' * 10**6}", f"feat({'x' * 10**6}): y", "f" * 10**6 + ": y"]
)
def test_a_change_is_short_whatever_its_commit_says(header: str) -> None:
    """Each is a part of `status` and of the journal for as long as its release is an update or has a deployment."""
    change = parse_commit("a1b2c3d", f"{header}\n\nBREAKING CHANGE: all of it\n")

    assert len(change.kind) + len(change.scope) + len(change.subject) <= MOST_CHARACTERS + len(" (shortened)")
    assert change.breaking


BODY_AND_FOOTERS = """fix: prevent racing of requests

Introduce a request id and a reference to latest request. Dismiss
incoming responses other than from latest request.

Remove timeouts which were used to mitigate the racing issue but are
obsolete now.

Reviewed-by: Z
Refs: #123"""
NOODLES = "revert: let us never again speak of the noodle incident\n\nRefs: 676104e, a215868"


@pytest.mark.parametrize(
    ("message", "kind", "scope", "subject", "breaks"),
    [
        # The examples of the specification. `breaks`: None where nothing does.
        (
            "feat: allow provided config object to extend other configs\n\n"
            "BREAKING CHANGE: `extends` key in config file is now used for extending other config files",
            "feat", "", "allow provided config object to extend other configs",
            "`extends` key in config file is now used for extending other config files",
        ),
        ("feat!: send an email to the customer when a product is shipped", "feat", "",
         "send an email to the customer when a product is shipped", ""),
        ("feat(api)!: send an email to the customer when a product is shipped", "feat", "api",
         "send an email to the customer when a product is shipped", ""),
        ("chore!: drop support for Node 6\n\nBREAKING CHANGE: use JavaScript features not available in Node 6.",
         "chore", "", "drop support for Node 6", "use JavaScript features not available in Node 6."),
        ("docs: correct spelling of CHANGELOG", "docs", "", "correct spelling of CHANGELOG", None),
        ("feat(lang): add Polish language", "feat", "lang", "add Polish language", None),
        (BODY_AND_FOOTERS, "fix", "", "prevent racing of requests", None),
        (NOODLES, "revert", "", "let us never again speak of the noodle incident", None),
        # The rules, by their numbers.
        ("feat add", "", "", "feat add", None),  # 1: a colon
        ("feat (x): add", "", "", "feat (x): add", None),  # 1: nothing between
        ("fix(parser): x", "fix", "parser", "x", None),  # 4
        ("fix(a b/c.d_e-1): x", "fix", "a b/c.d_e-1", "x", None),  # 4
        ("fix:", "", "", "fix:", None),  # 5: a description
        ("fix: x\n\nA body: one.\n\nIt goes on.", "fix", "", "x", None),  # 6, 7
        ("fix: x\n\nAcked-by #12\nBREAKING CHANGE: y", "fix", "", "x", "y"),  # 8
        ("fix: x\n\nBREAKING CHANGE: y\n  goes on\nReviewed-by: Z", "fix", "", "x", "y goes on"),  # 10
        ("fix: x\n\nBREAKING CHANGE: y\n\nNot this.", "fix", "", "x", "y"),
        ("fix: x\n\nBREAKING CHANGE y", "fix", "", "x", None),  # 12: a colon
        ("fix: x\n\nIt is no BREAKING CHANGE: y", "fix", "", "x", None),  # 12: at the beginning
        ("perf(db)!: x", "perf", "db", "x", ""),  # 13
        ("FeAt: x", "feat", "", "x", None),  # 15
        ("Fix(API)!: x", "fix", "API", "x", ""),  # 15: a scope stays as it is
        ("fix: x\n\nbreaking change: y", "fix", "", "x", None),  # 15: in capitals
        ("fix: x\n\nBREAKING-CHANGE: y", "fix", "", "x", "y"),  # 16
        ("anything\n\nBREAKING CHANGE: y", "", "", "anything", "y"),
        # What `git revert` and forges write.
        ('Revert "feat: a cart"\n\nThis reverts commit 4d1f0a2.', "revert", "", 'Revert "feat: a cart"', None),
        ('Revert "feat: a cart" (#12)', "revert", "", 'Revert "feat: a cart" (#12)', None),
        ("Revert to the old way", "", "", "Revert to the old way", None),
        # Beyond the specification: authors mean it, and no text begins so.
        ("fix:x", "fix", "", "x", None),
        ("fix(): x", "fix", "", "x", None),
        ("", "", "", "", None),
    ],
)  # fmt: skip
def test_examples_and_rules_of_the_specification(
    message: str, kind: str, scope: str, subject: str, breaks: str | None
) -> None:
    """https://www.conventionalcommits.org/en/v1.0.0/#specification"""
    change = parse_commit("abc", message)

    assert (change.kind, change.scope, change.subject) == (kind, scope, subject)
    assert (change.breaking, change.breaks) == (breaks is not None, breaks or "")


LOGS = sorted((Path(__file__).parent / "logs").glob("*.tsv"))


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.stem)
def test_logs_of_real_projects_are_read_as_a_person_reads_them(log: Path) -> None:
    """Each line: type, scope, `!` for breaking by its first line or footer, and the first line of the commit; `-` for
    none. Looked through by hand."""
    for line in log.read_text().splitlines():
        kind, scope, breaking, subject = line.split("\t")
        message = f"{subject}\n\nBREAKING CHANGE: it is another one" if breaking == "!" else subject

        change = parse_commit("abc", message)

        expected = (kind.strip("-"), scope.strip("-") if scope == "-" else scope, breaking == "!")
        assert (change.kind, change.scope, change.breaking) == expected, subject
        assert subject.endswith(change.subject)


def commit(digit: str, message: str) -> Commit:
    return Commit(digit * 40, message)


def reverts(digit: str) -> str:
    return f'Revert "x"\n\nThis reverts commit {digit * 40}.'


A, B, C = commit("a", "feat: a"), commit("b", "feat: b"), commit("c", "feat: c")


@pytest.mark.parametrize(
    ("newest_first", "left", "gone"),
    [
        ([C, B, A], [C, B, A], 0),
        ([commit("d", reverts("a")), B, A], [B], 2),
        ([commit("d", reverts("e")), B], [commit("d", reverts("e")), B], 0),
        ([commit("f", reverts("d")), commit("d", reverts("a")), A], [A], 2),
        ([commit("d", f"revert: both\n\nRefs: {'a' * 7}, {'b' * 40}"), B, A], [], 3),
        ([commit("d", "revert: both\n\nRefs: aaaaaaa, eeeeeee"), A], [commit("d", "revert: both\n\nRefs: aaaaaaa, "
          "eeeeeee"), A], 0),
        ([A, commit("d", reverts("a"))], [A, commit("d", reverts("a"))], 0),  # what is newer was not meant
        ([commit("e", reverts("a")), commit("d", reverts("a")), A], [commit("d", reverts("a"))], 2),
        ([commit("d", "fix: x\n\nRefs: aaaaaaa"), A], [commit("d", "fix: x\n\nRefs: aaaaaaa"), A], 0),
        ([commit("d", reverts("d"))], [commit("d", reverts("d"))], 0),
    ],
)  # fmt: skip
def test_a_revert_takes_away_what_it_reverts_if_that_is_new_too(
    newest_first: list[Commit], left: list[Commit], gone: int
) -> None:
    found, number = without_reverted(newest_first)

    assert number == gone
    assert {one.revision for one in found} == {one.revision for one in left}
