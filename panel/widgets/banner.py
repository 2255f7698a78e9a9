"""The banners above the apps: what is wrong, and the update that is available."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text
from textual.app import RenderResult
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from border.plain import one_line
from panel.client.model import App, Apps, Trouble
from panel.preferred import times_of, when_times_change
from panel.text.held_back import held_back_in_words
from panel.text.moments import Times
from panel.text.shortened import CUT, shortened

LONGEST_NAME = 100
"""Cells of a version in the banner."""
MOST_LINES = 6
"""Lines of what is said, without the keys: the cause of a failure may be long."""
NEW = "🆕 "
AVAILABLE = f"{NEW}Update available: "
WIDE, CLOSE = "  │  ", " │ "
"""What stands between the keys."""


class TroubleBanner(Static):
    """One line for each thing that is wrong with the installation, or keeps requests from an app, and one if all of
    what is shown is old."""

    DEFAULT_CSS = """
    TroubleBanner {
        display: none; height: auto; max-height: 8; padding: 0 2; background: $error-darken-2; color: $text;
    }
    TroubleBanner.-visible { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._troubles: list[tuple[str, Trouble]] = []
        """Each with the app that it is of, if it is of one."""
        self._age = ""

    def on_mount(self) -> None:
        when_times_change(self, self._draw)

    def show(self, found: Apps) -> None:
        self._troubles = [("", one) for one in found.troubles]
        self._troubles += [(f"{app.name}: ", one) for app in found.apps for one in app.troubles]
        self._draw()

    def show_age(self, says: str) -> None:
        """Of what time everything is that is shown, and why it is no newer; empty if it is new."""
        if says != self._age:
            self._age = says
            self._draw()

    def _draw(self) -> None:
        times = times_of(self)
        lines = [f"✗ {one_line(self._age)}"] if self._age else []
        lines += [_in_words(whose, one, times) for whose, one in self._troubles]
        self.set_class(bool(lines), "-visible")
        self.update(Text("\n".join(lines)))


def _in_words(whose: str, trouble: Trouble, times: Times) -> str:
    first, *more = trouble.says.splitlines() or [""]
    says = "\n".join([f"{whose}{first}{_since(trouble, times)}", *(f"  {line}" for line in more)])
    return f"{'!' if trouble.warns else '✗'} {says} {trouble.remedy}".rstrip()


def _since(trouble: Trouble, times: Times) -> str:
    return f" (since {times.dated_to_minute(trouble.since)})" if trouble.since else ""


class UpdateBanner(Widget):
    """The update of the selected app with its keys: one line, with as many words as there is room for. Where even the
    shortest is too wide, it is folded. Below it stands what the update waits for.

    Or why its newest release is not offered. Or the update of another app, without keys: they are for the selected one.
    """

    DEFAULT_CSS = """
    UpdateBanner { display: none; height: auto; padding: 1 2; background: $primary-darken-2; color: $text; }
    UpdateBanner.-visible { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._app: App | None = None
        self._is_selected = False
        self._may_install = True

    def show(self, apps: Sequence[App], selected: str, *, may_install: bool = True) -> None:
        """Show what there is to say of the selected app; if that is nothing, the first update of another one; else hide
        the banner. Whoever may not install it has no keys for that."""
        mine = next((app for app in apps if app.name == selected and _has_something(app)), None)
        app = mine or next((app for app in apps if app.update), None)
        self.set_class(app is not None, "-visible")
        if app and (app, mine is not None, may_install) != (self._app, self._is_selected, self._may_install):
            self._app, self._is_selected, self._may_install = app, mine is not None, may_install
            self.refresh(layout=True)

    def render(self) -> RenderResult:
        return Text("\n").join(self._lines(self.content_size.width))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines(width))

    def _lines(self, width: int) -> list[Text]:
        app = self._app
        if app is None or width <= 0:
            return []
        if app.update is None:
            return held_back(held_back_in_words(app), width, self._may_install)
        if not self._is_selected:
            return of_another_app(app.name, app.update.version, width, self._may_install)
        waits = _wrapped(one_line(app.update.waits), width) if app.update.waits else []
        return [*available(app.name, app.update.version, width, self._may_install), *waits]


def _has_something(app: App) -> bool:
    return app.update is not None or (app.held_back is not None and not app.held_back.dismissed)


def _wrapped(text: str, width: int) -> list[Text]:
    lines = list(Text(text).wrap(Console(width=width), width))
    if len(lines) > MOST_LINES:
        del lines[MOST_LINES:]
        lines[-1].truncate(max(width - 1, 0))
        lines[-1].append(CUT)
    return lines


def held_back(says: str, width: int, may_install: bool = True) -> list[Text]:
    """The lines of the banner where the newest release is not offered: why, and the keys that are of use."""
    wide, narrow = (
        [Text(f"[V] Versions{gap}"), Text(last)] if may_install else [Text("[V] Versions")]
        for gap, last in ((WIDE, "[X] Dismiss for 24 h"), (CLOSE, "[X] Dismiss"))
    )
    keys = Text().join(wide)
    return [*_wrapped(one_line(says), width), *([keys] if keys.cell_len <= width else _folded(narrow, width))]


def of_another_app(app: str, version: str, width: int, may_install: bool = True) -> list[Text]:
    """The lines of the banner where another app is selected: U, D and X would be for that one."""
    version = shortened(one_line(version), LONGEST_NAME)
    what = "install it" if may_install else "see what it changes"
    return _wrapped(f"{AVAILABLE}{one_line(app)} {version}. Select {one_line(app)} to {what}.", width)


def available(app: str, version: str, width: int, may_install: bool = True) -> list[Text]:
    """The lines of the banner: the longest form that fits, or else the shortest one, folded between keys."""
    what = Text(f"{one_line(app)} {shortened(one_line(version), LONGEST_NAME)}", "bold")
    keys, shorter_keys = (
        [Text(f"[U] Update{gap}"), Text(f"[D] Details{gap}"), Text(last)] if may_install else [Text("[D] Details")]
        for gap, last in ((WIDE, "[X] Dismiss for 24 h"), (CLOSE, "[X] Dismiss"))
    )
    longest = [Text.assemble(AVAILABLE, what, WIDE), *keys]
    shorter = [Text.assemble(AVAILABLE, what, CLOSE), *shorter_keys]
    shortest = [Text.assemble(NEW, what, CLOSE), *shorter_keys]
    for form in (longest, shorter):
        line = Text().join(form)
        if line.cell_len <= width:
            return [line]
    return _folded(shortest, width)


def _folded(parts: Sequence[Text], width: int) -> list[Text]:
    lines = [Text()]
    for part in parts:
        joined = lines[-1] + part
        if len(lines[-1]) and cell_len(joined.plain.removesuffix(CLOSE)) > width:
            lines.append(part)
        else:
            lines[-1] = joined
    whole = [line[: len(line.plain.removesuffix(CLOSE))] for line in lines]
    return [piece for line in whole for piece in line.wrap(Console(width=width), width)]
