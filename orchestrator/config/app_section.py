"""One app's section in the text of a configuration file: found, compared, and replaced by that of an earlier file.

The text is changed by lines, so that everything else in the file, its comments included, stays as the user wrote it.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import yaml

from orchestrator.config import loader
from orchestrator.config.schema import PANEL, Config
from orchestrator.errors import ConfigError, Refused

APPS = "apps"
CHILD_INDENT = 2


@dataclass(frozen=True)
class Section:
    """The lines of an app's section; `column` is the indentation of its name. None of it stands on a shared line."""

    first: int
    end: int
    column: int
    lines: tuple[str, ...]

    def indented(self, column: int) -> list[str]:
        """The lines as they are written below a section with another indentation."""
        return [_shifted(line, column - self.column) for line in self.lines]


def put_back(current: str, archived: str, app: str, name: str) -> str:
    """The text `current` with the app's section of `archived` in the place of its own. `name` is the file's name.

    An app that `current` lacks is added. Raises Refused, with why, if that is not possible, or if the result would not
    be exactly the archived settings of this app and the current ones of everything else.
    """
    if app == PANEL:
        raise Refused(
            "The panel's settings are those of the whole file, and are not put back by themselves.",
            f"Read them, and edit the file: changeover backup extract {app} BACKUP config",
        )
    old = _config_of(archived, "in the backup", name)
    now = _config_of(current, "in use", name)
    if app not in old.apps:
        raise Refused(f"The configuration in the backup has no app '{app}'.", "Choose another backup.")
    wanted = _section(archived, app)
    if wanted is None:
        raise _by_hand(f"the backup has '{app}' on a line with others")
    text = _replaced(current, wanted, app)
    merged = _config_of(text, "with the section of the backup", name)
    if merged != now.model_copy(update={APPS: now.apps | {app: old.apps[app]}}):
        raise _by_hand(f"the section of '{app}' uses other parts of the file, such as anchors")
    return text


def difference(current: str, archived: str, app: str) -> list[str]:
    """The lines of a unified difference of the app's section, from the current to the archived one."""
    old, now = _section(archived, app), _section(current, app)
    wanted = old.indented(now.column) if old and now else list(old.lines) if old else []
    has = list(now.lines) if now else []
    return list(difflib.unified_diff(has, wanted, "now", "backup", lineterm=""))


def _replaced(current: str, wanted: Section, app: str) -> str:
    lines = current.splitlines()
    has = _section(current, app)
    if has:
        lines[has.first : has.end] = wanted.indented(has.column)
        return _joined(lines, current)
    apps = _value(_compose(current), APPS)
    if apps is None:
        return _joined([*lines, f"{APPS}:", *wanted.indented(CHILD_INDENT)], current)
    if isinstance(apps, yaml.MappingNode) and apps.value and not apps.flow_style:
        others = _section(current, str(apps.value[-1][0].value))
        if others:
            lines[others.end : others.end] = wanted.indented(others.column)
            return _joined(lines, current)
    if not apps.value:  # `apps:` and `apps: {}`
        first = apps.start_mark.line
        lines[first] = f"{lines[first].partition(':')[0]}:"
        lines[first + 1 : first + 1] = wanted.indented(CHILD_INDENT)
        return _joined(lines, current)
    raise _by_hand("the file has its apps on one line")


def _section(text: str, app: str) -> Section | None:
    """None when the file has no such app, or has it on a line with others."""
    apps = _value(_compose(text), APPS)
    if not isinstance(apps, yaml.MappingNode):
        return None
    found = next(((key, value) for key, value in apps.value if key.value == app), None)
    if found is None:
        return None
    key, value = found
    lines, first, column = text.splitlines(), key.start_mark.line, key.start_mark.column
    if apps.flow_style or lines[first][:column].strip():
        return None
    end = value.end_mark.line + (1 if value.end_mark.column else 0)
    if isinstance(value, yaml.CollectionNode) and not value.flow_style:
        # A block ends where something else begins: comments and empty lines before that are not its own.
        end = value.end_mark.line if value.end_mark.column <= column else value.end_mark.line + 1
        while end > first + 1 and _is_between(lines[end - 1], column):
            end -= 1
    return Section(first, end, column, tuple(lines[first:end]))


def _is_between(line: str, column: int) -> bool:
    said = line.strip()
    return not said or (said.startswith("#") and len(line) - len(line.lstrip()) <= column)


def _value(root: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(root, yaml.MappingNode):
        return None
    return next((value for key, value in root.value if key.value == name), None)


def _compose(text: str) -> yaml.Node | None:
    node: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    return node


def _config_of(text: str, which: str, name: str) -> Config:
    try:
        return loader.parse(text, name).config
    except ConfigError as error:
        raise Refused(
            f"The configuration {which} is not valid: {error.cause}", "Correct it, or edit the file by hand."
        ) from error


def _by_hand(why: str) -> Refused:
    return Refused(
        f"The section cannot be put back: {why}.",
        "Edit the file by hand; 'changeover backup extract APP BACKUP config' prints that of the backup.",
    )


def _shifted(line: str, by: int) -> str:
    if by >= 0:
        return f"{' ' * by}{line}" if line.strip() else line
    return line[min(-by, len(line) - len(line.lstrip(" "))) :]


def _joined(lines: list[str], like: str) -> str:
    """The lines with the ends that the file has: an editor of Windows writes others."""
    end = "\r\n" if "\r\n" in like else "\n"
    return "".join(f"{line}{end}" for line in lines)
