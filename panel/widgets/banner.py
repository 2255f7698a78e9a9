"""The banners above the apps: what is wrong, and the update that is available."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from panel.client.model import App, Apps, Trouble


class TroubleBanner(Static):
    """One line for each thing that is wrong with the installation, or keeps requests from an app."""

    DEFAULT_CSS = """
    TroubleBanner {
        display: none; height: auto; max-height: 8; padding: 0 2; background: $error-darken-2; color: $text;
    }
    TroubleBanner.-visible { display: block; }
    """

    def show(self, found: Apps) -> None:
        lines = [("", one) for one in found.troubles]
        lines += [(f"{app.name}: ", one) for app in found.apps for one in app.troubles]
        self.set_class(bool(lines), "-visible")
        says = (f"✗ {whose}{one.says}{_since(one)} {one.remedy}".rstrip() for whose, one in lines)
        self.update(Text("\n".join(says)))


def _since(trouble: Trouble) -> str:
    return f" (since {trouble.since:%Y-%m-%d %H:%M} UTC)" if trouble.since else ""


class UpdateBanner(Static):
    DEFAULT_CSS = """
    UpdateBanner { display: none; height: auto; padding: 1 2; background: $primary-darken-2; color: $text; }
    UpdateBanner.-visible { display: block; }
    """

    def show(self, app: App | None) -> None:
        """Show the update of this app; hide the banner when there is none."""
        self.set_class(bool(app and app.update), "-visible")
        if app and app.update:
            self.update(
                Text.assemble(
                    "🆕 Update available: ",
                    (f"{app.name} {app.update.version}", "bold"),
                    "  │  [U] Update  │  [D] Details  │  [X] Dismiss for 24 h",
                )
            )
