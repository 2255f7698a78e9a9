"""What a service says repeats the URL: no half of a secret in it is left at a cut."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from border.secrets import Secrets
from orchestrator.config.notify_urls import secrets_of_urls
from orchestrator.notices.courier import Courier, Message, Parcel, _Printed
from orchestrator.notices.deliver import _told

TOKEN, SIGNED = "W0rkfl0w-" + "a" * 400, "S1gnature-" + "b" * 60
URL = f"json://hooks.test/{TOKEN}?sig={SIGNED}"


class Said(list[Any]):
    """What Apprise gives for a message that was not taken."""

    def __bool__(self) -> bool:
        return False


@pytest.mark.parametrize("before", range(0, 120, 7))
def test_no_half_of_a_secret_is_told(before: int) -> None:
    says = f"{'x' * before} /{TOKEN}?sig={SIGNED} failed, error=404."
    apprise = SimpleNamespace(notify=lambda **_: Said([SimpleNamespace(logs=lambda: [SimpleNamespace(message=says)])]))
    border = Secrets()
    border.know(secrets_of_urls(URL))

    outcome = _told(apprise, 0, 0, {"title": "t", "body": "b", "tone": "info"})
    parcel = Parcel(URL, (Message("t", "b"),))
    answer = Courier(border)._answer(0, parcel, [_Printed.model_validate(vars(outcome))], "")

    assert "W0rk" not in answer.says
    assert "S1gn" not in answer.says
    assert answer.is_of_url
