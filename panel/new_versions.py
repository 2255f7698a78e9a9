"""Which new versions a session tells its person, and how: once each, by a notice at its start or by a toast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from panel.client.events import UpdateFound
from panel.client.model import App

AT_START = "start"


@dataclass(frozen=True)
class News:
    """What is to be told now: `notice` at the start of a session, with the other apps that have an update too, or a
    toast for each of `toasts`."""

    notice: App | None = None
    also: tuple[App, ...] = ()
    toasts: tuple[App, ...] = ()


class NewVersions:
    """Used on the event loop only. `first` is the app that stands first in a notice."""

    def __init__(self, first: str) -> None:
        self._first = first
        self._has_begun = False
        self._found: dict[str, UpdateFound] = {}
        """By app, what the event stream told last. The answer that shows it may come later."""
        self.told: dict[str, str] = {}
        """By app, the version that was told last. Saved with the session."""

    def resume(self, told: Mapping[str, str]) -> None:
        """Go on with a session in which these versions were told."""
        self.told = dict(told)
        self._has_begun = True

    def take(self, app: str, found: UpdateFound) -> None:
        """A check has found a version. It is told when the app is known to have that update still."""
        self._found[app] = found

    def tell(self, apps: Sequence[App]) -> News:
        """What of these apps is to be told. It is not told again."""
        is_start, self._has_begun = not self._has_begun, True
        new = [app for app in apps if app.update and self.told.get(app.name) != app.update.version]
        if not is_start:
            new = [app for app in new if _is_wanted(app, self._found.get(app.name))]
        self.told |= {app.name: app.update.version for app in new if app.update}
        if not is_start:
            return News(toasts=tuple(new))
        wanted = sorted((app for app in new if AT_START in app.notify_of), key=lambda app: app.name != self._first)
        return News(wanted[0], tuple(wanted[1:])) if wanted else News()


def _is_wanted(app: App, found: UpdateFound | None) -> bool:
    """Whether a check has found it just now that people are told of. One that is shown again, as after the 24 hours for
    which it was dismissed, is not new."""
    return bool(found and app.update and found.version == app.update.version and found.found_by in app.notify_of)
