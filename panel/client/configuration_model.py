"""The configuration of an app as it is in effect, as the API answers. Unknown fields are ignored."""

from __future__ import annotations

from panel.client.value import Value


class ConfiguredValue(Value):
    """`origin`: file, with its `line`, default, or derived. `before`: what the live release was deployed with; None if
    it is the same, or not known."""

    key: str
    value: str = ""
    origin: str = ""
    line: int | None = None
    before: str | None = None


class ConfigurationNotice(Value):
    line: int
    key: str
    says: str


class Configuration(Value):
    """`deployed`: the live deployment. `is_changed`: since then, in what takes effect by a deployment. `is_known`:
    whether it is known which values it had."""

    app: str
    file: str
    values: tuple[ConfiguredValue, ...]
    problems: tuple[str, ...] = ()
    notices: tuple[ConfigurationNotice, ...] = ()
    deployed: str = ""
    is_changed: bool = False
    is_known: bool = False
