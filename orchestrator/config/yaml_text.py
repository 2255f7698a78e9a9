"""YAML as the configuration file uses it: plain values, within limits, with the line of every key.

YAML 1.1 reads `yes`, `on`, `1:30` and dates as something other than text; here booleans are `true` and `false` alone,
numbers are decimal, and everything else is text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.reader import ReaderError

from orchestrator.config.keys import KeyPath

MOST_BYTES = 256 * 1024
TOO_LARGE = f"the file is larger than {MOST_BYTES // 1024} kB"
MOST_NODES = 50_000
"""Counted as they are used: an alias counts as often as it is written."""
MOST_CHARACTERS = 2**20
"""Of all keys and values, counted as they are used: aliases could make gigabytes of a small file."""
MOST_OF_KEY = 256
"""Each message about a value has the keys that lead to it."""
MOST_DEPTH = 40
MOST_DIGITS = 40


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
_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")
_STORED_NOWHERE = re.compile("[\0\ud800-\udfff]")
"""NUL and lone surrogates: no program, file or database takes them in a text."""
_NUMBERS = (f"{_PREFIX}int", f"{_PREFIX}float")


def read(text: str) -> Document:
    """Raises NotPlain beyond the limits, and yaml.YAMLError for what is not YAML."""
    if len(text.encode()) > MOST_BYTES:
        raise NotPlain(0, TOO_LARGE)
    try:
        _refuse_too_much(text)
        root = yaml.compose(text, Loader=_Loader)
        if root is None:
            return Document(None)
        document = Document(None)
        _walk(root, (), document, [0, 0])
        document.content = yaml.load(text, Loader=_Loader)
    except ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        says = f"the file has the character U+{error.character:04X}, which YAML cannot have. Remove it"
        raise NotPlain(line, says) from error
    except ValueError as error:
        # PyYAML builds the character of an escape before it looks whether there is one.
        found = _NO_CHARACTER.search(text)
        line = text.count("\n", 0, found.start() if found else 0) + 1
        raise NotPlain(line, "an escape such as \\U00110000 names no character. Correct it") from error
    return document


def _refuse_too_much(text: str) -> None:
    """Before anything is built of it, which takes far longer; and the reader's time grows with the square of the
    number of brackets that are open."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=_Loader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEPTH + 1:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise NotPlain(line, f"the file is nested more than {MOST_DEPTH} levels deep")
        if number > 2 * MOST_NODES:
            raise NotPlain(1, f"the file has more than {MOST_NODES} values")


def _walk(node: yaml.Node, at: KeyPath, document: Document, count: list[int]) -> None:
    """`count`: the values and the characters so far."""
    line = node.start_mark.line + 1
    count[0] += 1
    if count[0] > MOST_NODES:
        raise NotPlain(line, f"the file has more than {MOST_NODES} values, aliases included")
    if len(at) > MOST_DEPTH:
        raise NotPlain(line, f"the file is nested more than {MOST_DEPTH} levels deep, or contains itself")
    _refuse_other_tags(node, line)
    if isinstance(node, yaml.ScalarNode):
        _refuse_other_values(node, line)
        _count_characters(node, count)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*at, _key(key))
            _count_characters(key, count)
            if here in document.lines:
                document.repeated.append((key.start_mark.line + 1, document.lines[here], here))
            document.lines[here] = key.start_mark.line + 1
            _walk(value, here, document, count)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            document.lines[(*at, index)] = value.start_mark.line + 1
            _walk(value, (*at, index), document, count)


def _count_characters(node: yaml.ScalarNode, count: list[int]) -> None:
    count[1] += len(node.value)
    if count[1] > MOST_CHARACTERS:
        says = f"the file has more than {MOST_CHARACTERS // 1024} kB of keys and values, aliases included"
        raise NotPlain(node.start_mark.line + 1, says)


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


def _refuse_other_values(node: yaml.ScalarNode, line: int) -> None:
    if _STORED_NOWHERE.search(node.value):
        raise NotPlain(line, "the text has a NUL or half of a surrogate pair, written as an escape. Remove it")
    if node.tag in _NUMBERS and len(node.value) > MOST_DIGITS:
        raise NotPlain(line, f"the number has more than {MOST_DIGITS} characters. Write a smaller one")


def _key(node: yaml.Node) -> str:
    line = node.start_mark.line + 1
    if not isinstance(node, yaml.ScalarNode):
        raise NotPlain(line, "a key must be text, not a list or a section")
    if node.tag == f"{_PREFIX}merge":
        raise NotPlain(line, "merge keys (<<) are not read. Write each key, with an alias such as *name as its value")
    if node.tag != f"{_PREFIX}str":
        raise NotPlain(line, f"a key must be text; put quotes around {node.value!r}")
    _refuse_other_values(node, line)
    if len(node.value) > MOST_OF_KEY:
        raise NotPlain(line, f"the key has more than {MOST_OF_KEY} characters. Write a shorter one")
    return str(node.value)
