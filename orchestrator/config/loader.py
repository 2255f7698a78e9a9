"""Reads `control-panel-config.yaml`, and reports each problem and each key without effect with its line."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from orchestrator.config import messages, yaml_text
from orchestrator.config.keys import KeyPath, written_without_effect
from orchestrator.config.registry_login import of_registry
from orchestrator.config.report_schema import of_report
from orchestrator.config.route_conflicts import paths_beside_the_panel, route_conflicts, strips_nothing
from orchestrator.config.schema import PANEL, App, Config
from orchestrator.config.sent_encrypted import sent_in_the_open
from orchestrator.config.unseen_failures import unseen_failures
from orchestrator.config.volume_conflicts import data_mounted_again, volume_conflicts
from orchestrator.domain.counted import counted
from orchestrator.errors import ConfigError, Problem

T = TypeVar("T")
MOST_PROBLEMS = 100
"""So many problems of a file are reported at a time."""
MERGE_MARK = re.compile(r"(?:<{7}|>{7}|\|{7}) ")
"""A line that Git writes into a file in which two changes conflict (git-merge, "How conflicts are presented")."""

READABLE = "Make it a regular file that the orchestrator can read. It is read again when it is saved."


@dataclass(frozen=True)
class Notice:
    """A key of the file that is accepted, and does not do everything that one could expect."""

    file: str
    line: int
    key: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.says}"


@dataclass(frozen=True)
class Loaded:
    """A configuration that was accepted, and a notice for each of its keys that does not do what one could expect."""

    config: Config
    notices: tuple[Notice, ...] = ()


def load(path: Path) -> Loaded:
    """The configuration in `path`; all defaults if the file does not exist.

    Raises ConfigError with every problem found, each with its line.
    """
    content = content_of(path)
    return Loaded(Config()) if content is None else parse(text_of(content, path.name), path.name)


def content_of(path: Path) -> bytes | None:
    """The bytes of a configuration file, at most one more than it may have; None if it does not exist.

    Never waits: a named pipe, a device and a folder are refused. Raises ConfigError.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ConfigError((Problem(path.name, 0, "", "cannot be read: it is not a regular file"),), READABLE)
            return file.read(yaml_text.MOST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError((Problem(path.name, 0, "", f"cannot be read: {error.strerror}"),), READABLE) from error


def text_of(content: bytes, name: str) -> str:
    """The text of a configuration file; `name` is the file name in messages. Raises ConfigError."""
    if len(content) > yaml_text.MOST_BYTES:
        raise ConfigError((Problem(name, 0, "", yaml_text.TOO_LARGE),))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError((Problem(name, line, "", messages.not_text(error)),)) from error


def parse(text: str, name: str) -> Loaded:
    """The configuration in `text`; `name` is the file name in messages. Raises ConfigError as `load` does."""
    if marked := next((at for at, line in enumerate(text.split("\n"), 1) if MERGE_MARK.match(line)), 0):
        raise ConfigError((Problem(name, marked, "", messages.MERGE_CONFLICT),))
    try:
        document = yaml_text.read(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = Problem(name, mark.line + 1 if mark else 1, "", messages.not_yaml(error.problem or str(error)))
        raise ConfigError((problem,)) from error
    except yaml.YAMLError as error:
        raise ConfigError((Problem(name, 1, "", messages.not_yaml(str(error))),)) from error
    except yaml_text.NotPlain as error:
        raise ConfigError((Problem(name, error.line, "", messages.without_values(error.says)),)) from error
    content, lines = document.content, document.lines
    if document.repeated:
        twice = document.repeated
        raise _refused(name, twice, lambda one: Problem(name, one[0], _name(one[2]), messages.repeated(one[1])))
    try:
        # Validated as JSON: strict about types, but it accepts lists for the models' tuples.
        config = Config.model_validate_json(json.dumps({} if content is None else content))
    except TypeError as error:
        says = f"contains a value that is neither text, number, boolean, list nor section: {error}"
        raise ConfigError((Problem(name, 1, "", says),)) from error
    except ValidationError as error:

        def explained(detail: ErrorDetails) -> Problem:
            at, says = messages.explain(detail)
            return Problem(name, _line(at, lines), _name(at), says)

        raise _refused(name, messages.without_consequences(error.errors(include_url=False)), explained) from error
    if impossible := list(_impossible(config, lines, name)):
        raise _refused(name, impossible, lambda problem: problem)
    without_effect = [(at, f"has no effect yet: {why}") for at, why in written_without_effect(lines)]
    told = [*paths_beside_the_panel(config), *strips_nothing(config), *data_mounted_again(config)]
    told += sent_in_the_open(config)
    found = [*without_effect, *told, *unseen_failures(config)]
    return Loaded(config, tuple(Notice(name, _line(at, lines), _name(at), says) for at, says in found))


def _refused(name: str, found: Sequence[T], problem_of: Callable[[T], Problem]) -> ConfigError:
    """At most MOST_PROBLEMS of what was found: `status` shows them, and whoever has a file checked decides how many
    it has."""
    problems = [problem_of(one) for one in found[:MOST_PROBLEMS]]
    if more := len(found) - len(problems):
        problems.append(Problem(name, 0, "", f"and {counted(more, 'more problem')}"))
    return ConfigError(tuple(problems))


def _line(at: KeyPath, lines: dict[KeyPath, int]) -> int:
    """The line of a key, or of the nearest section around it that the file contains."""
    return next((lines[at[:end]] for end in range(len(at), -1, -1) if at[:end] in lines), 1)


def _name(at: KeyPath) -> str:
    """What follows a `=` is not repeated: `{TOKEN=secret}` is a key of YAML."""
    return ".".join(messages.without_assigned(str(part)) for part in at)


def _impossible(config: Config, lines: dict[KeyPath, int], name: str) -> Iterator[Problem]:
    """Problems that the models cannot find: two apps with one route or volume, a source without its section."""
    for where, says in (*route_conflicts(config), *volume_conflicts(config)):
        yield Problem(name, _line(where, lines), _name(where), says)
    for app, settings in config.all_apps().items():
        at: KeyPath = () if app == PANEL else ("apps", app)
        source = settings.update.source
        if settings.update.git.tags and settings.update.git.branch:
            here = (*at, "update", "git", "tags")
            yield Problem(name, _line(here, lines), _name(here), "tags are followed instead of a branch; remove one")
        if settings.update.git.version_range and not settings.update.git.tags:
            here = (*at, "update", "git", "version_range")
            says = 'it is of tags; set update.git.tags, such as "v*"'
            yield Problem(name, _line(here, lines), _name(here), says)
        for key, says in (*of_registry(settings), *of_report(settings)):
            here = (*at, *key.split("."))
            yield Problem(name, _line(here, lines), _name(here), says)
        if why := _why_no_order(settings):
            here = (*at, "update", "version_scheme")
            yield Problem(name, _line(here, lines), _name(here), why)
        if settings.update.followed is None:
            here = (*at, "update", source)
            yield Problem(name, _line(here, lines), _name(here), f"the source '{source}' needs this section")


def _why_no_order(settings: App) -> str:
    """Why the source cannot have the scheme of versions that is set; empty if it can."""
    update = settings.update
    if update.source == "pypi" and update.ordered_by != "pep440":
        return "packages of an index have the scheme pep440; remove the key"
    if (
        update.source == "registry"
        and update.ordered_by == "commit"
        and update.registry
        and update.registry.version_range
    ):
        return "a version_range of tags needs the scheme semver or pep440; remove one of these keys"
    return ""
