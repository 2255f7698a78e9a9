"""What a valid configuration names and what cannot work: files that are not there, sources that are not understood.

A configuration is not refused for these, because they concern one app, and the file may come later. `validate`,
`doctor` and `status` show them, and the deployment that needs one of them fails with the same reason.
"""

from __future__ import annotations

import asyncio
import os
import posixpath
from collections.abc import Callable, Collection, Iterable
from functools import cache, partial
from itertools import groupby
from pathlib import Path

from orchestrator.config.build_secret import BuildSecretUnreadable, build_secret
from orchestrator.config.env_file import EnvFileUnreadable, read_env_file_in
from orchestrator.config.local_repository import is_path, missing_folder
from orchestrator.config.named_files import named_files, why_not_used
from orchestrator.config.notify_urls import service_urls
from orchestrator.config.own_address import of_service, own_addresses
from orchestrator.config.schema import PANEL, App, Config
from orchestrator.config.sent_encrypted import why_not_sent
from orchestrator.config.source_schema import GitSource
from orchestrator.domain.source_names import is_ssh, missing_for_ssh
from orchestrator.files.beneath import LeadsOutside, within
from orchestrator.host import child_process
from orchestrator.host.uninterrupted import to_its_end

GIT_TIMEOUT_S = 5.0
_COMMITTED = ("-z", "--cached", "--others", "--exclude-standard", "--")
"""What git has, and what it would add (git-ls-files(1))."""
MOST_SAID = 100
"""So many sentences are said at a time."""


async def preflight(config: Config, folder: Path, only: Collection[str] | None = None) -> list[str]:
    """One sentence with its key for each thing that cannot work, at most MOST_SAID. `folder` is the configuration
    file's. `only`: the files that are looked at, and no path of a repository; None: all of them.
    """
    # In a thread: somebody who asks for a check may write thousands of files into a configuration.
    found, secrets = await to_its_end(asyncio.to_thread(_look_at, config, folder, only))
    for path in await _would_be_committed(secrets):
        for key, file in secrets[path]:
            why = f"git would commit {file}, which contains secrets. Add it to .gitignore, or put it into secrets/"
            found.append(f"{key}: {why}")
    left_out = len(found) - MOST_SAID
    return [*found[:MOST_SAID], f"and {left_out} more"] if left_out > 0 else found


def unsupported_remote(git: GitSource) -> str:
    """Why the remote of an app (not the panel) cannot be its source, and what to write instead; empty if it may be."""
    if git.remote == "." and posixpath.normpath(git.path) == ".":
        return (
            "the app has no repository of its own: '.' is the checkout of Changeover, whose image is the panel. Set "
            "update.git.remote to the URL or path of the app's repository, or update.git.path to a folder of this one"
        )
    return _not_fetched(git)


def _not_fetched(git: GitSource) -> str:
    remote = git.remote
    if why := missing_for_ssh(remote, git.key_file, git.known_hosts_file):
        return why
    if "/" in remote and not is_path(remote) and not is_ssh(remote) and "://" not in remote:
        return (
            "a URL needs its scheme, such as https://, and a path must be absolute, or begin with ./ beside the "
            "configuration file"
        )
    return ""


def why_not_deployable(
    app: App,
    folder: Path,
    of_env_file: Callable[[str], str] | None = None,
    looked_at: Collection[str] | None = None,
    *,
    is_panel: bool = False,
) -> list[str]:
    """One sentence with its key for each thing that fails every deployment of an app.

    `of_env_file` says why an environment file cannot be used, where that is known of several apps' files. `looked_at`:
    the files that are looked at; None: all of them.
    """
    repository = app.update.repository
    why_not = _not_fetched if is_panel else unsupported_remote
    remote = why_not(repository) if repository else ""
    found = [f"update.git.remote: {remote}"] if remote else []
    found += [f"{key}: {why}" for key, why in (*why_not_sent(app), *own_addresses(app))]
    files = looked_at if looked_at is not None else {file for _key, file in read_files(app)}
    if (
        app.run.env_file
        and app.run.env_file in files
        and (why := (of_env_file or partial(_unusable, folder))(app.run.env_file))
    ):
        found.append(f"run.env_file: {why}")
    for name, file in app.build.secrets.items():
        if file not in files:
            continue
        try:
            build_secret(folder, name, file)
        except BuildSecretUnreadable as error:
            found.append(f"build.secrets.{name}: {error}")
    # A push or a report that fails keeps no release from being deployed: `preflight` says what they lack.
    of_source = [one for one in named_files(app) if one.of_source and one.is_in_use and one.file in files]
    return found + [f"{one.key}: {why}" for one in of_source if (why := why_not_used(one, app, folder))]


def _unusable(folder: Path, env_file: str) -> str:
    try:
        read_env_file_in(folder, env_file)
    except EnvFileUnreadable as error:
        return str(error)
    return ""


class Deployable:
    """Why apps cannot be deployed, for those who ask every few seconds: their files are read when they changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[App, list[object], list[str]]] = {}

    def why_not(self, name: str, app: App) -> list[str]:
        """As `why_not_deployable`."""
        stamps = [_stamp(self._folder / file) for _key, file in read_files(app)]
        known = self._known.get(name)
        # The panel's section is made anew for each question.
        is_same = known is not None and (known[0] is app or known[0] == app) and known[1] == stamps
        if known is None or not is_same:
            why = why_not_deployable(app, self._folder, is_panel=name == PANEL)
            known = self._known[name] = (app, stamps, why)
        return known[2]


def _stamp(path: Path) -> object:
    """What differs when a file was written, replaced or removed, or when others may read it."""
    try:
        found = os.stat(path)
    except OSError as error:
        return error.errno
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size


def secret_files(app: App) -> list[tuple[str, str]]:
    """The key and the path of each file with secrets that an app names."""
    others = {f"build.secrets.{name}": file for name, file in app.build.secrets.items()}
    if app.run.env_file:
        others["run.env_file"] = app.run.env_file
    return [*((one.key, one.file) for one in named_files(app) if one.is_secret), *others.items()]


def notify_files(config: Config) -> list[tuple[str, str]]:
    """The key and the path of each file with URLs of services that are told something."""
    lists = [("", config.notify), *((f"apps.{name}.", app.notify) for name, app in config.apps.items())]
    return [(f"{at}notify.{number}.url_file", one.url_file) for at, told in lists for number, one in enumerate(told)]


def read_files(app: App) -> list[tuple[str, str]]:
    """The key and the path of each file that an app names and that is read: also a public key, which is no secret."""
    return [*secret_files(app), *((one.key, one.file) for one in named_files(app) if not one.is_secret)]


def _look_at(
    config: Config, folder: Path, only: Collection[str] | None
) -> tuple[list[str], dict[Path, list[tuple[str, str]]]]:
    """What fails every deployment of an app, and the files with secrets: each with its keys and its name there."""
    says, secrets, with_paths = list[str](), dict[Path, list[tuple[str, str]]](), only is None
    of_env_file, of_remote = cache(partial(_unusable, folder)), cache(partial(missing_folder, folder=folder))
    for notify_key, file in notify_files(config):
        if only is None or file in only:
            services = service_urls(folder, file)
            told = [*services.problems, *filter(None, map(of_service, services.urls))]
            says += [f"{notify_key}: {problem}" for problem in told]
            if path := _beneath(folder, file):
                secrets.setdefault(path, []).append((notify_key, file))
    for name, app in config.all_apps().items():
        section = "" if name == PANEL else f"apps.{name}."
        files = {file for _key, file in read_files(app)}
        looked_at = files if only is None else files & set(only)
        why = why_not_deployable(app, folder, of_env_file, looked_at, is_panel=name == PANEL)
        why += _of_pushes_and_reports(name, app, folder, looked_at)
        repository = app.update.repository if with_paths else None
        if repository and (missing := " ".join(of_remote(repository.remote)).strip()):
            why.append(f"update.git.remote: {missing}")
        says += [f"{section}{one}" for one in why]
        for key, file in secret_files(app):
            if file in looked_at and (path := _beneath(folder, file)):
                secrets.setdefault(path, []).append((f"{section}{key}", file))
    return says, secrets


def _of_pushes_and_reports(name: str, app: App, folder: Path, looked_at: Collection[str]) -> list[str]:
    """What the files say that no check and no deployment needs."""
    found = []
    for named in named_files(app):
        if not named.of_source and named.file in looked_at and (why := why_not_used(named, app, folder)):
            again = " --replace" if (folder / named.file).exists() else ""
            writes = f" 'changeover push-secret {name}{again}' writes one." if named.key == "push.secret_file" else ""
            found.append(f"{named.key}: {why}{writes}")
    return found


def _beneath(folder: Path, file: str) -> Path | None:
    """The file itself, if it is one in the folder. Another one is not used, and git is not asked about it."""
    try:
        found = within(folder, file)
        return found if found.is_file() else None
    except (OSError, LeadsOutside):
        return None


async def _would_be_committed(paths: Iterable[Path]) -> list[Path]:
    """Those that are in a checkout that does not ignore them. None of a folder about which git does not answer.

    Git is asked once a folder, however often a file is named.
    """
    found = []
    for folder, there in groupby(sorted(paths), lambda path: path.parent):
        files = list(there)
        command = ("git", "-c", "safe.directory=*", "--literal-pathspecs", "-C", str(folder), "ls-files", *_COMMITTED)
        try:
            asked = await child_process.run(*command, *(one.name for one in files), env={}, timeout_s=GIT_TIMEOUT_S)
        except (OSError, TimeoutError):
            continue
        # In a folder of no checkout it ends with 128, and lists nothing.
        listed = set(asked.out.split(b"\0"))
        found += [one for one in files if os.fsencode(one.name) in listed]
    return found
