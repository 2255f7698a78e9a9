"""The upgrade from the previous version, whose backends have no numbers.

At an upgrade by `make up` the new orchestrator starts while the old proxy still runs with the old files. The new files
have names of their own and haproxy.cfg, which names them, is replaced last and in one rename: an old proxy that crashes
at any moment starts again with all of the old files or all of the new ones. Since Lua and pages lie beside the
configuration, the old image takes it, too, and is reloaded like any other. The new image does not take the old
configuration, which names files of the old image: the new files are written before the orchestrator answers, and the
new proxy is started after that.

Limit: an old worker that still has connections after the reload keeps its old backends, which cannot be changed. Its
last requests go to the release that was live at the upgrade.
"""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.proxy import durable_file
from orchestrator.proxy.runtime import Worker

ACTIVE = "active.map"
HOLDS = "hold.map"
_HOLDS_AS_SEEN_BY_HAPROXY = f"/run/changeover/{HOLDS}"


def colour_in_file(folder: Path, app: str) -> Colour | None:
    """The colour in the old traffic map, which has lines such as `shop shop_blue`."""
    named, _, colour = durable_file.read_map(folder / ACTIVE).get(app, "").rpartition("_")
    return Colour(colour) if named == app and colour in set(Colour) else None


def paused(folder: Path) -> dict[str, str]:
    """App -> time limit in milliseconds, of the apps whose requests the previous version has paused."""
    return durable_file.read_map(folder / HOLDS)


async def resume(old_worker: Worker, app: str) -> None:
    """Resume the app's requests in an old worker, by its own map. Does nothing if the worker has no such map."""
    await old_worker.ask(f"del map {_HOLDS_AS_SEEN_BY_HAPROXY} {app}")


def remove_files(folder: Path) -> None:
    """Remove the old files, after the proxy has the new ones."""
    for name in (ACTIVE, HOLDS):
        (folder / name).unlink(missing_ok=True)
        (folder / f"{name}.previous").unlink(missing_ok=True)
