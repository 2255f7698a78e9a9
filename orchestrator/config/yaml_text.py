"""YAML as the configuration file uses it: plain values, within limits, with the line of every key.

YAML 1.1 reads `yes`, `on`, `1:30` and dates as something other than text; here booleans are `true` and `false` alone,
numbers are decimal, and everything else is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import yaml

from orchestrator.config.keys import KeyPath

MOST_BYTES = 256 * 1024
TOO_LARGE = f"the file is larger than {MOST_BYTES // 1024} kB"
MOST_NODES = 50_000
"""Counted as they are used: an alias counts as often as it is written."""
MOST_DEPTH = 40


class NotPlain(Exception):
    """The text is YAML, and not what a configuration file may be. `says` is the reason, `line` is counted from one."""

    def __init__(self, line: int, says: str) -> None:
        super().__init__(says)
        self.line = line
        self.says = says


@dataclass
class Document:
    """What the text contains; the line of every key; and for each key that is set twice: line, first line, name."""

    content: Any  # Any: plain YAML values
    lines: dict[KeyPath, int] = field(default_factory=lambda: {(): 1})
    repeated: list[tuple[int, int, KeyPath]] = field(default_factory=list)


class _Loader(yaml.SafeLoader):
    """SafeLoader with the implicit types of this module."""


_OURS = ("bool", "int", "float", "timestamp", "value")
_PREFIX = "tag:yaml.org,2002:"
_PLAIN = {f"{_PREFIX}{name}" for name in ("str", "null", "bool", "int", "float", "seq", "map")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rsplit(":", 1)[-1] not in _OURS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$", re.IGNORECASE), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9]+|\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"),
    list("-+0123456789."),
)

_RESOLVER = _Loader("")


def read(text: str) -> Document:
    """Raises NotPlain beyond the limits, and yaml.YAMLError for what is not YAML."""
    if len(text.encode()) > MOST_BYTES:
        raise NotPlain(1, TOO_LARGE)
    try:
        # Counted before anything is built of them: building takes far longer than reading.
        if sum(1 for _ in islice(yaml.parse(text, Loader=_Loader), 2 * MOST_NODES + 1)) > 2 * MOST_NODES:
            raise NotPlain(1, f"the file has more than {MOST_NODES} values")
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            return Document(None)
        document = Document(None)
        _walk(root, (), document, [0])
        document.content = yaml.load(text, Loader=_Loader)
    except RecursionError as error:
        raise NotPlain(1, f"the file is nested more than {MOST_DEPTH} levels deep") from error
    except ValueError as error:
        raise NotPlain(1, str(error)) from error
    return document


def _walk(node: yaml.Node, at: KeyPath, document: Document, count: list[int]) -> None:
    line = node.start_mark.line + 1
    count[0] += 1
    if count[0] > MOST_NODES:
        raise NotPlain(line, f"the file has more than {MOST_NODES} values, aliases included")
    if len(at) > MOST_DEPTH:
        raise NotPlain(line, f"the file is nested more than {MOST_DEPTH} levels deep, or contains itself")
    _refuse_other_tags(node, line)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, _key(key))
            if here in document.lines:
                document.repeated.append((key.start_mark.line + 1, document.lines[here], here))
            document.lines[here] = key.start_mark.line + 1
            _walk(value, here, document, count)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            document.lines[(*at, index)] = value.start_mark.line + 1
            _walk(value, (*at, index), document, count)


def _refuse_other_tags(node: yaml.Node, line: int) -> None:
    """A tag that is written into the file must be plain, and fit its value: PyYAML fails in many ways where not."""
    tag = str(node.tag).removeprefix(_PREFIX)
    if node.tag not in _PLAIN:
        raise NotPlain(line, "the value has a tag that is neither text, number, boolean, list nor section. Remove it")
    if isinstance(node, yaml.ScalarNode):
        implied = _RESOLVER.resolve(yaml.ScalarNode, node.value, (True, False))  # type: ignore[no-untyped-call]
        fits = tag == "str" or implied == node.tag
    else:
        fits = tag == ("map" if isinstance(node, yaml.MappingNode) else "seq")
    if not fits:
        raise NotPlain(line, f"the value does not fit its tag !!{tag}. Remove the tag, or correct the value")


def _key(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
        return str(node.value)
    raise NotPlain(node.start_mark.line + 1, f"a key must be text; put quotes around {node.value!r}")
