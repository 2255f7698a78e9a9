"""No message about the configuration has the validator's own words, whatever stands at whichever key."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from orchestrator.config import loader
from orchestrator.config.keys import Key, every_key
from orchestrator.errors import ConfigError

VALUES: tuple[Any, ...] = (None, True, 3, -1, 1.5, 10**30, "", "x", "a b\n", [], [3], ["x"], [[]], {}, {"x": 1})
OWN_WORDS = re.compile(r"\b(Input|Tuple|String|List|Value|should|validation|match pattern|Field required)\b")


@pytest.mark.parametrize("key", list(every_key()), ids=lambda key: key.name)
def test_a_wrong_value_is_told_in_our_words(key: Key) -> None:
    told = [why_refused(key, value) for value in VALUES]

    assert any(told)
    assert not [one for one in told if OWN_WORDS.search(one)]


def why_refused(key: Key, value: Any) -> str:
    """Why a file with this value at this key is refused; empty if it is not."""
    document: Any = value
    for part in reversed(key.name.replace("apps.NAME.", "apps.shop.").split(".")):
        document = {part: document}
    try:
        loader.parse(yaml.safe_dump(document), "c.yaml")
    except ConfigError as error:
        return error.cause
    return ""
