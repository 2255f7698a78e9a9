"""What a valid configuration names and what cannot work: files that are not there, sources that are not understood.

A configuration is not refused for these, because they concern one app, and the file may come later. `validate`,
`doctor` and `status` show them, and the deployment that needs one of them fails with the same reason.
"""

from __future__ import annotations

import posixpath
from pathlib import Path

from orchestrator.config.build_secret import BuildSecretUnreadable, build_secret
from orchestrator.config.env_file import EnvFileUnreadable, read_env_file_in
from orchestrator.config.schema import App, Config
from orchestrator.config.update_schema import GitSource
from orchestrator.domain.source_names import why_not_fetched
from orchestrator.files.beneath import LeadsOutside, within
from orchestrator.host import child_process

GIT_TIMEOUT_S = 5.0


async def preflight(config: Config, folder: Path) -> list[str]:
    """One sentence with its key for each thing that cannot work. `folder` is the configuration file's."""
    panel = _not_fetched(config.update.git.remote)
    found = [f"update.git.remote: {panel}"] if panel else []
    return found + [f"apps.{name}.{says}" for name, app in config.apps.items() for says in await _of_app(app, folder)]


def unsupported_remote(git: GitSource) -> str:
    """Why the remote of an app (not the panel) cannot be its source, and what to write instead; empty if it may be."""
    if git.remote == "." and posixpath.normpath(git.path) == ".":
        return (
            "the app has no repository of its own: '.' is the checkout of Changeover, whose image is the panel. Set "
            "update.git.remote to the URL or path of the app's repository, or update.git.path to a folder of this one"
        )
    return _not_fetched(git.remote)


def _not_fetched(remote: str) -> str:
    if why := why_not_fetched(remote):
        return why
    if "/" in remote and not remote.startswith("/") and "://" not in remote:
        return (
            "a URL needs its scheme, such as https://, and a path must be absolute and exist in the orchestrator's "
            "container"
        )
    return ""


def why_not_deployable(app: App, folder: Path) -> list[str]:
    """One sentence with its key for each thing that fails every deployment of an app (not the panel)."""
    remote = unsupported_remote(app.update.git)
    found = [f"update.git.remote: {remote}"] if remote else []
    if app.run.env_file:
        try:
            read_env_file_in(folder, app.run.env_file)
        except EnvFileUnreadable as error:
            found.append(f"run.env_file: {error}")
    for name, file in app.build.secrets.items():
        try:
            build_secret(folder, name, file)
        except BuildSecretUnreadable as error:
            found.append(f"build.secrets.{name}: {error}")
    return found


async def _of_app(app: App, folder: Path) -> list[str]:
    found = why_not_deployable(app, folder)
    named = {"run.env_file": app.run.env_file} if app.run.env_file else {}
    named |= {f"build.secrets.{name}": file for name, file in app.build.secrets.items()}
    for key, file in named.items():
        if _is_beneath(folder, file) and await _would_be_committed(folder / file):
            says = f"git would commit {file}, which contains secrets. Add it to .gitignore, or put it into secrets/"
            found.append(f"{key}: {says}")
    return found


def _is_beneath(folder: Path, file: str) -> bool:
    """Whether it is a file in the folder. Another one is not used, and git is not asked about it."""
    try:
        return within(folder, file).is_file()
    except (OSError, LeadsOutside):
        return False


async def _would_be_committed(path: Path) -> bool:
    """Whether the file is in a checkout that does not ignore it. False if there is none, or git does not answer."""
    command = ("git", "-c", "safe.directory=*", "-C", str(path.parent), "check-ignore", "--quiet", "--", path.name)
    try:
        asked = await child_process.run(*command, env={}, timeout_s=GIT_TIMEOUT_S)
    except (OSError, TimeoutError):
        return False
    # 0: ignored, 1: not ignored, 128: not in a checkout (git-check-ignore(1)).
    return asked.exit_code == 1
