"""A source that cannot be an app's is refused when a deployment asks it, and not only by `validate`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from border.secrets import Secrets
from orchestrator.config import loader
from orchestrator.errors import StepFailed
from orchestrator.sources.base import Source
from orchestrator.sources.factory import open_source
from tests.support.paths import ROOT


def source_of(app: str, folder: Path, git: str) -> Source:
    text = f"apps:\n  shop:\n    route: {{host: shop.test}}\n    update: {{git: {git}}}\n"
    config = loader.parse(text, "c.yaml").config.all_apps()[app]
    return open_source(config, app, folder, ROOT, asyncio.Lock(), Secrets())


@pytest.mark.parametrize(
    ("git", "says"),
    [
        ("{}", "the app has no repository of its own"),
        ("{path: ./}", "the app has no repository of its own"),
        ("{remote: 'git@git.test:shop'}", "it is reached by SSH, and update.git.key_file is not set"),
    ],
)
async def test_a_source_that_cannot_be_the_apps_is_refused_before_anything_is_fetched(
    tmp_path: Path, git: str, says: str
) -> None:
    """The checkout of Changeover would be built, and the panel would be deployed as the app."""
    with pytest.raises(StepFailed, match=says):
        await source_of("shop", tmp_path, git).newest()

    assert list(tmp_path.iterdir()) == []
