"""Commands of an app whose failure Changeover would not see, because their exit code is 0 all the same."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from orchestrator.config.keys import KeyPath
from orchestrator.config.schema import App, Config

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh"})
_SCRIPT_FOLLOWS = re.compile(r"-\w*c")
_QUOTED = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)""", re.DOTALL)
_MEANS_SOMETHING = re.compile(r"[\s;&|<>()#]")
"""What separates words and commands of a shell, or connects them."""
_BETWEEN_COMMANDS = re.compile(r"(&&|\|\||\|&|(?<!>)\||;|&|\(|\)|\n)")
_PIPES = ("|", "|&")
_COMPOUND = frozenset({"if", "for", "while", "until", "case", "function", "trap", "{"})
"""Words of a shell with which `;` and `|` have other meanings, too. Nothing is said of them in such a script."""
_PIPE_FAILS = "pipefail"
_STOPS = "ON_ERROR_STOP"
_WITH_VALUE = frozenset("cdfFhLopPRTUv")
"""The letters of psql's options that have a value (psql(1)); `-Ustaff` is a user, not `-f`."""


def unseen_failures(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each command that may end with exit code 0 although it failed, as the path of its key and a sentence."""
    for name, app in config.apps.items():
        for at, command in _commands(app):
            for says in _why_unseen(command):
                yield ("apps", name, *at), says


def _commands(app: App) -> Iterator[tuple[KeyPath, str]]:
    """Those by which data is changed or kept."""
    if app.migrate:
        yield ("migrate", "command"), app.migrate.command
        if app.migrate.down:
            yield ("migrate", "down"), app.migrate.down
    if app.backup:
        yield ("backup", "dump"), app.backup.dump
        yield ("backup", "restore"), app.backup.restore


def _why_unseen(command: str) -> Iterator[str]:
    words = shlex.split(command)
    shell = next((at for at, word in enumerate(words) if word.rpartition("/")[2] in _SHELLS), len(words))
    at = next((at for at, word in enumerate(words) if at > shell and _SCRIPT_FOLLOWS.fullmatch(word)), len(words))
    options, script = words[shell + 1 : at + 1], next(iter(words[at + 1 :]), "")
    # Without a shell nothing in a word has a meaning.
    text = _without_quotes(script) if script else " ".join(_plain(word) for word in words)
    separated = _BETWEEN_COMMANDS.split(text)
    between = separated[1::2]
    if _STOPS not in command and _reads_statements(separated):
        yield (
            "psql goes on after an error and ends with exit code 0, so that a failure counts as success. Add "
            "--set=ON_ERROR_STOP=1"
        )
    if not _COMPOUND.isdisjoint(text.replace(";", " ").split()):
        return
    if any(one in _PIPES for one in between) and _PIPE_FAILS not in command:
        yield (
            "a pipe has the exit code of its last program, so that a failure of the others counts as success. Use a "
            "file between them, or bash -o pipefail -c"
        )
    stops = any(_stops_at_an_error(word) for word in (*options, *text.replace(";", " ").split()))
    if sum(not one.isspace() for one in re.split("[;\n]+", text) if one) > 1 and not stops:
        yield (
            "the script has the exit code of its last command, so that a failure of the others counts as success. "
            "Begin it with set -e, or write && between the commands"
        )


def _without_quotes(script: str) -> str:
    """The script with what is quoted as plain words, and without comments."""
    text = _QUOTED.sub(lambda found: _plain("".join(part or "" for part in found.groups())), script)
    return re.sub(r"(^|\s)#.*", "", text)


def _plain(word: str) -> str:
    """A word without what has a meaning for a shell. An empty one stays one."""
    return _MEANS_SOMETHING.sub("_", word) or "_"


def _stops_at_an_error(word: str) -> bool:
    """Whether it is an option of a shell, or of `set`, by which a script ends at the first error."""
    return word == "errexit" or (word.startswith("-") and word[1:].isalpha() and "e" in word)


def _reads_statements(separated: list[str]) -> bool:
    """Whether a psql of these commands, and what is between them, reads statements from a file or from its input: with
    `-c` alone it ends with 1 after an error (psql(1), "Exit Status")."""
    for at in range(0, len(separated), 2):
        words = separated[at].split()
        psql = next((index for index, word in enumerate(words) if word.rpartition("/")[2] == "psql"), None)
        if psql is None:
            continue
        options = words[psql + 1 :]
        is_fed = any("<" in word for word in words) or (at > 0 and separated[at - 1] in _PIPES)
        if any(_has(one, "f", "--file") for one in options):
            return True
        if is_fed and not any(_has(one, "c", "--command") for one in options):
            return True
    return False


def _has(word: str, letter: str, name: str) -> bool:
    """Whether a word of a command has this option of psql."""
    if word.partition("=")[0] == name:
        return True
    if not word.startswith("-") or word.startswith("--"):
        return False
    letters = word[1:]
    end = next((at + 1 for at, one in enumerate(letters) if one in _WITH_VALUE), len(letters))
    return letter in letters[:end]
