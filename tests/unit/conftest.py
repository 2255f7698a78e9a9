"""What unit tests share: a journal that is made once and copied, since making one takes longer than most tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.journal.store import Journal
from tests.support.fakes.journal import UnreliableJournal


@pytest.fixture(scope="session")
def empty_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("journal") / "journal.db"
    Journal(f"sqlite:///{file}")
    return file


@pytest.fixture
def journal(empty_journal: Path, tmp_path: Path) -> UnreliableJournal:
    """Empty, and of this test alone."""
    shutil.copy(empty_journal, tmp_path / "journal.db")
    return UnreliableJournal(f"sqlite:///{tmp_path / 'journal.db'}")
