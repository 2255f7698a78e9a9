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
from panel.text.held_back import held_back_in_words

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
        self._troubles: list[str] = []
        self._age = ""

    def show(self, found: Apps) -> None:
        self._troubles = [_in_words("", one) for one in found.troubles]
        self._troubles += [_in_words(f"{app.name}: ", one) for app in found.apps for one in app.troubles]
        self._draw()

    def show_age(self, says: str) -> None:
        """Of what time everything is that is shown, and why it is no newer; empty if it is new."""
        if says != self._age:
            self._age = says
            self._draw()

    def _draw(self) -> None:
        lines = [*([f"✗ {one_line(self._age)}"] if self._age else []), *self._troubles]
        self.set_class(bool(lines), "-visible")
        self.update(Text("\n".join(lines)))


def _in_words(whose: str, trouble: Trouble) -> str:
    first, *more = trouble.says.splitlines() or [""]
    says = "\n".join([f"{whose}{first}{_since(trouble)}", *(f"  {line}" for line in more)])
    return f"{'!' if trouble.warns else '✗'} {says} {trouble.remedy}".rstrip()


def _since(trouble: Trouble) -> str:
    return f" (since {trouble.since:%Y-%m-%d %H:%M} UTC)" if trouble.since else ""


class UpdateBanner(Widget):
    """One line, with as many words as there is room for. Where even the shortest is too wide, it is folded. Below it
    stands what the update waits for; alone, why the newest release is not offered."""

    DEFAULT_CSS = """
    UpdateBanner { display: none; height: auto; padding: 1 2; background: $primary-darken-2; color: $text; }
    UpdateBanner.-visible { display: block; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._app: App | None = None

    def show(self, app: App | None) -> None:
        """Show the update of this app, or why its newest release is not offered; hide the banner where it has none."""
        self.set_class(bool(app and (app.update or app.held_back)), "-visible")
        if app and app != self._app:
            self._app = app
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
            return _wrapped(one_line(held_back_in_words(app)), width)
        waits = _wrapped(one_line(app.update.waits), width) if app.update.waits else []
        return [*available(app.name, app.update.version, width), *waits]


def _wrapped(text: str, width: int) -> list[Text]:
    return list(Text(text).wrap(Console(width=width), width))


def available(app: str, version: str, width: int) -> list[Text]:
    """The lines of the banner: the longest form that fits, or else the shortest one, folded between keys."""
    what = Text(f"{one_line(app)} {one_line(version)}", "bold")
    keys, shorter_keys = (
        [Text(f"[U] Update{gap}"), Text(f"[D] Details{gap}"), Text(last)]
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
    return [line[: len(line.plain.removesuffix(CLOSE))] for line in lines]
