"""Every key of the configuration, found by walking the models.

Keys are named as in the documentation: `update.git.remote`, `apps.NAME.run.port`. The keys of `update`, `push` and
`notify` are listed once, at the top level, although each app has them too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from orchestrator.config.notify_schema import Notify
from orchestrator.config.push_schema import Push
from orchestrator.config.schema import App, Config, UpdatePolicy
from orchestrator.config.section import NoEffectYet, Section, Unit

KeyPath = tuple[str | int, ...]
APP = "NAME"
"""The placeholder for the name of an app."""


@dataclass(frozen=True)
class Key:
    """A key that has a value and is not a section. `no_effect` is the reason why it does nothing yet, or empty."""

    path: tuple[str, ...]
    field: FieldInfo
    section: type[Section]
    no_effect: str

    @property
    def name(self) -> str:
        return ".".join(self.path)

    @property
    def unit(self) -> str:
        """The unit or kind of the value; empty when no Unit is annotated."""
        units = [one.name for one in self.field.metadata if isinstance(one, Unit)]
        return units[0] if units else "`true` or `false`" if self.field.annotation is bool else ""


def every_key() -> list[Key]:
    """All keys in the order of the models; the keys of an app last."""
    return [*_keys_of(Config, (), ""), *_keys_of(App, ("apps", APP), "")]


def _keys_of(section: type[Section], at: tuple[str, ...], no_effect: str) -> Iterator[Key]:
    for name, field in named_fields(section).items():
        inner = section_of(field)
        why = no_effect or why_no_effect(field)
        if inner is None:
            yield Key((*at, name), field, section, why)
        elif inner is not App and not (inner in (UpdatePolicy, Push, Notify) and at):
            yield from _keys_of(inner, (*at, name), why)


def named_fields(section: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a section by their keys in a file: `from` is no name in Python."""
    return {field.alias or name: field for name, field in section.model_fields.items()}


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a field contains, also if it is optional or the value of a mapping; None for other fields."""
    annotation: Any = field.annotation  # Any: a type, or a form of typing such as `Build | None`
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, Section):
            return kind
    return None


def why_no_effect(field: FieldInfo) -> str:
    """The reason why a field has no effect yet; empty if it has one."""
    return next((one.why for one in field.metadata if isinstance(one, NoEffectYet)), "")


def fields_along(path: KeyPath) -> Iterator[tuple[int, FieldInfo]]:
    """Each field that a path of the file passes through, with the length of the path up to it.

    Ends where the path leaves the models: at an unknown key, or inside a value.
    """
    section: type[BaseModel] | None = Config
    for length, part in enumerate(path, start=1):
        if section is None:
            return
        if path[: length - 1] == ("apps",):
            section = App
            continue
        if isinstance(part, int):  # an entry of a list has the keys of its section
            yield length, FieldInfo(annotation=section)
            continue
        field = named_fields(section).get(str(part))
        if field is None:
            return
        yield length, field
        section = section_of(field)


def known_keys(path: KeyPath) -> list[str]:
    """The keys that are allowed in the section at `path`; empty where names are free, or there is no section."""
    if path == ("apps",):
        return []
    if not path:
        return list(Config.model_fields)
    if len(path) == 2 and path[0] == "apps":
        return list(App.model_fields)
    fields = dict(fields_along(path))
    section = section_of(fields[len(path)]) if len(path) in fields else None
    return list(named_fields(section)) if section else []


def written_without_effect(written: Iterable[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
    """The paths in a file that have no effect, each with the reason; a section once, without its keys."""
    given: set[KeyPath] = set()
    for path in written:
        for length, field in fields_along(path):
            why = why_no_effect(field)
            if why and path[:length] not in given:
                given.add(path[:length])
                yield path[:length], why
