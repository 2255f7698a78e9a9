"""What is wrong with a value, in words."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, Field, ValidationError

from orchestrator.domain.invalid_values import why_invalid


class Model(BaseModel):
    text: str = Field("ab", min_length=1, max_length=2)
    values: list[int] = Field([1], min_length=1, max_length=1)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ({"text": ""}, "it must have at least 1 character"),
        ({"text": "abc"}, "it must have at most 2 characters"),
        ({"values": []}, "it must have at least 1 value"),
        ({"values": [1, 2]}, "it must have at most 1 value"),
    ],
)
def test_a_length_is_told_with_its_noun(value: object, says: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Model.model_validate(value)

    (error,) = raised.value.errors()
    assert why_invalid(error) == says
