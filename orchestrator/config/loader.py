"""Reads `control-panel-config.yaml`, and finds file and line of whatever is wrong with it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from orchestrator.config.schema import PANEL, Config
from orchestrator.errors import ConfigError, Problem

Key = tuple[str | int, ...]
SOURCES = ("git",)


def load(path: Path) -> Config:
    """The configuration in `path`; all defaults where there is no such file.

    Raises ConfigError with every problem found, each with its line.
    """
    if not path.exists():
        return Config()
    return parse(path.read_text(encoding="utf-8"), path.name)


def parse(text: str, name: str) -> Config:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        lines, repeated = _lines_of(root) if root else ({}, [])
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError((Problem(name, mark.line + 1 if mark else 1, "", f"not YAML: {error.problem}"),)) from error
    except yaml.YAMLError as error:
        raise ConfigError((Problem(name, 1, "", f"not YAML: {error}"),)) from error
    if repeated:
        raise ConfigError(tuple(Problem(name, line, key, "stands here a second time") for key, line in repeated))
    try:
        # By JSON's rules, which are strict about types and still take YAML's lists for the model's tuples.
        config = Config.model_validate_json(json.dumps(content or {}, default=str))
    except ValidationError as error:
        raise ConfigError(tuple(_problem(detail, lines, name) for detail in error.errors())) from error
    if problems := tuple(_impossible(config, lines, name)):
        raise ConfigError(problems)
    return config


def _lines_of(root: yaml.Node) -> tuple[dict[Key, int], list[tuple[str, int]]]:
    """The line of every key, counted from one, and the keys that stand twice."""
    lines: dict[Key, int] = {(): 1}
    repeated: list[tuple[str, int]] = []

    def walk(node: yaml.Node, at: Key) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                here = (*at, str(key.value))
                if here in lines:
                    repeated.append((".".join(map(str, here)), key.start_mark.line + 1))
                lines[here] = key.start_mark.line + 1
                walk(value, here)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                lines[(*at, index)] = value.start_mark.line + 1
                walk(value, (*at, index))

    walk(root, ())
    return lines, repeated


def _problem(detail: ErrorDetails, lines: dict[Key, int], name: str) -> Problem:
    location = tuple(part for part in detail["loc"] if part != "[key]")
    line = next(lines[location[:end]] for end in range(len(location), -1, -1) if location[:end] in lines)
    return Problem(name, line, ".".join(map(str, location)), _message(detail, location))


def _message(detail: ErrorDetails, location: Key) -> str:
    found = detail["input"]
    match detail["type"]:
        case "extra_forbidden":
            known = _keys_at(location[:-1])
            near = difflib.get_close_matches(str(location[-1]), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known keys here: {', '.join(sorted(known))}"
            return f"unknown key; {hint}"
        case "missing":
            return "is missing"
        case "value_error":
            return detail["msg"].removeprefix("Value error, ")
        case "string_pattern_mismatch":
            return "expected a name of lower-case letters, digits and hyphens that begins with a letter"
        case "model_type" | "dict_type":
            return f"expected a section with keys, found {found!r}"
    message = detail["msg"].removeprefix("Input should be ")
    return f"expected {message}, found {found!r}"


def _keys_at(location: Key) -> list[str]:
    model: type[BaseModel] = Config
    for part in location:
        if model is Config and part == "apps":
            continue
        field = model.model_fields.get(str(part))
        annotation = field.annotation if field else None
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        nested = [kind for kind in candidates if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if nested:
            model = nested[0]
        elif field is None and model is Config:
            from orchestrator.config.schema import App

            model = App
    return list(model.model_fields)


def _impossible(config: Config, lines: dict[Key, int], name: str) -> Iterator[Problem]:
    """What no single key shows: two apps on one route, a source that is still to come."""
    claimed: dict[str, str] = {}
    for app, settings in config.all_apps().items():
        at: Key = () if app == PANEL else ("apps", app)
        route = settings.route
        claims = [route.host and f"host {route.host}", route.path and f"path {route.path}", route.default and "default"]
        for claim in filter(None, claims):
            if claim in claimed:
                line = lines.get((*at, "route"), 1)
                yield Problem(name, line, f"apps.{app}.route", f"{claim} already belongs to {claimed[claim]}")
            claimed[str(claim)] = app
        source = settings.update.source
        if source not in SOURCES:
            line = lines.get((*at, "update", "source"), 1)
            key = ".".join(map(str, (*at, "update", "source")))
            yield Problem(name, line, key, f"{source} is not supported yet; use {' or '.join(SOURCES)}")
