"""What is wrong stands above the apps in the panel, and goes away when it is mended."""

from __future__ import annotations

from textual.app import App as TextualApp
from textual.app import ComposeResult

from panel.client.model import Apps
from panel.text.moments import OWN
from panel.widgets.banner import TroubleBanner
from tests.support import api_answers as answers
from tests.support.api_answers import NOW


class Shown(TextualApp[None]):
    def compose(self) -> ComposeResult:
        yield TroubleBanner()


async def test_a_refused_configuration_and_a_pause_are_shown_until_they_are_mended() -> None:
    refused = {"says": "The last valid configuration is in use: c.yaml:3: [bold]", "since": NOW.isoformat()}
    paused = {"says": "New requests wait: they are paused.", "remedy": "Resume them: changeover resume shop"}
    wrong = Apps.model_validate({"apps": [answers.app(troubles=[paused])], "troubles": [refused]})

    async with Shown().run_test() as pilot:
        banner = pilot.app.query_one(TroubleBanner)
        assert not banner.has_class("-visible")
        banner.show(wrong)
        assert banner.has_class("-visible")
        text = str(banner.render())
        assert f"c.yaml:3: [bold] (since {OWN.dated_to_minute(NOW)})" in text
        assert "✗ shop: New requests wait: they are paused. Resume them: changeover resume shop" in text
        waits = {"says": "The file waits.\nc.yaml", "remedy": "Nothing to do.", "warns": True}
        banner.show(Apps.model_validate({"apps": [], "troubles": [waits]}))
        assert str(banner.render()) == "! The file waits.\n  c.yaml Nothing to do."
        banner.show(Apps.model_validate({"apps": [answers.app()]}))
        assert not banner.has_class("-visible")
