"""Routes that two apps cannot have at once, and those that are the panel's alone."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.config.keys import KeyPath
from orchestrator.config.schema import Config, panel_hosts

_OTHER_ROUTE = "Give one of the two apps another route"


def route_conflicts(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each route that another app has, as the path of its key and a sentence."""
    reserved = panel_hosts(config.public)
    owners: dict[tuple[str | None, str | None], str] = {}
    default = None
    for app, settings in config.apps.items():
        route, at = settings.route, ("apps", app, "route")
        key = "hosts" if route.hosts else "host"
        for own in route.all_hosts:
            if own in reserved:
                says = (
                    f"{own} is a host of the panel. An app cannot share it, because the app's pages could then act as "
                    f"the person who is signed in. Use another host, such as {app}.localhost"
                )
                yield (*at, key), says
        claims: tuple[str | None, ...] = route.all_hosts or ((None,) if route.path else ())
        for host in claims:
            owner = owners.setdefault((host, route.path), app)
            if owner != app:
                way = f"{host or ''}{route.path or ''}"
                kind = "host" if host and not route.path else "path" if not host else "host and path"
                yield (*at, key if host else "path"), f"{way} is already the {kind} of app {owner}. {_OTHER_ROUTE}"
        if route.default:
            if default:
                yield (*at, "default"), f"app {default} is the default app already. {_OTHER_ROUTE}"
            default = default or app


def strips_nothing(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each `strip_path` without a path that could be removed."""
    for app, settings in config.apps.items():
        if settings.route.strip_path and not settings.route.path:
            yield ("apps", app, "route", "strip_path"), "has no effect without route.path, the path to remove"


def paths_beside_the_panel(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """Each route that has a path for any host, and so none on the panel's hosts, where earlier versions had it."""
    for app, settings in config.apps.items():
        route = settings.route
        if route.path and not route.all_hosts:
            yield (
                ("apps", app, "route", "path"),
                f"requests for {route.path} reach {app} at every host but those of the panel and of other apps, for "
                f"example {app}.localhost; at 127.0.0.1 and localhost they reach the panel. Add hosts to choose them",
            )
