"""The update banner: one line above the apps while an update is available."""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Static

from panel.client.model import App


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
