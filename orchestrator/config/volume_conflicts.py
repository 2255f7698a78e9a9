"""Volumes that two apps cannot have at once: the engine knows a volume by the names of the app and of the volume."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config.keys import KeyPath
from orchestrator.config.schema import Config

DATA = "data"
"""The name of the volume of `run.data`."""


def volume_conflicts(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each volume that another app has, as the path of its key and a sentence: `shop` with the volume `x-data` and
    `shop-x` with `run.data` would have the same one."""
    owners: dict[str, str] = {}
    for app, settings in config.apps.items():
        named = [one.source for one in settings.run.mounted if one.is_volume]
        for volume in dict.fromkeys((*((DATA,) if settings.run.data else ()), *named)):
            owner = owners.setdefault(f"{app}-{volume}", app)
            if owner != app:
                key = "volumes" if volume in named else "data"
                says = (
                    f"the volume '{volume}' of {app} would be one of app {owner}, too. Give one of the two another name"
                )
                yield ("apps", app, "run", key), says


def data_mounted_again(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each volume that has the name of the app's data, and so is the same one."""
    for app, settings in config.apps.items():
        run = settings.run
        if run.data and any(one.is_volume and one.source == DATA for one in run.mounted):
            says = (
                f"the volume '{DATA}' is that of run.data: the app has its data at {run.data} and here, and backups "
                "have it. For a volume of its own, choose another name"
            )
            yield ("apps", app, "run", "volumes"), says
