"""Apps that were live and are not configured any more, as after a change of their name: what became of them."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.config.schema import App, Config
from orchestrator.config.source_schema import GitSource, PypiSource, RegistrySource, UrlSource
from orchestrator.server import Orchestrator

STAYS = "Its containers, data and backups are left as they are"
PAGE = "docs/rename.md"


async def removed_apps(orchestrator: Orchestrator) -> list[str]:
    """Their names; none while no valid configuration is known, which would have them. Raises JournalError."""
    if not orchestrator.config_file.is_known:
        return []
    with_traffic = await orchestrator.journal.beside(orchestrator.journal.apps_with_traffic)
    return sorted(with_traffic - {context.name for context in orchestrator.apps.all()})


def what_became_of(app: str) -> str:
    return f"{app} is not configured any more: no request reaches it. {STAYS}."


def remedy_for(app: str) -> str:
    return (
        f"To have it back as it was, configure the name again. To give its data to another name, see {PAGE}. "
        f"To remove it: changeover remove {app}"
    )


def notices_of_removal(config: Config, configured: dict[str, App], live: Collection[str]) -> list[str]:
    """What `validate` says of each app that is configured and live now, and is not in this configuration."""
    return [
        f"apps.{name}: it is live, and not in this file, with which no request reaches it. {STAYS}"
        + _same_source(config, app, configured)
        for name, app in configured.items()
        if name in live and name not in config.all_apps()
    ]


def _same_source(config: Config, removed: App, configured: dict[str, App]) -> str:
    """That a new app has its source, which happens when somebody changes a name."""
    here = _place(removed)
    new = [name for name, app in config.apps.items() if name not in configured]
    heirs = [name for name in new if _place(config.apps[name]) == here]
    if not heirs:
        return ""
    return f". {heirs[0]} has the same source, but begins without its data: {PAGE} has the steps to rename an app"


def _place(app: App) -> tuple[object, ...]:
    """Where the app's releases come from, whichever of them are followed."""
    match app.update.followed:
        case GitSource() as git:
            return "git", git.remote, git.path
        case PypiSource() as pypi:
            return "pypi", pypi.index_url, pypi.package_name
        case UrlSource() as url:
            return "url", url.manifest_url
        case RegistrySource() as registry:
            return "registry", registry.image
    return (app.update.source,)
