"""The statuses of error answers."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from orchestrator.api import values
from orchestrator.api.problems import status_by_kind
from orchestrator.api.refused_values import REMEDY
from orchestrator.api.values import FORMS
from orchestrator.domain.access import Scope
from orchestrator.errors import ChangeoverError, NotAllowed, TooManyTries
from tests.unit.api.conftest import Api


def kinds(of: type[ChangeoverError]) -> set[type[ChangeoverError]]:
    return {of} | {kind for one in of.__subclasses__() for kind in kinds(one)}


@pytest.mark.parametrize("kind", sorted(kinds(ChangeoverError) - {ChangeoverError}, key=str))
def test_every_kind_of_error_has_a_status_that_is_no_defect(kind: type[ChangeoverError]) -> None:
    """A kind that was made of another one has at least its status."""
    assert kind in (NotAllowed, TooManyTries) or status_by_kind(kind) != 500


@pytest.mark.parametrize(
    ("method", "path", "body", "says"),
    [
        (
            "POST",
            "/v1/apps/shop/deployments",
            {"ref": "-x"},
            "for ref: it must be a branch, tag or commit: at most 200",
        ),
        ("POST", "/v1/tokens", {"name": "a/b", "scope": "read"}, "for name: expected 1 to 64 letters, digits"),
        ("POST", "/v1/tokens", {"scope": "read"}, "for name: it is missing."),
        ("POST", "/v1/tokens", {"name": "a", "scope": "all"}, "for scope: it must be 'read', 'deploy' or 'admin'."),
        ("POST", "/v1/tokens", {"name": "a", "scope": "read", "x": 1}, "for x: no such field is known."),
        ("GET", "/v1/apps/shop/logs?tail=0", None, "for tail: it must be 1 or more."),
        ("POST", "/v1/apps/shop/pause", {"limit": 0}, "for limit: it must be more than 0"),
        ("POST", "/v1/apps/shop/exec", {"command": []}, "for command: it must have at least 1 value."),
        ("GET", "/v1/deployments/a_b", None, "for deployment: it must be the id of a deployment, as"),
    ],
)
async def test_a_value_that_is_refused_is_told_in_words_and_not_as_a_pattern(
    api: Api, method: str, path: str, body: dict[str, Any] | None, says: str
) -> None:
    async with api.request(method, path, api.token(Scope.ADMIN), body) as answer:
        assert answer.status == 422
        problem = json.loads(await answer.text())

    assert f"Invalid value {says}" in problem["detail"]
    assert not re.search(r"should|Value error|\^", problem["detail"])
    assert problem["remedy"] == REMEDY


def test_every_pattern_of_a_value_that_a_person_types_has_its_words() -> None:
    """The ones of values.py: a new one is added with a sentence."""
    named = {
        text for name, text in vars(values).items() if re.fullmatch("_[A-Z_]+", name) and str(text).startswith("^")
    }

    assert named == set(FORMS)
