"""What a token may do, and the ones that are left in a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.access import new_token, tokens
from orchestrator.clock import now
from orchestrator.domain.access import Scope
from orchestrator.errors import JournalError, Refused
from orchestrator.journal.store import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(f"sqlite:///{tmp_path / 'journal.db'}")
    yield journal
    journal.close()


def left_in(path: Path, journal: Journal) -> tuple[str, Scope, tuple[str, ...] | None]:
    """Name, scope and apps of the token in this file."""
    token = journal.token(path.read_text().strip())
    assert token
    return token.name, token.scope, token.apps


@pytest.mark.parametrize(
    ("held", "needed", "may"),
    [
        (Scope.READ, Scope.READ, True),
        (Scope.READ, Scope.DEPLOY, False),
        (Scope.DEPLOY, Scope.READ, True),
        (Scope.DEPLOY, Scope.ADMIN, False),
        (Scope.ADMIN, Scope.DEPLOY, True),
    ],
)
def test_scopes_cover_those_below_them(held: Scope, needed: Scope, may: bool) -> None:
    assert held.covers(needed) is may


def test_the_first_token_is_left_once_and_again_when_no_valid_admin_is_left(journal: Journal, tmp_path: Path) -> None:
    folder = tmp_path / "left"

    tokens.leave_first_token(journal, folder)
    path = folder / "token"
    assert path.stat().st_mode & 0o777 == 0o600
    assert left_in(path, journal) == ("first-start", Scope.ADMIN, None)

    assert tokens.leave_first_token(journal, folder) is None
    tokens.create(journal, "of-one-app", Scope.ADMIN, ["shop"])
    tokens.create(journal, "for-an-hour", Scope.ADMIN, expires_at=now() + timedelta(hours=1))
    journal.revoke_token("first-start")
    assert tokens.leave_first_token(journal, folder) is None
    journal.revoke_token("for-an-hour")
    tokens.leave_first_token(journal, folder)
    assert left_in(path, journal) == ("first-start-2", Scope.ADMIN, None)


def test_who_has_the_servers_shell_gets_a_token_beside_the_others_and_the_audit_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Journal
) -> None:
    monkeypatch.setenv("CHANGEOVER_STATE", str(tmp_path))
    monkeypatch.setenv("CHANGEOVER_TOKEN_FOLDER", str(tmp_path / "left"))
    tokens.leave_first_token(journal, tmp_path / "elsewhere")

    assert new_token.main() == new_token.main() == 0

    assert left_in(tmp_path / "left" / "token", journal) == ("server-shell-2", Scope.ADMIN, None)
    assert all(one.invalid_because(now()) == "" for one in journal.tokens())
    entries = journal.audit_entries(10, None, "", "", refused_only=False)
    assert [(one.who, one.action, one.status) for one in entries] == [("server-shell", "make token", 201)] * 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_token_belongs_to_the_owner_of_its_folder(journal: Journal, tmp_path: Path) -> None:
    folder = tmp_path / "of-a-person"
    folder.mkdir()
    os.chown(folder, 4321, 4322)

    path = tokens.leave_token(journal, folder, "given")

    assert (path.stat().st_uid, path.stat().st_gid) == (4321, 4322)


def test_a_token_that_cannot_be_left_is_none_and_the_next_start_leaves_one(journal: Journal, tmp_path: Path) -> None:
    """It was on record and in no file: nobody could come in, and the next start made no other one."""
    folder = tmp_path / "left"
    (folder / "token.new").mkdir(parents=True)  # what is written to is not a file: writing fails

    with pytest.raises(Refused, match="cannot be written") as refused:
        tokens.leave_first_token(journal, folder)

    assert str(folder / "token") in refused.value.cause
    assert journal.tokens() == []
    (folder / "token.new").rmdir()
    path = tokens.leave_first_token(journal, folder)
    assert path is not None
    assert left_in(path, journal) == ("first-start", Scope.ADMIN, None)
    assert [one.name for one in folder.iterdir()] == ["token"]


def test_a_journal_that_fails_leaves_no_token_that_keeps_everybody_out(
    journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> bool:
        raise JournalError("The journal cannot be written: its disk is full.")

    with monkeypatch.context() as patched:
        patched.setattr(journal, "add_token", away)
        with pytest.raises(JournalError):
            tokens.leave_first_token(journal, tmp_path)

    path = tokens.leave_first_token(journal, tmp_path)
    assert path is not None
    assert left_in(path, journal) == ("first-start", Scope.ADMIN, None)


def test_a_journal_that_the_orchestrator_has_not_made_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CHANGEOVER_STATE", str(tmp_path))
    monkeypatch.setenv("CHANGEOVER_TOKEN_FOLDER", str(tmp_path / "left"))

    assert new_token.main() == 1

    assert "docker compose logs orchestrator" in capsys.readouterr().err
    assert not (tmp_path / "left").exists()
