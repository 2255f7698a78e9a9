"""The owner of a volume's files changes, and both users can use them until it is certain that only one will."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.backup_sidecar import archive, owner, restore
from orchestrator.backup_sidecar.owner import Ids
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Folder

OLD, NEW, OTHER = Ids(21001, 21001), Ids(21002, 21002), Ids(21003, 21003)
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="files of several users are made by root alone")


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    """As the app before left it, with a file of somebody else and links that lead outside."""
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(0o755)
    outside = tmp_path / "outside"
    outside.write_text("not the app's")
    outside.chmod(0o600)
    volume = tmp_path / "volume"
    (volume / "deep" / "deeper").mkdir(parents=True)
    for name, mode in (("a.db", 0o600), ("deep/b", 0o644), ("deep/deeper/run", 0o750), ("theirs", 0o600)):
        (volume / name).write_text(name)
        (volume / name).chmod(mode)
    (volume / "deep" / "link").symlink_to(outside)
    os.mkfifo(volume / "pipe")
    for path in (volume, *volume.rglob("*")):
        os.chown(path, OLD.user, OLD.group, follow_symlinks=False)
    os.chown(volume / "theirs", OTHER.user, OTHER.group)
    (volume / "deep").chmod(0o700)
    return volume


def as_user(ids: Ids, volume: Path, what: str) -> bool:
    """Whether a process of this user can do it."""
    child = os.fork()
    if not child:
        code = 1
        try:
            os.chdir(volume)
            os.setgroups([])
            os.setgid(ids.group)
            os.setuid(ids.user)
            exec(what)
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] == 0


def modes(volume: Path) -> dict[str, tuple[int, int, int, tuple[str, ...]]]:
    found = {}
    for path in (volume, *sorted(volume.rglob("*"))):
        status = os.lstat(path)
        lists = () if path.is_symlink() else tuple(os.listxattr(path))
        found[str(path.relative_to(volume))] = (status.st_uid, status.st_gid, status.st_mode, lists)
    return found


WRITE_ALL = "import os\nfor f in ('a.db','deep/b','deep/deeper/run'):\n open(f,'r+').write('x')\n"
MAKE = "import os; os.umask(0o022); os.mkdir('deep/{0}'); open('deep/{0}/f','w').write('new'); open('{0}','w')"


def test_both_users_use_everything_and_only_what_was_the_apps_changes(volume: Path) -> None:
    with Folder.open(volume) as root:
        changed = owner.give(root, OLD, NEW)
        assert owner.give(root, OLD, NEW) == 0, "doing it again changes nothing"

    assert changed == 8
    after = modes(volume)
    assert {name for name, (uid, *_) in after.items() if uid == NEW.user} == set(after) - {"theirs"}
    assert after["theirs"][:2] == (OTHER.user, OTHER.group)
    assert (volume.parent / "outside").stat().st_uid == 0
    for ids in (OLD, NEW):
        assert as_user(ids, volume, WRITE_ALL), ids
        assert as_user(ids, volume, MAKE.format(f"by{ids.user}")), ids
    assert as_user(NEW, volume, f"open('deep/by{OLD.user}/f').read(); import os; os.remove('deep/by{OLD.user}/f')")
    assert not as_user(OTHER, volume, "open('deep/b').read()")


def test_it_is_taken_back_as_it_was_with_what_was_made_meanwhile(volume: Path) -> None:
    before = modes(volume)
    with Folder.open(volume) as root:
        owner.give(root, OLD, NEW)
        assert as_user(NEW, volume, MAKE.format("meanwhile"))
        owner.take_back(root, OLD, NEW)

    after = modes(volume)
    assert {name: one for name, one in after.items() if "meanwhile" not in name} == before
    assert {one[0] for name, one in after.items() if "meanwhile" in name} == {OLD.user}
    assert as_user(OLD, volume, WRITE_ALL)
    assert not as_user(NEW, volume, "open('deep/b').read()")


def test_one_that_was_interrupted_is_taken_back_as_well(volume: Path) -> None:
    before = modes(volume)
    with Folder.open(volume) as root:
        with root.folder("deep") as deep:
            owner.give(deep, OLD, NEW)
        owner.take_back(root, OLD, NEW)
    assert modes(volume) == before


def test_a_restore_gives_the_data_to_who_owns_the_volume_now_and_to_whom_it_is_shared_with(
    volume: Path, tmp_path: Path
) -> None:
    """The backup was made when the app ran as another user, and an archive has no lists."""
    before = {name: one for name, one in modes(volume).items() if name != "."}
    archive.create(
        {"data": volume}, tmp_path / "kept" / "one", Pace(gently=False), backup="one", app="shop", version="v1",
        revision="", reason="",
    )  # fmt: skip
    with Folder.open(volume) as root:
        owner.give(root, OLD, NEW)

    restore.restore(tmp_path / "kept" / "one", {"data": volume})

    for ids in (OLD, NEW):
        assert as_user(ids, volume, WRITE_ALL), ids
        assert as_user(ids, volume, MAKE.format(f"by{ids.user}")), ids
    after = modes(volume)
    assert after["theirs"] == before["theirs"]
    assert not as_user(OTHER, volume, "open('a.db').read()")
    with Folder.open(volume) as root:
        owner.take_back(root, OLD, NEW)
    assert {name: one[2:] for name, one in modes(volume).items() if name in before} == {
        name: one[2:] for name, one in before.items() if name in after
    }
