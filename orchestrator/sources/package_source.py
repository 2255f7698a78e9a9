"""What makes an image around a package's wheel."""

from __future__ import annotations

import json
import lzma
import re
import shutil
import zipfile
import zlib
from configparser import ConfigParser, Error
from importlib import resources
from pathlib import Path
from string import Template

from border.plain import plain
from orchestrator.errors import StepFailed

MOST_OF_ENTRY_POINTS = 2**20
MOST_OF_DIRECTORY = 16 * 2**20
"""Bytes of a wheel's directory, for 100,000 files and more."""
END_WITHOUT_COMMENT, ZIP64_LOCATOR = 22, 20
"""Bytes of the record at the end, and of the one before it in ZIP64 (APPNOTE.TXT, 4.3.15 and 4.3.16)."""
MOST_OF_END = END_WITHOUT_COMMENT + 2**16
_END_OF_DIRECTORY, _ZIP64 = b"PK\5\6", b"PK\6\7"
_ENTRY_POINTS = re.compile(r"[^/]+\.dist-info/entry_points\.txt")


def own_command(wheel: Path, package: str) -> tuple[str, ...]:
    """The command that the package installs under its own name, or its only one; else its module. Raises StepFailed.

    A source distribution does not say what it installs: then it is the name.
    """
    if wheel.suffix != ".whl":
        return (package,)
    _refuse_many_files(wheel)
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
            scripts = _scripts(archive, names)
    # zipfile raises the latter ones for encrypted files, compressions that it does not know, and numbers that are none.
    except (zipfile.BadZipFile, OSError, Error, UnicodeError, zlib.error, lzma.LZMAError, EOFError, RuntimeError,
            ValueError) as error:  # fmt: skip
        raise StepFailed(f"{wheel.name} is no package: {plain(str(error))[:200]}.") from error
    same = [name for name in scripts if _normal(name) == _normal(package)]
    if same or len(scripts) == 1:
        return ((same or scripts)[0],)
    module = package.replace("-", "_")
    if f"{module}/__main__.py" in names:
        return "python", "-m", module
    has = f"has the commands {', '.join(scripts[:10])}" if scripts else "has no command"
    raise StepFailed(
        f"{package} {has}: which one is the app?",
        "Set update.pypi.command, such as [uvicorn, 'shop:app', --host, 0.0.0.0].",
    )


def _refuse_many_files(wheel: Path) -> None:
    """zipfile reads the whole directory of an archive, and makes an object of half a kilobyte of each of its entries.

    Raises StepFailed for one of more than MOST_OF_DIRECTORY bytes, and for ZIP64, which has its length elsewhere: only
    archives beyond what is downloaded need that.
    """
    with wheel.open("rb") as file:
        file.seek(max(0, wheel.stat().st_size - MOST_OF_END))
        end = file.read(MOST_OF_END)
    # zipfile looks for a record without a comment first, then for the last one.
    for at in (len(end) - END_WITHOUT_COMMENT, end.rfind(_END_OF_DIRECTORY)):
        size = int.from_bytes(end[at + 12 : at + 16], "little")
        is_zip64 = end[max(0, at - ZIP64_LOCATOR) :].startswith(_ZIP64)
        if end.startswith(_END_OF_DIRECTORY, at) and (size > MOST_OF_DIRECTORY or is_zip64):
            raise StepFailed(f"{wheel.name} is no package: it has more files than anybody needs.")


def _scripts(archive: zipfile.ZipFile, names: list[str]) -> list[str]:
    found = next((name for name in names if _ENTRY_POINTS.fullmatch(name)), None)
    if found is None:
        return []
    with archive.open(found) as file:
        text = file.read(MOST_OF_ENTRY_POINTS).decode()
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # names have their case
    parser.read_string(text)
    return [plain(name) for name in parser["console_scripts"]] if parser.has_section("console_scripts") else []


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def write_dockerfile(folder: Path, base: str, index_url: str, command: tuple[str, ...], is_whole: bool = False) -> None:
    """Write the Dockerfile of an image around what is in `folder/dist`, and the files that it copies.

    `index_url`: where its dependencies come from, without credentials; empty: PyPI. `is_whole`: whether uv itself comes
    from there, too.
    """
    own = resources.files("orchestrator.package_image")
    template = Template((own / "Dockerfile.template").read_text())
    index = f"--default-index {index_url}" if index_url else ""
    pip_index = f"--index-url {index_url}" if index_url and is_whole else ""
    (folder / "Dockerfile").write_text(
        template.substitute(
            base=base, index=index, pip_index=pip_index, command=json.dumps(command, ensure_ascii=False)
        )
    )
    for name in ("reach.py", "uv.txt"):
        with resources.as_file(own / name) as file:
            shutil.copyfile(file, folder / name)
