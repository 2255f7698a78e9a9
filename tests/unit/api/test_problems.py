"""The statuses of error answers."""

from __future__ import annotations

import pytest

from orchestrator.api.problems import status_by_kind
from orchestrator.errors import ChangeoverError, NotAllowed, TooManyTries


def kinds(of: type[ChangeoverError]) -> set[type[ChangeoverError]]:
    return {of} | {kind for one in of.__subclasses__() for kind in kinds(one)}


@pytest.mark.parametrize("kind", sorted(kinds(ChangeoverError) - {ChangeoverError}, key=str))
def test_every_kind_of_error_has_a_status_that_is_no_defect(kind: type[ChangeoverError]) -> None:
    """A kind that was made of another one has at least its status."""
    assert kind in (NotAllowed, TooManyTries) or status_by_kind(kind) != 500
