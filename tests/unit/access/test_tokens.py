"""What a token may do."""

from __future__ import annotations

import pytest

from orchestrator.domain.access import Scope


@pytest.mark.parametrize(
    ("held", "needed", "may"),
    [
        (Scope.READ, Scope.READ, True),
        (Scope.READ, Scope.DEPLOY, False),
        (Scope.DEPLOY, Scope.READ, True),
        (Scope.DEPLOY, Scope.ADMIN, False),
        (Scope.ADMIN, Scope.DEPLOY, True),
    ],
)
def test_scopes_cover_those_below_them(held: Scope, needed: Scope, may: bool) -> None:
    assert held.covers(needed) is may
