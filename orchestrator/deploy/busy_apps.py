"""Apps for which something is under way are not taken out of the configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from orchestrator.apps.context import AppContext
from orchestrator.config.schema import Config
from orchestrator.errors import Refused


def refuse_to_remove(apps: Iterable[AppContext], config: Config, doing: Callable[[str], str]) -> None:
    """`doing`: what is under way for an app, empty if nothing is. Raises Refused while something is under way for an
    app that this configuration lacks."""
    removed = [context.name for context in apps if context.name not in config.all_apps()]
    busy = [f"{app} ({what})" for app in removed if (what := doing(app))]
    if busy:
        raise Refused(
            f"The saved file is not in use yet, because it lacks what is under way: {', '.join(busy)}.",
            "Nothing to do: it is used by itself when that has ended. Until then the one before is in use.",
        )
