"""How the data differs from a backup of it: in the structure of its databases, and at all. Standard library only.

While an app runs, it writes rows and files. It does not create tables, and does not write the tables in which migration
tools record what they have applied. So these, the structure, show whether a migration committed something.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from orchestrator.backup_sidecar.content import unpack
from orchestrator.backup_sidecar.copied_file import copy_of, remove_copies
from orchestrator.backup_sidecar.copy import digest, entries_of, is_sqlite, opened
from orchestrator.backup_sidecar.jail import confined, scratch_of, seen_from
from orchestrator.backup_sidecar.manifest import DATA, DUMP, some
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Folder, NotAFile

RECORDS_OF_MIGRATIONS = re.compile(
    r"migrat|alembic|schema_version|schema_info|flyway|databasechangelog|sequelizemeta|goose|knex", re.IGNORECASE
)
"""Tables in which tools record migrations: those of Django, Alembic, Rails, Flyway, Liquibase, Prisma and others."""
_COPY = re.compile(r"COPY (?P<table>\S+) .*FROM stdin;", re.IGNORECASE)
_INSERT = re.compile(r"INSERT INTO (?P<table>\S+)", re.IGNORECASE)
_NO_STRUCTURE = re.compile(r"--|/\*|\\(un)?restrict\b|SET |SELECT pg_catalog\.set|LOCK TABLES|UNLOCK TABLES|\s*$")
STORED = (0, 1)
"""`hidden` of columns that are not computed (https://sqlite.org/pragma.html#pragma_table_xinfo)."""
LONGEST_LINE = 2**20
"""A longer line of a dump is read in parts, in characters."""
_COUNTER = re.compile(r" AUTO_INCREMENT=\d+")


@dataclass(frozen=True)
class Difference:
    """`databases`: the SQLite databases and SQL dumps that were compared. `structure`: those whose structure differs.

    `content`: every file that differs in any way. An SQLite database is compared by its rows, not by its bytes.
    MOST_NAMED of each are named.
    """

    databases: tuple[str, ...]
    structure: tuple[str, ...]
    content: tuple[str, ...]


@dataclass(frozen=True)
class _Print:
    """The digests of one file; `structure` is empty if it is no database."""

    structure: str
    content: str


def compare(folder: Path, roots: dict[str, Path], pace: Pace, jail: Path | None = None) -> Difference:
    """Compare the data and the dump in `roots` with the backup in `folder`. Raises DamagedBackup.

    SQLite works in `jail`, which must have the roots with databases, and a folder `scratch`.
    """
    with tempfile.TemporaryDirectory(dir=scratch_of(jail)) as temporary:
        kept, copy = Path(temporary) / "backup", Path(temporary) / "copy"
        kept.mkdir()
        unpack(folder, kept, pace)
        before = {name: _prints(kept / name, copy, pace, jail) for name in (DATA, DUMP) if (kept / name).is_dir()}
        now = {name: _prints(root, copy, pace, jail) for name, root in roots.items() if name in (DATA, DUMP)}
    return _difference(_flat(before), _flat(now))


def _difference(before: dict[str, _Print], now: dict[str, _Print]) -> Difference:
    none = _Print("", "")
    names = sorted({*before, *now})
    pairs = {name: (before.get(name, none), now.get(name, none)) for name in names}
    return Difference(
        some([name for name, (old, new) in pairs.items() if old.structure or new.structure]),
        some([name for name, (old, new) in pairs.items() if old.structure != new.structure]),
        some([name for name, (old, new) in pairs.items() if old.content != new.content]),
    )


def _flat(prints: dict[str, dict[str, _Print]]) -> dict[str, _Print]:
    return {f"{root}/{name}": one for root, files in prints.items() for name, one in files.items()}


def _prints(root: Path, copy: Path, pace: Pace, jail: Path | None) -> dict[str, _Print]:
    with Folder.open(root) as held:
        files = [entry.name for entry in entries_of(held) if entry.is_file]
        found = {name: _print(held, name, copy, pace, jail) for name in files}
    return {name: one for name, one in found.items() if one}


def _print(root: Folder, name: str, copy: Path, pace: Pace, jail: Path | None) -> _Print | None:
    """None for a file that the app has removed or replaced meanwhile."""
    try:
        with opened(root, name) as file:
            if not is_sqlite(file):
                return _of_file(file, pace)
        if not copy_of(root, name, copy, pace, jail).is_database:
            with copy.open("rb") as copied:
                return _of_file(copied.fileno(), pace)
        there = seen_from(jail, copy)
        uri = f"{there.as_uri()}?immutable=1"  # made here: in the jail, Python finds no more modules
        return _Print(*json.loads(confined(jail, lambda: json.dumps(_of_database(uri, there, pace)))))
    except (FileNotFoundError, NotADirectoryError, NotAFile):
        return None
    finally:
        remove_copies(copy)


def _of_file(descriptor: int, pace: Pace) -> _Print:
    return _of_dump(descriptor) or _Print("", digest(os.dup(descriptor), pace))


def _of_database(uri: str, path: Path, pace: Pace) -> tuple[str, str]:
    """Of a copy that nobody writes: the digests of its structure and of its content.

    Texts are read as bytes: what an app calls a text need not be UTF-8, and the error would have the row in it. For a
    table that cannot be read, because it is damaged or in an order that only the app knows, the whole file counts.
    """
    with closing(sqlite3.connect(uri, uri=True)) as database:
        database.text_factory = bytes
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
        made = database.execute(query).fetchall()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        tables = [(row[1], (row[3] or b"").upper()) for row in made if row[0] == b"table"]
        rows = {}
        for name in (name for name, sql in tables if not sql.startswith(b"CREATE VIRTUAL")):
            try:
                rows[name] = _rows(database, name, pace)
            except (sqlite3.DatabaseError, UnicodeDecodeError):
                rows[name] = (-1, int(digest(path, pace), 16))
    records = {name: found for name, found in rows.items() if RECORDS_OF_MIGRATIONS.search(name.decode("latin-1"))}
    structure = _sha256([repr((made, version, sorted(records.items())))])
    return structure, _sha256([structure, repr(sorted(rows.items()))])


def _rows(database: sqlite3.Connection, table: bytes, pace: Pace) -> tuple[int, int]:
    """The number of a table's rows and the sum of their digests, which does not depend on their order."""
    number = total = 0
    for row in _each_row(database, table):
        number += 1
        total += int.from_bytes(hashlib.sha256(repr(row).encode()).digest()[:16], "big")
        pace.rest()
    return number, total


def _each_row(database: sqlite3.Connection, table: bytes) -> Iterator[tuple[object, ...]]:
    """Without what is computed from other columns: that may need a function that only the app has."""
    name = _quoted(table)
    columns = database.execute(f"PRAGMA table_xinfo({name})").fetchall()
    stored = ", ".join(_quoted(one[1]) for one in columns if one[6] in STORED)
    yield from database.execute(f"SELECT {stored} FROM {name}")


def _quoted(name: bytes) -> str:
    return '"{}"'.format(name.decode().replace('"', '""'))


def _of_dump(descriptor: int) -> _Print | None:
    """Of a dump in SQL; None for any other file."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        with open(os.dup(descriptor), encoding="utf-8") as file:
            if not any("CREATE TABLE" in line.text for line in _lines(file)):
                return None
            structure = _sha256(_structure(_lines(file)))
            return _Print(structure, _sha256(_content(_lines(file))))
    except UnicodeDecodeError:
        return None
    finally:
        os.lseek(descriptor, 0, os.SEEK_SET)


@dataclass(frozen=True)
class _Line:
    """A line, or a part of a long one: `begins` is false for those after its first part."""

    text: str
    begins: bool


def _lines(file: TextIO) -> Iterator[_Line]:
    """From the beginning. A file of the app may be one line of any length, such as one of zeros."""
    file.seek(0)
    begins = True
    while text := file.readline(LONGEST_LINE):
        yield _Line(text, begins)
        begins = text.endswith("\n")


def _content(lines: Iterable[_Line]) -> Iterator[str]:
    counts = False
    for line in lines:
        counts = not _NO_STRUCTURE.match(line.text) if line.begins else counts
        if counts:
            yield line.text


def _structure(lines: Iterable[_Line]) -> Iterator[str]:
    """The lines that create something, and the rows of the tables that record migrations."""
    copied, counts = "", False
    for line in lines:
        if not line.begins:
            pass
        elif copied:
            if line.text.startswith("\\."):
                copied = ""
            counts = bool(RECORDS_OF_MIGRATIONS.search(copied))
        elif copying := _COPY.match(line.text):
            copied, counts = copying["table"], False
        elif inserted := _INSERT.match(line.text):
            counts = bool(RECORDS_OF_MIGRATIONS.search(inserted["table"]))
        else:
            counts = not _NO_STRUCTURE.match(line.text)
        if counts:
            yield _COUNTER.sub("", line.text)


def _sha256(parts: Iterable[str]) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(part.encode(errors="surrogatepass"))
    return found.hexdigest()
