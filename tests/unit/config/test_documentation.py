"""What the documentation says about the configuration is true."""

from __future__ import annotations

import re
import runpy

import pytest

from orchestrator.config import loader
from tests.support.paths import ROOT


@pytest.mark.parametrize("page", ["README.md", "examples/shop/README.md"])
def test_the_examples_in_the_documentation_are_valid(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)

    assert examples
    for example in examples:
        assert "shop" in loader.parse(example, page).config.apps


def test_every_configuration_key_stands_in_the_documentation() -> None:
    """The page is made from the models: it is out of date when making it again gives another one."""
    written = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    made = runpy.run_path(str(ROOT / "tools" / "configuration-page"))["page"]()

    assert written == made, "run tools/configuration-page"
